//===- LevelMain.cpp - The CPU tests at one level of instructions ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
//     mla-cpu-level-tests LEVEL [GoogleTest's options]
//
// The tests of mla-cpu-tests with the runtime's objects inside, so that they
// can choose the kernels: the library picks the best by itself and has no
// switch. Exits 77 where the CPU lacks the level.
//
//===----------------------------------------------------------------------===//

#include "cpu/simd/Dispatch.h"

#include <gtest/gtest.h>

#include <cstdio>

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr,
                 "mla-cpu-level-tests: error: expected a level, got %d "
                 "arguments\n",
                 argc - 1);
    return 2;
  }
  if (!mla::cpu::useSimdLevel(argv[1])) {
    std::printf("mla-cpu-level-tests: this CPU has no %s\n", argv[1]);
    return 77;
  }
  return RUN_ALL_TESTS();
}
