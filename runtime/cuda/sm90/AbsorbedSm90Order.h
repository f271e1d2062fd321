//===- AbsorbedSm90Order.h - The order of a tile's products ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Two blocks of keys are there at a time, a and b. The first group makes the
// weights of a and the second those of b, and both multiply them by their half
// of the values. Side by side is what stands in a line:
//
//   S(a)
//   P(a)             S(b)
//   O with V(a)      O with V(a), P(b)
//   O with V(b)      O with V(b)
//
// The second group's first product with values stands behind S(b): it waits for
// S(b) alone, and makes P(b) meanwhile.
//
// Here a product with a group's own weights starts before the group gives these
// to the other one: it has them in registers.
//
// Where memory bounds the kernel, and where there are few blocks, the second
// group has P(b) before O: one text then serves both groups, which is a third
// of what must be fetched before the first product is done. The sums are the
// same, and so are their bits.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90ORDER_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90ORDER_H

#include "sm90/AbsorbedSm90Attend.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// All blocks of an item, whichever group it is.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::attend(
    const Item &item, int place, int first, int last) {
  int tail = firstTail(item, first);
  Logits s;
  Weights weights;
  float factor[2], otherFactor[2];
  uint32_t keys = matricesOf(first + side).keys;
  if (last - first <= side)
    arrive(control.queryEmpty);
  for (int n = first; n < last; n += 2, ++turns) {
    int own = n + side;
    if (own < last) {
      if (side == 1)
        control.turn.wait(turns & 1);
      multiplyKeys(s, keys, own);
      if (side == 0)
        arrive(control.turn);
      waitForProducts<0>();
      pin(s);
      if (own + 2 >= last)
        arrive(control.queryEmpty);
    }
    if (side == 1)
      followReference(otherFactor, n);
    if (own < last) {
      makeWeights(weights, factor, s, place, own, own - first, own >= tail);
      tellWeights(weights, own);
    }
#pragma unroll 1
    for (int i = n; i < min(n + 2, last); ++i) {
      bool isOwn = i == own;
      if (isOwn)
        control.weights[stageOf(i)].wait(phaseOf(i));
      else if (side == 0)
        followReference(otherFactor, i);
      takeValues({isOwn ? factor[0] : otherFactor[0],
                  isOwn ? factor[1] : otherFactor[1]},
                 matricesOf(i), i > first);
      endValues(i);
    }
  }
}

/// The first group.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::lead(
    const Item &item, int place, int first, int last) {
  int tail = firstTail(item, first);
  Logits s;
  Weights weights;
  float factor[2];
  Matrices own = matricesOf(first), other = matricesOf(first + 1);
  if (first == last)
    arrive(control.queryEmpty);
  for (int n = first; n < last; n += 2) {
    multiplyKeys(s, own.keys, n);
    arrive(control.turn);
    waitForProducts<0>();
    pin(s);
    if (n + 2 >= last)
      arrive(control.queryEmpty);
    makeWeights(weights, factor, s, place, n, n - first, n >= tail);
    takeValues(weights, own, n > first);
    tellWeights(weights, n);
    endValues(n);
    pin(weights);
    if (n + 1 == last)
      break;
    followReference(factor, n + 1);
    takeValues(factor, other, true);
    endValues(n + 1);
  }
}

/// The second.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::follow(
    const Item &item, int place, int first, int last) {
  int tail = firstTail(item, first);
  Logits s;
  Weights weights;
  float factor[2];
  Matrices own = matricesOf(first + 1), other = matricesOf(first);
  if (last - first < 2)
    arrive(control.queryEmpty);
  int n = first + 1;
  for (; n < last; n += 2, ++turns) {
    control.turn.wait(turns & 1);
    multiplyKeys(s, own.keys, n);
    followReference(factor, n - 1);
    takeValues(factor, other, n - 1 > first);
    waitForProducts<1>();
    pin(s);
    if (n + 2 >= last)
      arrive(control.queryEmpty);
    makeWeights(weights, factor, s, place, n, n - first, n >= tail);
    endValues(n - 1);
    takeValues(weights, own, true);
    tellWeights(weights, n);
    endValues(n);
    pin(weights);
  }
  if (n == last) {
    ++turns;
    followReference(factor, n - 1);
    takeValues(factor, other, n - 1 > first);
    endValues(n - 1);
  }
}

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90ORDER_H
