//===- TensorOverlap.cpp - Elements that strided tensors share ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// An element's place is a sum of its tensor's strides, each as often as its
// index says. So two tensors share memory if some sum of one's strides less one
// of the other's is the distance between them. The sums are searched from the
// largest stride down, by those alone that the smaller ones can still make up
// for: one or two for each dim of what slicing and transposing make.
//
//===----------------------------------------------------------------------===//

#include "core/TensorChecks.h"

#include <algorithm>

namespace {

/// Sums of steps, each of them as often as its range says.
class StepSums {
public:
  /// Adds `size` indices' steps, forwards or backwards.
  void add(int64_t stride, int64_t size, bool forwards, bool backwards) {
    if (size < 2 || stride == 0)
      return;
    Step *at = steps, *end = steps + count;
    while (at != end && at->stride > stride)
      ++at;
    if (at == end || at->stride != stride) {
      std::copy_backward(at, end, end + 1);
      *at = {stride, 0, 0};
      ++count;
    }
    at->most += forwards ? size - 1 : 0;
    at->least -= backwards ? size - 1 : 0;
  }

  /// Whether a sum is `distance`; if that is 0, one that isn't of no steps at
  /// all, unless `still` will do. False too where it takes too long to find
  /// out.
  bool reach(int64_t distance, bool still) {
    below[count] = {0, 0};
    for (int i = count; i-- > 0;)
      below[i] = {below[i + 1].least + steps[i].stride * steps[i].least,
                  below[i + 1].most + steps[i].stride * steps[i].most};
    tries = 0;
    return reachFrom(0, distance, still);
  }

private:
  struct Range {
    int64_t least, most;
  };
  struct Step {
    int64_t stride, least, most;
  };

  bool reachFrom(int i, int64_t rest, bool still) {
    if (i == count)
      return rest == 0 && still;
    const Step &step = steps[i];
    const Range &others = below[i + 1];
    int64_t first =
        std::max(step.least, ceilOf(rest - others.most, step.stride));
    int64_t last =
        std::min(step.most, -ceilOf(others.least - rest, step.stride));
    for (int64_t n = first; n <= last && ++tries < mostTries; ++n)
      if (reachFrom(i + 1, rest - n * step.stride, still || n != 0))
        return true;
    return false;
  }

  static int64_t ceilOf(int64_t a, int64_t b) { return a / b + (a % b > 0); }

  /// Microseconds; what nests takes some ten.
  static constexpr int mostTries = 1000;
  /// Of two tensors, and of the bytes of an element.
  static constexpr int mostSteps = 2 * MLA_MAX_RANK + 1;

  Step steps[mostSteps];
  Range below[mostSteps + 1]; ///< Sums of the steps from the i-th on.
  int count = 0, tries = 0;
};

} // namespace

bool repeatsElements(const mla_tensor &tensor) {
  // Twice the same place: the difference of two sums is 0.
  StepSums differences;
  for (int32_t i = 0; i < tensor.rank; ++i)
    differences.add(tensor.strides[i], tensor.shape[i], true, true);
  return differences.reach(0, /*still=*/false);
}

bool certainlyOverlap(const mla_tensor &a, const mla_tensor &b) {
  Extent inA = extentOf(a), inB = extentOf(b);
  if (inA.empty() || inB.empty() || inA.end <= inB.begin ||
      inB.end <= inA.begin)
    return false;
  StepSums differences;
  auto add = [&](const mla_tensor &tensor, bool isFirst) {
    int64_t size = mla_dtype_bits(tensor.dtype) / 8;
    for (int32_t i = 0; i < tensor.rank; ++i)
      if (tensor.shape[i] > 1) // else the stride may be anything
        differences.add(tensor.strides[i] * size, tensor.shape[i], isFirst,
                        !isFirst);
    differences.add(1, size, isFirst, !isFirst);
  };
  add(a, true), add(b, false);
  return differences.reach(static_cast<int64_t>(inB.begin - inA.begin),
                           /*still=*/true);
}
