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
#include <vector>

namespace mla::bench {

/// Sizes of a tensor.
using Dims = std::vector<int64_t>;

/// Dense tensors in the device's memory, and views of them. They share one
/// piece of memory, which allocate() gets once all are known: until then their
/// data are null. What can't be made is null; failure() says why.
class Operands {
public:
  /// Without a context no memory is taken and nothing filled: the addresses are
  /// made up, and say how the tensors would lie. `spread` is the standard
  /// deviation of random numbers.
  Operands(mla_context *ctx, Device &device, double spread = 1);
  ~Operands();
  Operands(const Operands &) = delete;

  /// Takes the memory and enqueues its filling; once, after the last tensor.
  /// False when there is a failure.
  bool allocate();
  /// Why the first thing that is missing is; empty while none is.
  const std::string &failure() const { return reason; }
  /// Of device memory.
  uint64_t bytes() const { return total; }

  /// Of a float type: normally distributed numbers, the same in every run.
  const mla_tensor *random(uint32_t dtype, const Dims &dims);
  /// The same, of a spread of a sixteenth: products with them stay about as
  /// large as what they are multiplied with.
  const mla_tensor *weights(uint32_t dtype, const Dims &dims);
  /// The rows [..., latent | scales | pe] of a block-scaled cache, as bytes:
  /// numbers as above, of scale 1.
  const mla_tensor *packedRows(int64_t pages, int64_t pageSize, int64_t latent,
                               uint32_t peType, int64_t pe);
  /// `count` elements of another type in every row of bytes, from byte `begin`.
  const mla_tensor *field(const mla_tensor *rows, int64_t begin, uint32_t dtype,
                          int64_t count);
  /// Every element is 0.
  const mla_tensor *zeros(uint32_t dtype, const Dims &dims);
  const mla_tensor *integers(const Dims &dims,
                             const std::vector<int32_t> &values);
  const mla_tensor *integers(const Dims &dims,
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
  /// A part of the memory that repeats a block.
  struct Section {
    const std::vector<char> *block;
    uint64_t bytes = 0;
  };
  /// A tensor whose data start `offset` bytes into a section.
  struct Operand : mla_tensor {
    size_t section = 0;
    uint64_t offset = 0;
  };

  /// A tensor at the end of section `section`.
  Operand &make(size_t section, uint32_t dtype, const Dims &dims);
  /// One whose contents are given.
  const mla_tensor *given(uint32_t dtype, const Dims &dims, const void *values);
  const mla_tensor *view(const Operand &operand);
  /// The section of a block; a tensor that starts with the block is alone in
  /// one.
  size_t sectionOf(const std::vector<char> &block, bool alone = false);

  mla_context *ctx;
  Device &device;
  double spread;
  std::string reason;
  std::deque<Operand> tensors; ///< Which are pointed at.
  /// The first one is of given values, all of which `values` has.
  std::vector<Section> sections;
  std::vector<char> values;
  void *memory = nullptr;
  uint64_t total = 0;
};

} // namespace mla::bench

#endif // MLA_BENCH_OPERANDS_H
