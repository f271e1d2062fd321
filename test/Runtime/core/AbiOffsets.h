//===- AbiOffsets.h - The ABI's layout as each language sees it -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CORE_ABIOFFSETS_H
#define MLA_TEST_RUNTIME_CORE_ABIOFFSETS_H

#include <stddef.h>

struct AbiOffset {
  const char *what; /* "append.k_pe"; a struct's size as "append" */
  size_t value;
};

#ifdef __cplusplus
extern "C" {
#endif

/* The layout in C11; ends with a null name. */
extern const struct AbiOffset abiOffsetsInC[];

#ifdef __cplusplus
}
#endif

/* The body of such a list, compiled once by each language. */
#define MLA_ABI_TENSOR_OFFSETS                                                 \
  {"mla_tensor", sizeof(mla_tensor)},                                          \
      {"mla_tensor.data", offsetof(mla_tensor, data)},                         \
      {"mla_tensor.device_type", offsetof(mla_tensor, device_type)},           \
      {"mla_tensor.device_id", offsetof(mla_tensor, device_id)},               \
      {"mla_tensor.dtype", offsetof(mla_tensor, dtype)},                       \
      {"mla_tensor.rank", offsetof(mla_tensor, rank)},                         \
      {"mla_tensor.shape", offsetof(mla_tensor, shape)},                       \
      {"mla_tensor.strides", offsetof(mla_tensor, strides)},                   \
      {"mla_tensor.byte_offset", offsetof(mla_tensor, byte_offset)},           \
      {"mla_tensor.flags", offsetof(mla_tensor, flags)},                       \
      {"mla_tensor.reserved", offsetof(mla_tensor, reserved)},                 \
      {"mla_arg_spec", sizeof(mla_arg_spec)},                                  \
      {"mla_arg_spec.name", offsetof(mla_arg_spec, name)},                     \
      {"mla_arg_spec.role", offsetof(mla_arg_spec, role)},                     \
      {"mla_arg_spec.dtype", offsetof(mla_arg_spec, dtype)},                   \
      {"mla_arg_spec.rank", offsetof(mla_arg_spec, rank)},                     \
      {"mla_arg_spec.flags", offsetof(mla_arg_spec, flags)},                   \
      {"mla_arg_spec.dims", offsetof(mla_arg_spec, dims)},                     \
      {"mla_entry_spec", sizeof(mla_entry_spec)},                              \
      {"mla_entry_spec.name", offsetof(mla_entry_spec, name)},                 \
      {"mla_entry_spec.args", offsetof(mla_entry_spec, args)},                 \
      {"mla_entry_spec.num_args", offsetof(mla_entry_spec, num_args)},

#define MLA_ABI_FIELD(op, field)                                               \
  {#op "." #field, offsetof(mla_##op##_params, field)},

#endif /* MLA_TEST_RUNTIME_CORE_ABIOFFSETS_H */
