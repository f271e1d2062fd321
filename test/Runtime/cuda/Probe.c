/*===- Probe.c - Whether the CUDA backend can be had ------------------------===
 *
 * Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===------------------------------------------------------------------------===
 *
 * Exits 0 where a context can be made on GPU 0. Otherwise prints why not; exits
 * 77 where there is no such GPU or a library is missing, and 1 where the
 * backend fails.
 *===------------------------------------------------------------------------===*/

#include "mla_runtime/runtime.h"

#include <stdio.h>

int main(void) {
  mla_context *ctx = NULL;
  mla_status status = mla_context_create("cuda", 0, &ctx);
  if (status != MLA_STATUS_OK)
    printf("%s\n", mla_last_error(NULL));
  mla_context_destroy(ctx);
  if (status == MLA_STATUS_NOT_FOUND || status == MLA_STATUS_UNIMPLEMENTED)
    return 77;
  return status == MLA_STATUS_OK ? 0 : 1;
}
