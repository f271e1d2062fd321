//===- HostTensor.h - Contiguous tensors on the host ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_HOSTTENSOR_H
#define MLA_TOOLS_PARITY_HOSTTENSOR_H

#include <cstdint>
#include <vector>

namespace mla::parity {

/// A contiguous, row-major tensor on the host.
struct HostTensor {
  uint32_t dtype = 0; ///< MLA_DTYPE_*
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;

  /// Bytes of one index of the first dimension.
  uint64_t rowBytes() const;
  uint64_t numElements() const;

  /// Of zeros.
  HostTensor() = default;
  HostTensor(uint32_t dtype, std::vector<int64_t> shape);
  /// Rounded to `dtype`: f32, bf16 or f16.
  HostTensor(uint32_t dtype, std::vector<int64_t> shape,
             const std::vector<float> &values);
  /// Of i32 and of i64.
  static HostTensor fromIntegers(std::vector<int64_t> shape,
                                 const std::vector<int32_t> &values);
  static HostTensor fromIntegers(std::vector<int64_t> shape,
                                 const std::vector<int64_t> &values);

  /// Every element becomes a NaN whose bits a computation doesn't give; of
  /// integers, -1.
  void poison();
  std::vector<double> toDoubles() const;
};

/// Rows of `source`, in this order; a negative index gives a poisoned row.
HostTensor gatherRows(const HostTensor &source,
                      const std::vector<int64_t> &rows);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_HOSTTENSOR_H
