//===- CacheLayout.cpp - What the bytes of a cache's row are --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheLayout.h"

#include "io/Dtype.h"
#include "mla_runtime/tensor.h"

#include <algorithm>

namespace mla::parity {

const std::vector<std::string> &getCacheNames() {
  static const std::vector<std::string> names = {"same", "fp8", "fp8_query",
                                                 "fp8_block"};
  return names;
}

CacheFormat getCacheFormat(const std::string &name) {
  const std::vector<std::string> &names = getCacheNames();
  return static_cast<CacheFormat>(std::find(names.begin(), names.end(), name) -
                                  names.begin());
}

uint32_t CacheLayout::getDtype() const {
  return isBlock() ? uint32_t(MLA_DTYPE_I8) : getLatentDtype();
}

int64_t CacheLayout::getWidth() const {
  return isBlock() ? getRowBytes() : latent + pe;
}

uint32_t CacheLayout::getLatentDtype() const {
  return isQuantized() ? uint32_t(MLA_DTYPE_F8E4M3FN) : activations;
}

uint32_t CacheLayout::getPeDtype() const {
  if (!isBlock())
    return getLatentDtype();
  return activations == MLA_DTYPE_F32 ? uint32_t(MLA_DTYPE_BF16) : activations;
}

int64_t CacheLayout::getScalesOffset() const {
  return latent * static_cast<int64_t>(io::dtypeBytes(getLatentDtype()));
}

int64_t CacheLayout::getPeOffset() const {
  return getScalesOffset() +
         (isBlock() ? latent / kScaleBlock * int64_t(sizeof(float)) : 0);
}

int64_t CacheLayout::getRowBytes() const {
  return getPeOffset() +
         pe * static_cast<int64_t>(io::dtypeBytes(getPeDtype()));
}

} // namespace mla::parity
