//===- CpuCeilings.h - Loops that reach a CPU's limits ----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_CPUCEILINGS_H
#define MLA_BENCH_CPUCEILINGS_H

#include <cstdint>

namespace mla::bench {

/// The loops for one instruction set; each keeps the result alive by returning
/// something of it.
struct CpuLoops {
  const char *isa;
  /// Reads `bytes`, a multiple of 1024, once.
  float (*read)(const void *from, uint64_t bytes);
  /// `rounds` rounds of independent f32 multiply-adds, f32FlopsARound each.
  float (*multiplyAdd)(int64_t rounds);
  int64_t f32FlopsARound;
  /// The same with bf16 dot products; null where the CPU has none.
  float (*dotBF16)(int64_t rounds);
  int64_t bf16FlopsARound;
};

/// Those of the best instruction set that this CPU has.
CpuLoops bestCpuLoops();

} // namespace mla::bench

#endif // MLA_BENCH_CPUCEILINGS_H
