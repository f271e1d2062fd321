//===- CoreArguments.cpp - Arguments of an attention core -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CoreArguments.h"

#include "mla/IR/CacheRow.h"

using namespace mlir;

namespace mla {
namespace {

Type getElementType(Builder &builder, CoreDtype dtype) {
  switch (dtype) {
  case CoreDtype::F32:
    return builder.getF32Type();
  case CoreDtype::BF16:
    return builder.getBF16Type();
  case CoreDtype::F16:
    return builder.getF16Type();
  }
  return {};
}

bool isScaled(CacheFormat format) {
  return format == CacheFormat::FP8 || format == CacheFormat::FP8Query;
}

} // namespace

CoreArguments::CoreArguments(Builder &builder, const AttentionCoreSpec &spec,
                             const Variant &variant, bool hints, bool hasTable,
                             bool hasPositions)
    : builder(builder), spec(spec), variant(variant) {
  if (variant.numLayers == 1) {
    addProjected(0);
    addBatch(hasTable, hasPositions);
    addOptional(0);
    if (hints)
      addHints();
    addDestinations(0);
    return;
  }
  addBatch(hasTable, hasPositions);
  if (hints)
    addHints();
  for (int64_t layer = 0; layer < variant.numLayers; ++layer) {
    addProjected(layer);
    addOptional(layer);
  }
  for (int64_t layer = 0; layer < variant.numLayers; ++layer)
    addDestinations(layer);
}

std::string CoreArguments::getName(StringRef name, int64_t layer) const {
  return variant.numLayers == 1 ? name.str()
                                : (name + "_" + Twine(layer)).str();
}

Value CoreArguments::get(Block &entry, StringRef name, int64_t layer) const {
  auto it = indices.find(getName(name, layer));
  if (it == indices.end())
    it = indices.find(name);
  return it == indices.end() ? Value() : entry.getArgument(it->second);
}

std::array<Type, 2> CoreArguments::getResultTypes(int64_t layer) const {
  return {types[indices.lookup(getName("out", layer))],
          types[indices.lookup(getName("cache", layer))]};
}

/// A host scalar.
void CoreArguments::addScalar(StringRef name) {
  indices[name] = types.size();
  names.push_back(builder.getStringAttr(name));
  types.push_back(builder.getIndexType());
  attributes.push_back(builder.getDictionaryAttr(
      {builder.getNamedAttr(MLADialect::kNameAttr, builder.getStringAttr(name)),
       builder.getNamedAttr(MLADialect::kRoleAttr,
                            builder.getStringAttr("scalar"))}));
}

void CoreArguments::add(StringRef name, StringRef role, Type element,
                        ArrayRef<Dim> dims) {
  SmallVector<int64_t> shape;
  SmallVector<Attribute> symbols;
  for (const Dim &dim : dims) {
    shape.push_back(dim.size);
    symbols.push_back(builder.getStringAttr(dim.symbol));
  }
  indices[name] = types.size();
  names.push_back(builder.getStringAttr(name));
  types.push_back(RankedTensorType::get(shape, element));
  attributes.push_back(builder.getDictionaryAttr(
      {builder.getNamedAttr(MLADialect::kNameAttr, builder.getStringAttr(name)),
       builder.getNamedAttr(MLADialect::kRoleAttr, builder.getStringAttr(role)),
       builder.getNamedAttr(MLADialect::kDimsAttr,
                            builder.getArrayAttr(symbols))}));
}

void CoreArguments::addProjected(int64_t layer) {
  int64_t heads = variant.numHeads, latent = spec.kvLoraRank;
  int64_t pe = spec.qkRopeHeadDim, nope = spec.qkNopeHeadDim;
  Type element = getElementType(builder, variant.dtype);
  add(getName("q", layer), "input", element, {"T", heads, nope + pe});
  add(getName("c_kv", layer), "input", element, {"T", latent});
  if (pe)
    add(getName("k_pe", layer), "input", element, {"T", pe});
  add(getName("w_kv_b", layer), "constant", element,
      {heads, nope + spec.vHeadDim, latent});
}

void CoreArguments::addBatch(bool hasTable, bool hasPositions) {
  Type i32 = builder.getI32Type();
  add("page_table", "input", i32, {"B", "K"});
  add("kv_lens", "input", i32, {"B"});
  add("cu_q", "input", i32, {"B+1"});
  if (hasTable)
    add("cos_sin", "constant", builder.getF32Type(),
        {"max_pos", spec.qkRopeHeadDim});
  if (hasPositions)
    add("positions", "input", builder.getI64Type(), {"T"});
}

void CoreArguments::addHints() {
  for (StringRef name :
       {"max_kv", "num_generation_seqs", "num_generation_tokens"})
    addScalar(name);
}

void CoreArguments::addOptional(int64_t layer) {
  Type f32 = builder.getF32Type();
  if (variant.cache == CacheFormat::FP8Query)
    add(getName("query_scale", layer), "constant", f32, {});
  if (isScaled(variant.cache))
    add(getName("latent_scale", layer), "constant", f32, {});
  if (isScaled(variant.cache) && spec.qkRopeHeadDim)
    add(getName("pe_scale", layer), "constant", f32, {});
  if (spec.sinks)
    add(getName("sinks", layer), "constant", f32, {variant.numHeads});
  // How many keys are picked is the selection's business: it may be fewer than
  // the model's bound while a sequence is short.
  if (spec.topk)
    add(getName("indices", layer), "input", builder.getI32Type(),
        {"T", "topk"});
}

void CoreArguments::addDestinations(int64_t layer) {
  Type element = getElementType(builder, variant.dtype);
  add(getName("out", layer), "output", element,
      {"T", variant.numHeads, spec.vHeadDim});
  int64_t width = spec.getCacheWidth();
  if (isScaled(variant.cache)) {
    element = builder.getType<Float8E4M3FNType>();
  } else if (variant.cache == CacheFormat::FP8Block) {
    element = builder.getI8Type();
    width = getPackedRowBytes(spec.kvLoraRank, spec.qkRopeHeadDim);
  }
  add(getName("cache", layer), "inout", element,
      {"pages", variant.pageSize, width});
}

} // namespace mla
