//===- TensorChecks.h - What is asked of any one tensor, or of two --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_TENSORCHECKS_H
#define MLA_RUNTIME_CORE_TENSORCHECKS_H

#include "core/Context.h"

/// "[4, 512]", into a caller's buffer of at least 160 bytes. Returns `text`.
const char *shapeText(const mla_tensor &tensor, char *text, size_t size);

/// How a tensor is used by the call that checks it.
struct TensorUse {
  bool written = false;
  /// A scalar of an entry: in host memory whatever the context's device.
  bool onHost = false;
};

/// Checks what holds for every tensor of every call, whatever its dtype and
/// shape should be: rank, flags, reserved words, sizes, strides and extent, and
/// except in PLAN mode device, data, alignment and, when written, that no
/// element occurs twice. Reports "FUNCTION: NAME: expected ..., got ..." and
/// returns false.
bool checkTensor(mla_context &ctx, const char *function, const char *name,
                 const mla_tensor &tensor, TensorUse use);

/// Bytes that a checked tensor with elements spans; empty for one without.
struct Extent {
  uintptr_t begin = 0, end = 0;
  bool empty() const { return begin == end; }
};
Extent extentOf(const mla_tensor &tensor);

/// Whether a tensor reaches an element by different indices. No such one is
/// missed of fewer than some thousand ways to look for it, which is far more
/// than any tensor takes that isn't meant to.
bool repeatsElements(const mla_tensor &tensor);

/// Whether two checked tensors certainly share memory; as certain of that they
/// don't as repeatsElements() is. Interleaved views of one buffer that share
/// nothing are never taken for sharing.
bool certainlyOverlap(const mla_tensor &a, const mla_tensor &b);

/// The same elements in the same order, of the same type.
bool sameView(const mla_tensor &a, const mla_tensor &b);

#endif // MLA_RUNTIME_CORE_TENSORCHECKS_H
