//===- TensorRTLLM.cpp - Custom calls of TensorRT-LLM's operators ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorRTLLM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mla;
using namespace mla::customcall;

static constexpr Argument generationArguments[] = {
    {"fused_q", ArgumentKind::Changed},
    {"q_pe", ArgumentKind::Changed},
    {"latent_cache", ArgumentKind::Tensor},
    {"rotary_cos_sin", ArgumentKind::Tensor},
    {"cu_q_seqlens", ArgumentKind::Changed},
    {"cu_kv_seqlens", ArgumentKind::Changed},
    {"fmha_scheduler_counter", ArgumentKind::Changed},
    {"mla_bmm1_scale", ArgumentKind::Changed},
    {"mla_bmm2_scale", ArgumentKind::Changed},
    {"quant_q_buffer", ArgumentKind::Changed},
    {"sequence_length", ArgumentKind::Tensor},
    {"host_past_key_value_lengths", ArgumentKind::Tensor},
    {"host_context_lengths", ArgumentKind::Tensor},
    {"num_contexts", ArgumentKind::Scalar},
    {"kv_cache_block_offsets", ArgumentKind::Tensor},
    {"host_kv_cache_pool_pointers", ArgumentKind::Changed},
    {"host_kv_cache_pool_mapping", ArgumentKind::Tensor},
    {"kv_scale_orig_quant", ArgumentKind::Tensor},
    {"kv_scale_quant_orig", ArgumentKind::Tensor},
    {"out_scale", ArgumentKind::Tensor},
    {"block_ids_per_seq", ArgumentKind::Tensor},
    {"mla_tensor_params", ArgumentKind::Tensor},
    {"predicted_tokens_per_seq", ArgumentKind::Scalar},
    {"layer_idx", ArgumentKind::Scalar},
    {"num_heads", ArgumentKind::Scalar},
    {"num_kv_heads", ArgumentKind::Scalar},
    {"head_size", ArgumentKind::Scalar},
    {"tokens_per_block", ArgumentKind::Scalar},
    {"attention_window_size", ArgumentKind::Scalar},
    {"sink_token_length", ArgumentKind::Scalar},
    {"beam_width", ArgumentKind::Scalar},
    {"quant_mode", ArgumentKind::Scalar},
    {"q_scaling", ArgumentKind::Scalar},
    {"q_lora_rank", ArgumentKind::Scalar},
    {"kv_lora_rank", ArgumentKind::Scalar},
    {"qk_nope_head_dim", ArgumentKind::Scalar},
    {"qk_rope_head_dim", ArgumentKind::Scalar},
    {"v_head_dim", ArgumentKind::Scalar},
    // Not the callee's: what it computes from predicted_tokens_per_seq.
    {"cu_q", ArgumentKind::Tensor, /*hasDefault=*/true},
};

void Generation::readArguments() {
  query = site.getTensor("fused_q", 3);
  latentCache = site.getTensor("latent_cache", 2);
  lens = site.getTensor("sequence_length", 1);
  offsets = site.getTensor("kv_cache_block_offsets", 4);
  latent = site.getSize("kv_lora_rank", 1);
  pe = site.getSize("qk_rope_head_dim", 0);
  newTokens = site.getSize("predicted_tokens_per_seq", 1);
  pageSize = site.getSize("tokens_per_block", 1);
  if (pe > 0)
    qPe = site.getTensor("q_pe", 3);
  for (StringRef name : {"fused_q", "latent_cache"})
    if (int64_t got = getWidth(site, name, site.getValue(name));
        !site.isRefused() && got != latent + pe)
      site.refuse(name,
                  "expected " + Twine(latent + pe) +
                      " columns, kv_lora_rank and qk_rope_head_dim, got " +
                      Twine(got));
  cache = site.getValue("host_kv_cache_pool_pointers");
  auto type =
      cache ? dyn_cast<RankedTensorType>(cache.getType()) : RankedTensorType();
  if (!type || type.getRank() != 3 || type.getDimSize(1) != pageSize ||
      type.getDimSize(2) != latent + pe) {
    site.refuse("host_kv_cache_pool_pointers",
                "expected the cache as a tensor [pages, " + Twine(pageSize) +
                    ", " + Twine(latent + pe) + "], got " + describe(cache));
  }
  if (Value params = site.getValue("mla_tensor_params"); params)
    site.refuse("mla_tensor_params",
                "expected none: positions and slots of context parallelism are "
                "operands of mla.append");
  for (StringRef name : {"num_kv_heads", "beam_width"})
    if (int64_t got = site.getInteger(name, 1); got != 1)
      site.refuse(name, "expected 1, got " + Twine(got));
  if (int64_t got = site.getInteger("sink_token_length", 0); got != 0)
    site.refuse("sink_token_length", "expected 0, got " + Twine(got));
  if (site.isRefused())
    return;

  isFp8 = isFloat8(cache);
  // A longer sequence would overwrite its oldest rows.
  int64_t pages = cast<RankedTensorType>(offsets.getType()).getDimSize(3);
  int64_t window = site.getInteger("attention_window_size");
  if (ShapedType::isDynamic(pages))
    site.note("doesn't wrap around after attention_window_size = " +
              Twine(window) + " keys");
  else if (window < pages * pageSize)
    site.refuse("attention_window_size",
                "expected room for the " + Twine(pages * pageSize) +
                    " keys of a row of kv_cache_block_offsets, got " +
                    Twine(window));
  auto offsetsType = cast<RankedTensorType>(offsets.getType());
  if (offsetsType.getDimSize(0) != 1 || offsetsType.getDimSize(2) != 2)
    site.refuse("kv_cache_block_offsets",
                "expected offsets [1, sequences, 2, pages] into one pool");
}

/// `[max_pos, R, 2]`, of which the first R/2 pairs of a row are read.
void Generation::readTable() {
  Value pairs = pe ? site.getOptionalTensor("rotary_cos_sin", 3) : Value();
  if (site.isRefused() || !pairs)
    return;
  auto type = cast<RankedTensorType>(pairs.getType());
  if (!type.getElementType().isF32() || type.getDimSize(1) != pe ||
      type.getDimSize(2) != 2)
    return site.refuse("rotary_cos_sin", "expected pairs of f32, [positions, " +
                                             Twine(pe) + ", 2]");
  OpFoldResult rows = getSize(site, pairs, 0), zero = builder.getIndexAttr(0),
               one = builder.getIndexAttr(1),
               half = builder.getIndexAttr(pe / 2);
  auto part = RankedTensorType::get({type.getDimSize(0), pe / 2},
                                    type.getElementType());
  Value parts[2];
  for (int64_t i : {0, 1})
    parts[i] = tensor::ExtractSliceOp::create(
        builder, loc, part, pairs,
        ArrayRef<OpFoldResult>{zero, zero, builder.getIndexAttr(i)},
        ArrayRef<OpFoldResult>{rows, half, one},
        ArrayRef<OpFoldResult>{one, one, one});
  table = joinTables(site, parts[0], parts[1]);
}

/// Lengths and pages of the sequences behind the contexts, and where the new
/// tokens go: the sequences have the same number of them.
void Generation::buildSlots() {
  int64_t contexts = site.getSize("num_contexts", 0);
  int64_t total = cast<RankedTensorType>(lens.getType()).getDimSize(0);
  if (site.isRefused())
    return;
  if (!ShapedType::isDynamic(total) && contexts > total)
    return site.refuse("num_contexts",
                       "expected no more than there are sequences, got " +
                           Twine(contexts));
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1),
               first = builder.getIndexAttr(contexts);
  sequences = getSize(site, lens, 0);
  if (contexts && !ShapedType::isDynamic(total))
    sequences = builder.getIndexAttr(total - contexts);
  else if (contexts)
    sequences = arith::SubIOp::create(builder, loc, createIndex(sequences),
                                      createIndex(first))
                    .getResult();
  std::optional<int64_t> known = getConstantIntValue(sequences);
  int64_t tokens = cast<RankedTensorType>(query.getType()).getDimSize(0);
  if (known && !ShapedType::isDynamic(tokens) && tokens != *known * newTokens)
    return site.refuse("fused_q", "expected " + Twine(*known * newTokens) +
                                      " tokens, predicted_tokens_per_seq of "
                                      "each sequence, got " +
                                      Twine(tokens));
  if (contexts)
    lens = tensor::ExtractSliceOp::create(builder, loc, lens, first, sequences,
                                          one);
  auto type = cast<RankedTensorType>(offsets.getType());
  int64_t staticSequences = known.value_or(ShapedType::kDynamic);
  Value pages = tensor::ExtractSliceOp::create(
      builder, loc,
      RankedTensorType::get({staticSequences, type.getDimSize(3)},
                            type.getElementType()),
      offsets, ArrayRef<OpFoldResult>{zero, first, zero, zero},
      ArrayRef<OpFoldResult>{one, sequences, one, getSize(site, offsets, 3)},
      ArrayRef<OpFoldResult>{one, one, one, one});
  Value cuQ = site.getOptionalTensor("cu_q", 1);
  if (!cuQ)
    cuQ = buildMultiples(
        RankedTensorType::get({known ? *known + 1 : ShapedType::kDynamic},
                              builder.getI32Type()),
        newTokens);
  auto empty = [&] {
    return tensor::EmptyOp::create(
        builder, loc, ArrayRef<OpFoldResult>{getSize(site, query, 0)},
        builder.getI64Type());
  };
  NamedAttrList attributes;
  attributes.set("page_size", builder.getI64IntegerAttr(pageSize));
  MLAOpInterface mapping = createOp(site, "slot_mapping",
                                    {{"kv_lens", lens},
                                     {"cu_q", cuQ},
                                     {"page_table", pages},
                                     {"positions", empty()},
                                     {"slots", empty()}},
                                    attributes);
  if (!mapping)
    return;
  positions = mapping.getNamedResult("positions");
  slots = mapping.getNamedResult("slots");
}

void Generation::buildAppend() {
  if (site.isRefused())
    return;
  Value destination = query, qNope, scale;
  if (isFp8) {
    destination = site.getTensor("quant_q_buffer", 3);
    scale = getScale(site, "kv_scale_quant_orig");
    qNope = takeColumns(site, query, 0, latent);
    site.note("multiplies by the reciprocal of kv_scale_quant_orig, where the "
              "callee multiplies by kv_scale_orig_quant");
  }
  Value kPe = pe ? takeColumns(site, latentCache, latent, pe) : Value();
  NamedAttrList attributes = getRope(site, RopeStyle::Interleaved, kPe, table);
  attributes.set("phase", PhaseAttr::get(site.getContext(), Phase::Generation));
  if (isFp8)
    attributes.set("rounding", RoundingAttr::get(site.getContext(),
                                                 Rounding::ThroughInputType));
  bool hasQuery = isFp8 || pe > 0;
  MLAOpInterface append =
      createOp(site, "append",
               {{"c_kv", takeColumns(site, latentCache, 0, latent)},
                {"k_pe", kPe},
                {"q_nope", qNope},
                {"q_pe", qPe},
                {"slots", slots},
                {"cos_sin", table},
                {"positions", table ? positions : Value()},
                {"query_scale", scale},
                {"latent_scale", scale},
                {"pe_scale", pe ? scale : Value()},
                {"query", hasQuery ? destination : Value()},
                {"cache", cache}},
               attributes);
  if (!append)
    return;
  site.setResult("host_kv_cache_pool_pointers", append.getNamedResult("cache"));
  Value assembled = hasQuery ? append.getNamedResult("query") : query;
  site.setResult("fused_q", isFp8 ? query : assembled);
  site.setResult("quant_q_buffer",
                 isFp8 ? assembled : site.getValue("quant_q_buffer"));
  // Read only, whatever the schema says.
  site.setResult("q_pe", site.getValue("q_pe"));
}

void Generation::convert() {
  readArguments();
  if (!site.isRefused())
    readTable();
  if (!site.isRefused())
    buildSlots();
  buildAppend();
  buildLengths();
  buildScales();
}

static constexpr StringLiteral generationNames[] = {
    "mla_rope_generation", "trtllm.mla_rope_generation"};

ArrayRef<Schema> customcall::getTensorRTLLMSchemas() {
  static const Schema schemas[] = {
      {generationNames, generationArguments,
       [](Site &site) { Generation(site).convert(); }}};
  return schemas;
}
