//===- CacheRow.cpp - Rows of a block-scaled cache ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/CacheRow.h"
#include "Verification.h"

using namespace mlir;
using namespace mla;

bool mla::isPackedCache(Type type) {
  auto shaped = dyn_cast_or_null<ShapedType>(type);
  return shaped && shaped.getElementType().isInteger(8);
}

int64_t mla::getPackedRowBytes(int64_t latent, int64_t pe) {
  constexpr int64_t scaleBytes = 4, peBytes = 2;
  return latent + latent / kScaleBlock * scaleBytes + pe * peBytes;
}

Type mla::getPackedPeType(Type activations) {
  return activations.isF16() ? activations
                             : BFloat16Type::get(activations.getContext());
}

/// Where sizes between rows are known, the scales must be where f32 can be.
static LogicalResult verifyPackedStrides(MLAOpInterface op, StringRef name,
                                         MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return mla::detail::violation(op, "C1", name)
           << "expected a strided layout, got " << type;
  auto isStatic = [](int64_t size) { return !ShapedType::isDynamic(size); };
  if (isStatic(strides.back()) && strides.back() != 1)
    return mla::detail::violation(op, "C1", name)
           << "expected the bytes of a row side by side, got " << type;
  strides.back() = offset;
  for (int64_t size : strides)
    if (isStatic(size) && size % kPackedRowAlignment)
      return mla::detail::violation(op, "C1", name)
             << "expected rows that start at multiples of "
             << kPackedRowAlignment << " bytes, got " << type;
  return success();
}

LogicalResult mla::detail::verifyPackedCache(MLAOpInterface op,
                                             const DimSizes &dims) {
  StringRef name = "cache";
  Value cache = op.getNamedOperand(name);
  // Without L an operand is missing that the operation's own constraints ask
  // for.
  std::optional<int64_t> latent = dims.lookup("L");
  if (!cache || !isPackedCache(cache.getType()) || !latent)
    return success();
  if (*latent % kScaleBlock)
    return violation(op, "C1", name)
           << "expected L to be a multiple of " << kScaleBlock
           << " because its elements are i8, got L = " << *latent;
  int64_t pe = dims.lookupOrZero("R");
  int64_t bytes = getPackedRowBytes(*latent, pe);
  auto type = cast<ShapedType>(cache.getType());
  if (type.getShape().back() != bytes)
    return violation(op, "C1", name)
           << "expected rows of L + 4 L/128 + 2 R = " << bytes
           << " bytes with L = " << *latent << ", R = " << pe << ", got "
           << type.getShape().back();
  auto memref = dyn_cast<MemRefType>(type);
  return memref ? verifyPackedStrides(op, name, memref) : success();
}
