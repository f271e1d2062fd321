//===- TestModule.c - A compiled module, written by hand ------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla_runtime/runtime.h"

#include <stddef.h>

/* Built once for each way in which a module can be wrong. */

#if defined(TEST_OTHER_ABI)
MLA_EXPORT const uint32_t mla_module_abi = MLA_ABI_VERSION + 1;
#elif !defined(TEST_NO_ABI)
MLA_EXPORT const uint32_t mla_module_abi = MLA_ABI_VERSION;
#endif

#if defined(TEST_BAD_MANIFEST)
MLA_EXPORT const char mla_manifest[] = "{\"schema\": 1, \"entries\": [";
#elif !defined(TEST_NO_MANIFEST)
MLA_EXPORT const char mla_manifest[] =
    "{\"schema\": 1, \"mla\": \"0.1.0\", \"abi\": 1, \"entries\": [{\"name\": "
    "\"twice\"}]}";
#endif

#if defined(TEST_WITHOUT_ENTRY)
static const mla_arg_spec other[] = {{"in", MLA_ROLE_INPUT, 1, 0, 0, {0}}};
MLA_EXPORT const mla_entry_spec mla_module_entries[] = {{"thrice", other, 1},
                                                        {NULL, NULL, 0}};
#elif !defined(TEST_NO_ARGUMENTS)
static const mla_arg_spec arguments[] = {
    {"out", MLA_ROLE_OUTPUT, MLA_DTYPE_F32, 1, 0, {-2}}};
MLA_EXPORT const mla_entry_spec mla_module_entries[] = {
    {"other", NULL, 0}, {"twice", arguments, 1}, {NULL, NULL, 0}};
#endif

#if !defined(TEST_MISSING_ENTRY)
/* out = 3 everywhere, through the arena. */
MLA_EXPORT mla_status twice(mla_context *ctx, const mla_tensor *args,
                            int64_t num_args);
mla_status twice(mla_context *ctx, const mla_tensor *args, int64_t num_args) {
  static const mla_arg_spec specs[] = {
      {"out", MLA_ROLE_OUTPUT, MLA_DTYPE_F32, 1, 0, {-2}}};
  if (mla_begin(ctx, "twice", specs, 1, args, num_args) != MLA_STATUS_OK)
    return mla_context_status(ctx);
  mla_tensor piece = args[0];
  piece.data = mla_arena_alloc(ctx, (uint64_t)args[0].shape[0] * 4);
  piece.byte_offset = 0;
  piece.strides[0] = 1;
  mla_fill_params fill = {sizeof(fill), &piece, 3};
  mla_fill(ctx, &fill);
  mla_copy_params copy = {sizeof(copy), &piece, &args[0]};
  mla_copy(ctx, &copy);
  return mla_end(ctx);
}
#endif
