//===- CacheColumns.cpp - What a field of a call shows of a cache ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheColumns.h"
#include "mla/IR/CacheRow.h"
#include "mla/IR/DimSolver.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mla;

int64_t mla::getElementBytes(Type element) {
  return element.isIndex() ? 8 : element.getIntOrFloatBitWidth() / 8;
}

/// The type of what becomes rows of the cache, or reads them.
static Type getActivations(MLAOpInterface op) {
  Value value = op.getNamedOperand("c_kv");
  return getElementTypeOrSelf(
      (value ? value : op.getNamedOperand("query")).getType());
}

FailureOr<std::optional<Columns>> mla::getCacheColumns(MLAOpInterface op,
                                                       MemRefType cache,
                                                       RuntimeFieldKind kind) {
  FailureOr<DimSizes> sizes = solveDims(op);
  std::optional<int64_t> known =
      failed(sizes) ? std::nullopt : sizes->lookup("L");
  if (!known || ShapedType::isDynamic(cache.getShape().back()))
    return op.emitOpError("expected a cache with rows of a static width and a "
                          "static kv_lora_rank");
  int64_t latent = *known, pe = sizes->lookupOrZero("R");
  Type element = cache.getElementType();
  MLIRContext *context = op.getContext();
  bool isPacked = isPackedCache(cache);
  switch (kind) {
  case RuntimeFieldKind::CacheLatent:
    return std::optional(Columns{
        isPacked ? Float8E4M3FNType::get(context) : element, 0, latent});
  case RuntimeFieldKind::CachePe:
    if (pe == 0)
      return std::optional<Columns>();
    if (isPacked)
      return std::optional(Columns{getPackedPeType(getActivations(op)),
                                   getPackedRowBytes(latent, 0), pe});
    return std::optional(
        Columns{element, latent * getElementBytes(element), pe});
  case RuntimeFieldKind::CacheScales:
    if (!isPacked)
      return std::optional<Columns>();
    return std::optional(
        Columns{Float32Type::get(context), latent, latent / kScaleBlock});
  default:
    return std::optional<Columns>();
  }
}
