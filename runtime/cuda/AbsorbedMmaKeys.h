//===- AbsorbedMmaKeys.h - How keys come to shared memory -----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Four threads copy a key's row. Its page is looked up a block ahead, and its
// latent's units are copied a few at a time, between the products of the block
// before: neither waits for the other.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMMAKEYS_H
#define MLA_RUNTIME_CUDA_ABSORBEDMMAKEYS_H

#include "AbsorbedMma.h"

namespace mla {
namespace cuda {
namespace absorbed_mma {

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::locate(int block) {
  int place = block * blockKeys + thread / 4;
  nextPosition = place;
  if (p.hasIndices)
    nextPosition = place < p.topk
                       ? static_cast<int>(loadInt(p.indices, firstToken, place))
                       : -1;
  nextSeen = nextPosition >= 0 && nextPosition < mostSeen;
  nextPage = nextSeen ? call.rawPage(batch, nextPosition) : 0;
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::startCopies(int index) {
  recomputePlace();
  bool seen = nextSeen && call.isPage(nextPage);
  if (nextSeen && !seen)
    badPosition = nextPosition;
  int64_t page = seen ? nextPage : 0;
  int64_t line = seen ? call.lineOf(nextPosition) : 0;
  int key = thread / 4, member = thread % 4;
  uint32_t to = base + Shared::stages + index * Shared::stageBytes;
  unitsLeft = p.latentWidth * (IsFp8 ? 1 : 2) / 16 / 4;
  copyFrom = p.latent.at(page, line) + member * 16;
  copyTo = to + key * Shared::latentPitch + swizzled(key, member);
  copySeen = seen;
  if (p.peWidth > 0) {
    const char *from = p.pe.at(page, line);
    uint32_t row = to + Shared::stagePe + key * Shared::pePitch;
    int units = p.peWidth * elementSize(p.pe.dtype) / 16;
#pragma unroll
    for (int unit = member; unit < maxPe * 2 / 16; unit += 4)
      copyAsyncIf(unit < units, row + swizzled(key, unit), from + unit * 16,
                  seen);
  }
  if constexpr (HasScales)
    if (member < p.scales.width())
      copyAsync4(to + Shared::stageScales + (member * blockKeys + key) * 4,
                 p.scales.at(page, line, member), seen);
  if (p.hasIndices && member == 0)
    rows.keySeen[index][key] = seen;
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::copySome(int count) {
#pragma unroll
  for (int i = 0; i < count; ++i) {
    --unitsLeft;
    // Rows are aligned to their pitch: a unit is found by exclusive or.
    copyAsyncIf(unitsLeft >= 0, copyTo ^ (unitsLeft * 64),
                copyFrom + unitsLeft * 64, copySeen);
  }
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::copyRest() {
  while (unitsLeft > 0)
    copySome(1);
  commitCopies();
}

} // namespace absorbed_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMMAKEYS_H
