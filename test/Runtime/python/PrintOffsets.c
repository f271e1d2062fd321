//===- PrintOffsets.c - The ABI's layout, for another language ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* One line a struct, with its size, and one a field, with its offset. */

#include "../core/AbiOffsets.h"

#include <stdio.h>

int main(void) {
  for (const struct AbiOffset *o = abiOffsetsInC; o->what; ++o)
    printf("%s %zu\n", o->what, o->value);
  return 0;
}
