//===- Dispatch.cpp - Which instructions the CPU backend uses -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Dispatch.h"

#include <cstring>

using namespace mla;
using namespace mla::cpu;

namespace {

struct Level {
  const SimdKernels *kernels;
  bool available;
};

/// From the least to the most.
struct Levels {
  Level levels[3];
  int count = 0;

  Levels() {
    levels[count++] = {genericKernels(), true};
#ifdef MLA_CPU_X86
    __builtin_cpu_init();
    levels[count++] = {avx2Kernels(), __builtin_cpu_supports("avx2") &&
                                          __builtin_cpu_supports("fma") &&
                                          __builtin_cpu_supports("f16c")};
    levels[count++] = {avx512Kernels(),
                       __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") &&
                           __builtin_cpu_supports("avx512vl")};
#endif
  }

  const SimdKernels *best() const {
    const SimdKernels *result = nullptr;
    for (int i = 0; i < count; ++i)
      if (levels[i].available)
        result = levels[i].kernels;
    return result;
  }
};

const Levels levels;
const SimdKernels *active = levels.best();

} // namespace

const SimdKernels &mla::cpu::simd() { return *active; }

bool mla::cpu::useSimdLevel(const char *name) {
  for (int i = 0; i < levels.count; ++i)
    if (levels.levels[i].available &&
        std::strcmp(levels.levels[i].kernels->name, name) == 0) {
      active = levels.levels[i].kernels;
      return true;
    }
  return false;
}
