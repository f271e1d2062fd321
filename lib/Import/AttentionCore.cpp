//===- AttentionCore.cpp - A core's description to a module ---------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Import/AttentionCore.h"

#include "CoreArguments.h"

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

void buildFunction(OpBuilder &builder, const AttentionCoreSpec &spec,
                   const Variant &variant,
                   const AttentionCoreOptions &options) {
  // A rotation that the config states and the model doesn't do is emitted as it
  // was found, with the operands that such a front end would pass.
  bool stated = spec.qkRopeHeadDim && spec.ropeStyle &&
                (spec.rotated || !options.dropDeadRope);
  CoreArguments arguments(builder, spec, variant, options.hints, stated,
                          stated && !spec.rotated);

  Location loc = builder.getUnknownLoc();
  SmallVector<Type> results;
  for (int64_t layer = 0; layer < variant.numLayers; ++layer)
    llvm::append_range(results, arguments.getResultTypes(layer));
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

  RopeAttr rope;
  if (stated)
    rope = RopeAttr::get(builder.getContext(), *spec.ropeStyle,
                         spec.qkRopeHeadDim, spec.rotated);
  PhaseAttr phase;
  if (variant.phase)
    phase = PhaseAttr::get(builder.getContext(), *variant.phase);
  SmallVector<Value> returned;
  for (int64_t layer = 0; layer < variant.numLayers; ++layer) {
    auto get = [&](StringRef name) {
      return arguments.get(entry, name, layer);
    };
    auto attention = AttentionOp::create(
        builder, loc, arguments.getResultTypes(layer), get("q"), get("c_kv"),
        get("k_pe"), get("w_kv_b"), get("page_table"), get("kv_lens"),
        get("cu_q"), get("cos_sin"), get("positions"), get("query_scale"),
        get("latent_scale"), get("pe_scale"), get("sinks"), get("indices"),
        get("max_kv"), get("num_generation_seqs"), get("num_generation_tokens"),
        get("out"), get("cache"), rope,
        builder.getF64FloatAttr(spec.softmaxScale),
        /*rounding=*/RoundingAttr(), phase);
    llvm::append_range(returned, attention->getResults());
  }
  func::ReturnOp::create(builder, loc, returned);
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
            for (int64_t numLayers : options.numLayers)
              variants.push_back({dtype, cache, pageSize, numHeads, phase,
                                  numLayers,
                                  options.numLayers.size() > 1
                                      ? name + "_l" + std::to_string(numLayers)
                                      : name});
          }
  return variants;
}

} // namespace

std::optional<int64_t> parseNumLayers(llvm::StringRef word) {
  int64_t value;
  if (word == "all")
    return kAllLayers;
  if (word.getAsInteger(10, value) || value < 1 || value > kMaxLayers)
    return std::nullopt;
  return value;
}

llvm::Error resolveNumLayers(const AttentionCoreSpec &spec,
                             llvm::StringRef place,
                             AttentionCoreOptions &options) {
  SmallVector<int64_t> resolved;
  for (int64_t numLayers : options.numLayers) {
    if (numLayers == kAllLayers) {
      numLayers = spec.numLayers;
      if (numLayers < 1 || numLayers > kMaxLayers)
        return llvm::createStringError(
            place + ": expected 1 to " + Twine(kMaxLayers) +
            " layers with latent attention, for all layers, got " +
            (numLayers ? Twine(numLayers) : Twine("no number of layers")));
    }
    if (!llvm::is_contained(resolved, numLayers))
      resolved.push_back(numLayers);
  }
  options.numLayers = resolved;
  return llvm::Error::success();
}

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
