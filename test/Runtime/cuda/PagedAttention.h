//===- PagedAttention.h - Calls of absorbed attention, made on a GPU ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Operands that a GPU fills: batches of the sizes that are decoded, hundreds of
// megabytes, in milliseconds.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_PAGEDATTENTION_H
#define MLA_TEST_RUNTIME_CUDA_PAGEDATTENTION_H

#include "AttentionForm.h"
#include "AttentionReference.h"
#include "StreamContext.h"

#include <deque>

namespace mla {
namespace test {

/// A call's operands, made and looked at in the stream of a context: what else
/// uses them waits for it, and is waited for. What no sequence holds is NaN:
/// rows beyond a length, unused pages, gaps; so is the output before a call.
/// Entries of the page table behind a sequence's last page are far beyond the
/// cache.
class PagedAttention {
public:
  explicit PagedAttention(const StreamContext &on) : stream(on.stream) {}

  void make(const AttentionForm &form);
  /// The same tensors with another form's lengths, tokens, seed; the numbers of
  /// sequences and of tokens, padding included, are the same, and so are types,
  /// widths and capacity.
  void refill(const AttentionForm &form);

  /// The call, behind its schedule where it has one.
  mla_status run(mla_context *ctx) const;
  mla_status makeSchedule(mla_context *ctx) const;
  mla_status attend(mla_context *ctx) const;

  /// With `factor` times the scale that the call was given; damage is what
  /// changed beside o and lse.
  AttentionDifference difference(double factor = 1);
  /// That alone.
  int64_t damage();
  /// The bytes of o and lse; of the tokens [begin, end).
  std::vector<uint8_t> results() const;
  std::vector<uint8_t> results(int64_t begin, int64_t end) const;
  void poisonResults() const;

  std::vector<int32_t> schedule() const;
  void setSchedule(const std::vector<int32_t> &schedule) const;
  void setLengths(const std::vector<int64_t> &lengths) const;

  /// What the call is given; may be changed.
  mla_absorbed_attention_params params = {};

private:
  mla_tensor *add(uint32_t dtype, const std::vector<int64_t> &shape);
  mla_tensor *add(DeviceBuffer &buffer, uint32_t dtype,
                  const std::vector<int64_t> &shape);
  void addCache(int64_t numPages);
  void addQuery(int64_t total);
  void fillQuery(uint64_t seed);
  void addNumbers(int64_t seqs, int64_t total, int64_t pages);
  /// Makes the rows NaN that no token of their sequence names and sees.
  void poisonOthers(const std::vector<int64_t> &pages,
                    const std::vector<int64_t> &indices);
  AttentionDifference
  find(const std::function<void(AttentionDifference *)> &compare);

  cudaStream_t stream;
  AttentionForm form;
  std::deque<mla_tensor> tensors;
  /// `numbers` has all inputs of i32: one copy brings them to the GPU.
  DeviceBuffer cache, query, sinks, numbers, split, o, lse, scratch, found;
  size_t cacheBytes = 0, queryBytes = 0, numberBytes = 0;
  mla_schedule_params plan = {};
};

/// Bytes of an element, and of a dense tensor; where its first element is.
int64_t sizeOf(uint32_t dtype);
size_t bytesOf(const mla_tensor &tensor);
char *addressOf(const mla_tensor &tensor);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_PAGEDATTENTION_H
