//===- CacheVectors.h - A cache whose rows are vectors --------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_CACHEVECTORS_H
#define MLA_RUNTIME_CUDA_CACHEVECTORS_H

#include "CacheRows.h"
#include "Vectors.h"

namespace mla {
namespace cuda {

/// A cache of rows in vectors. Rows are named by page and line; both exist.
struct CacheVectors {
  char *latent = nullptr, *pe = nullptr, *scales = nullptr;
  uint32_t pageSize = 1;
  uint32_t latentPackets = 0;
  // Bytes from a page, a line, a scale to the next.
  int64_t latentPage = 0, latentLine = 0, pePage = 0, peLine = 0;
  int64_t scalePage = 0, scaleLine = 0, scaleStep = 0;

  CacheVectors() = default;
  CacheVectors(const Packets<3> &latentRows, const Packets<3> &peRows,
               const Tensor<3> &blockScales)
      : latent(latentRows.data), pe(peRows.data), scales(blockScales.data),
        pageSize(
            static_cast<uint32_t>(std::max<int64_t>(latentRows.shape[1], 1))),
        latentPackets(static_cast<uint32_t>(numPackets(latentRows.width()))),
        latentPage(latentRows.strides[0]), latentLine(latentRows.strides[1]),
        pePage(peRows.strides[0]), peLine(peRows.strides[1]),
        scalePage(blockScales.strides[0]), scaleLine(blockScales.strides[1]),
        scaleStep(blockScales.strides[2]) {}

  __device__ char *latentRow(int64_t page, uint32_t line) const {
    return latent + page * latentPage + line * latentLine;
  }
  __device__ char *peRow(int64_t page, uint32_t line) const {
    return pe + page * pePage + line * peLine;
  }
  /// The scale of the block that a packet is in.
  __device__ float *scale(int64_t page, uint32_t line, uint32_t packet) const {
    return reinterpret_cast<float *>(scales + page * scalePage +
                                     line * scaleLine +
                                     packet / scaleLanes * scaleStep);
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_CACHEVECTORS_H
