//===- Operands.h - Tensors on the device for one workload ------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_OPERANDS_H
#define MLA_BENCH_OPERANDS_H

#include "Device.h"

#include <deque>
#include <initializer_list>
#include <vector>

namespace mla::bench {

/// Dense tensors in the device's memory, and views of them. What can't be made
/// is null; failure() says why.
class Operands {
public:
  Operands(mla_context *ctx, Device &device) : ctx(ctx), device(device) {}
  ~Operands();
  Operands(const Operands &) = delete;

  /// Why the first tensor that is missing is; empty while none is.
  const std::string &failure() const { return reason; }

  /// Of a float type: numbers within (-2, 2), the same in every run.
  const mla_tensor *random(uint32_t dtype, std::initializer_list<int64_t> dims);
  /// The rows [..., latent | scales | pe] of a block-scaled cache, as bytes:
  /// numbers as above, of scale 1.
  const mla_tensor *packedRows(int64_t pages, int64_t pageSize, int64_t latent,
                               uint32_t peType, int64_t pe);
  /// `count` elements of another type in every row of bytes, from byte `begin`.
  const mla_tensor *field(const mla_tensor *rows, int64_t begin, uint32_t dtype,
                          int64_t count);
  /// Every element is 0.
  const mla_tensor *zeros(uint32_t dtype, std::initializer_list<int64_t> dims);
  const mla_tensor *integers(std::initializer_list<int64_t> dims,
                             const std::vector<int32_t> &values);
  const mla_tensor *integers(std::initializer_list<int64_t> dims,
                             const std::vector<int64_t> &values);
  /// A number of rank 0.
  const mla_tensor *scalar(float value);
  /// A rotary table [rows, width] of frequencies from 1 down to 1e-4.
  const mla_tensor *rotaryTable(int64_t rows, int64_t width);
  /// The columns [begin, begin + count) of the last dim; null when there are
  /// none.
  const mla_tensor *columns(const mla_tensor *tensor, int64_t begin,
                            int64_t count);

private:
  /// A tensor whose memory repeats `block` (zeros when empty).
  const mla_tensor *make(uint32_t dtype, std::initializer_list<int64_t> dims,
                         const std::vector<char> &block);

  mla_context *ctx;
  Device &device;
  std::string reason;
  std::deque<mla_tensor> tensors;
  std::vector<void *> memory;
};

} // namespace mla::bench

#endif // MLA_BENCH_OPERANDS_H
