//===- AttentionCore.cpp - A core's description to a module ---------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Import/AttentionCore.h"

#include "mla/IR/CacheRow.h"
#include "mla/IR/MLAOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace mla {

llvm::StringRef stringifyCoreDtype(CoreDtype dtype) {
  switch (dtype) {
  case CoreDtype::F32:
    return "f32";
  case CoreDtype::BF16:
    return "bf16";
  case CoreDtype::F16:
    return "f16";
  }
  return "";
}

std::optional<CoreDtype> symbolizeCoreDtype(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<CoreDtype>>(name)
      .Case("f32", CoreDtype::F32)
      .Case("bf16", CoreDtype::BF16)
      .Case("f16", CoreDtype::F16)
      .Default(std::nullopt);
}

llvm::StringRef stringifyCacheFormat(CacheFormat format) {
  switch (format) {
  case CacheFormat::Same:
    return "same";
  case CacheFormat::FP8:
    return "fp8";
  case CacheFormat::FP8Query:
    return "fp8_query";
  case CacheFormat::FP8Block:
    return "fp8_block";
  }
  return "";
}

std::optional<CacheFormat> symbolizeCacheFormat(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<CacheFormat>>(name)
      .Case("same", CacheFormat::Same)
      .Case("fp8", CacheFormat::FP8)
      .Case("fp8_query", CacheFormat::FP8Query)
      .Case("fp8_block", CacheFormat::FP8Block)
      .Default(std::nullopt);
}

namespace {

/// One combination of the options.
struct Variant {
  CoreDtype dtype;
  CacheFormat cache;
  int64_t pageSize;
  int64_t numHeads;
  std::optional<Phase> phase;
  std::string name;
};

/// A dim of an argument: a size, or a symbol of a dynamic one.
struct Dim {
  Dim(int64_t size) : size(size) {}
  Dim(StringRef symbol) : size(ShapedType::kDynamic), symbol(symbol) {}
  Dim(const char *symbol) : Dim(StringRef(symbol)) {}
  int64_t size;
  StringRef symbol;
};

/// The arguments of a function, by name, as they are added.
class Arguments {
public:
  explicit Arguments(Builder &builder) : builder(builder) {}

  /// A host scalar.
  void addScalar(StringRef name) {
    indices[name] = types.size();
    names.push_back(builder.getStringAttr(name));
    types.push_back(builder.getIndexType());
    attributes.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr(MLADialect::kNameAttr,
                              builder.getStringAttr(name)),
         builder.getNamedAttr(MLADialect::kRoleAttr,
                              builder.getStringAttr("scalar"))}));
  }
  void add(StringRef name, StringRef role, Type element, ArrayRef<Dim> dims) {
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
        {builder.getNamedAttr(MLADialect::kNameAttr,
                              builder.getStringAttr(name)),
         builder.getNamedAttr(MLADialect::kRoleAttr,
                              builder.getStringAttr(role)),
         builder.getNamedAttr(MLADialect::kDimsAttr,
                              builder.getArrayAttr(symbols))}));
  }
  /// The argument of that name, null when there is none.
  Value get(Block &entry, StringRef name) const {
    auto it = indices.find(name);
    return it == indices.end() ? Value() : entry.getArgument(it->second);
  }
  Type getType(StringRef name) const { return types[indices.lookup(name)]; }

  SmallVector<Type> types;
  SmallVector<Attribute> attributes;
  SmallVector<StringAttr> names;

private:
  Builder &builder;
  llvm::StringMap<unsigned> indices;
};

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

void addScales(Arguments &arguments, Builder &builder,
               const AttentionCoreSpec &spec, CacheFormat format) {
  Type f32 = builder.getF32Type();
  if (format == CacheFormat::FP8Query)
    arguments.add("query_scale", "constant", f32, {});
  if (isScaled(format))
    arguments.add("latent_scale", "constant", f32, {});
  if (isScaled(format) && spec.qkRopeHeadDim)
    arguments.add("pe_scale", "constant", f32, {});
}

void addCache(Arguments &arguments, Builder &builder,
              const AttentionCoreSpec &spec, const Variant &variant) {
  Type element = getElementType(builder, variant.dtype);
  int64_t width = spec.getCacheWidth();
  if (isScaled(variant.cache)) {
    element = builder.getType<Float8E4M3FNType>();
  } else if (variant.cache == CacheFormat::FP8Block) {
    element = builder.getI8Type();
    width = getPackedRowBytes(spec.kvLoraRank, spec.qkRopeHeadDim);
  }
  arguments.add("cache", "inout", element, {"pages", variant.pageSize, width});
}

Arguments getArguments(Builder &builder, const AttentionCoreSpec &spec,
                       const Variant &variant,
                       const AttentionCoreOptions &options, bool hasTable,
                       bool hasPositions) {
  int64_t heads = variant.numHeads, latent = spec.kvLoraRank;
  int64_t pe = spec.qkRopeHeadDim, nope = spec.qkNopeHeadDim;
  Type element = getElementType(builder, variant.dtype);
  Type f32 = builder.getF32Type(), i32 = builder.getI32Type();

  Arguments arguments(builder);
  arguments.add("q", "input", element, {"T", heads, nope + pe});
  arguments.add("c_kv", "input", element, {"T", latent});
  if (pe)
    arguments.add("k_pe", "input", element, {"T", pe});
  arguments.add("w_kv_b", "constant", element,
                {heads, nope + spec.vHeadDim, latent});
  arguments.add("page_table", "input", i32, {"B", "K"});
  arguments.add("kv_lens", "input", i32, {"B"});
  arguments.add("cu_q", "input", i32, {"B+1"});
  if (hasTable)
    arguments.add("cos_sin", "constant", f32, {"max_pos", pe});
  if (hasPositions)
    arguments.add("positions", "input", builder.getI64Type(), {"T"});
  addScales(arguments, builder, spec, variant.cache);
  if (spec.sinks)
    arguments.add("sinks", "constant", f32, {heads});
  // How many keys are picked is the selection's business: it may be fewer than
  // the model's bound while a sequence is short.
  if (spec.topk)
    arguments.add("indices", "input", i32, {"T", "topk"});
  if (options.hints)
    for (StringRef name :
         {"max_kv", "num_generation_seqs", "num_generation_tokens"})
      arguments.addScalar(name);
  arguments.add("out", "output", element, {"T", heads, spec.vHeadDim});
  addCache(arguments, builder, spec, variant);
  return arguments;
}

void buildFunction(OpBuilder &builder, const AttentionCoreSpec &spec,
                   const Variant &variant,
                   const AttentionCoreOptions &options) {
  // A rotation that the config states and the model doesn't do is emitted as it
  // was found, with the operands that such a front end would pass.
  bool stated = spec.qkRopeHeadDim && spec.ropeStyle &&
                (spec.rotated || !options.dropDeadRope);
  Arguments arguments = getArguments(builder, spec, variant, options, stated,
                                     stated && !spec.rotated);

  Location loc = builder.getUnknownLoc();
  Type results[] = {arguments.getType("out"), arguments.getType("cache")};
  auto function =
      func::FuncOp::create(builder, loc, variant.name,
                           builder.getFunctionType(arguments.types, results));
  function.setAllArgAttrs(ArrayRef<Attribute>(arguments.attributes));
  OpBuilder::InsertionGuard guard(builder);
  Block &entry = *function.addEntryBlock();
  builder.setInsertionPointToStart(&entry);
  // Printers can show these names instead of numbers.
  for (auto [argument, name] : llvm::zip(entry.getArguments(), arguments.names))
    argument.setLoc(NameLoc::get(name));

  auto get = [&](StringRef name) { return arguments.get(entry, name); };
  RopeAttr rope;
  if (stated)
    rope = RopeAttr::get(builder.getContext(), *spec.ropeStyle,
                         spec.qkRopeHeadDim, spec.rotated);
  PhaseAttr phase;
  if (variant.phase)
    phase = PhaseAttr::get(builder.getContext(), *variant.phase);
  auto attention = AttentionOp::create(
      builder, loc, TypeRange(results), get("q"), get("c_kv"), get("k_pe"),
      get("w_kv_b"), get("page_table"), get("kv_lens"), get("cu_q"),
      get("cos_sin"), get("positions"), get("query_scale"), get("latent_scale"),
      get("pe_scale"), get("sinks"), get("indices"), get("max_kv"),
      get("num_generation_seqs"), get("num_generation_tokens"), get("out"),
      get("cache"), rope, builder.getF64FloatAttr(spec.softmaxScale),
      /*rounding=*/RoundingAttr(), phase);
  func::ReturnOp::create(builder, loc, attention->getResults());
}

SmallVector<Variant> getVariants(const AttentionCoreSpec &spec,
                                 const AttentionCoreOptions &options) {
  SmallVector<int64_t> heads = options.numHeads;
  if (heads.empty())
    heads.push_back(spec.numHeads);
  bool several =
      options.dtypes.size() * options.pageSizes.size() * heads.size() > 1;

  SmallVector<Variant> variants;
  for (CoreDtype dtype : options.dtypes)
    for (CacheFormat cache : options.caches)
      for (int64_t pageSize : options.pageSizes)
        for (int64_t numHeads : heads)
          for (std::optional<Phase> phase : options.phases) {
            std::string name = options.name;
            if (several)
              name += llvm::formatv("_{0}_p{1}_h{2}", stringifyCoreDtype(dtype),
                                    pageSize, numHeads);
            if (options.caches.size() > 1)
              name += ("_" + stringifyCacheFormat(cache)).str();
            if (options.phases.size() > 1)
              name += ("_" + (phase ? stringifyPhase(*phase) : "any")).str();
            variants.push_back({dtype, cache, pageSize, numHeads, phase, name});
          }
  return variants;
}

} // namespace

OwningOpRef<ModuleOp> buildAttentionCore(MLIRContext *context,
                                         const AttentionCoreSpec &spec,
                                         const AttentionCoreOptions &options) {
  context->loadDialect<MLADialect, func::FuncDialect>();
  OpBuilder builder(context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
  builder.setInsertionPointToEnd(module->getBody());
  for (const Variant &variant : getVariants(spec, options))
    buildFunction(builder, spec, variant, options);
  return module;
}

} // namespace mla
