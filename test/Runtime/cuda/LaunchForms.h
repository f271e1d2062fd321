//===- LaunchForms.h - Calls that are captured and never run --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What a call launches is seen in a graph of it, which nobody has to replay:
// the operands have addresses that are never followed, so that they can be of
// any size, and many forms take little time.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_LAUNCHFORMS_H
#define MLA_TEST_RUNTIME_CUDA_LAUNCHFORMS_H

#include "Random.h"
#include "mla_runtime/runtime.h"

#include <deque>
#include <string>
#include <vector>

namespace mla {
namespace test {

/// Contiguous tensors, rows inside wider ones, or such that start beside what a
/// vector is aligned to.
enum class RowLayout { Contiguous, Sliced, Unaligned };

/// What the cache holds; fp8 with a scale a part, or a scale a block of the
/// latent.
enum class CacheForm { None, Same, Fp8, Fp8Block };

/// What is done to the query: its last columns rotate in place, come from q_pe,
/// or all come from q_nope and q_pe.
enum class QueryForm { None, InPlace, Pe, Assembled };

/// Descriptors of tensors that share no address.
class FakeTensors {
public:
  explicit FakeTensors(int32_t deviceType, int32_t device)
      : deviceType(deviceType), device(device) {}

  const mla_tensor *make(uint32_t dtype, const std::vector<int64_t> &shape,
                         RowLayout layout = RowLayout::Contiguous);

  template <typename Params>
  void setCache(Params &params, CacheForm form, uint32_t wide, int64_t pages,
                int64_t pageSize, int64_t latent, int64_t pe, RowLayout layout);

private:
  int32_t deviceType, device;
  uintptr_t next = uintptr_t{1} << 32;
  std::deque<mla_tensor> tensors;
};

struct AppendForm {
  int64_t phase = MLA_PHASE_CONTEXT, style = MLA_ROPE_INTERLEAVED;
  int64_t peWidth = 64, heads = 8, tokens = 1, latentWidth = 512;
  uint32_t dtype = MLA_DTYPE_BF16;
  CacheForm cache = CacheForm::Same;
  QueryForm query = QueryForm::InPlace;
  bool withFp8Query = false, withPadding = false;
  RowLayout layout = RowLayout::Contiguous;

  /// Whether mla_append takes it and has something to do.
  bool isCall() const;
  mla_append_params params(FakeTensors &tensors) const;
  std::string describe() const;
};

/// All combinations of what a model has, and `count` of all that differ.
std::vector<AppendForm> appendForms(Random &random, int64_t count);

struct GatherForm {
  int64_t seqs = 3, window = 40, latentWidth = 512, peWidth = 64, pageSize = 64;
  uint32_t dtype = MLA_DTYPE_BF16, out = MLA_DTYPE_BF16;
  CacheForm cache = CacheForm::Same;
  RowLayout layout = RowLayout::Contiguous;

  mla_gather_kv_params params(FakeTensors &tensors) const;
  std::string describe() const;
};

std::vector<GatherForm> gatherForms(Random &random, int64_t count);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_LAUNCHFORMS_H
