//===- VLLM.cpp - Custom calls of vLLM's cache operators ------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"

using namespace mlir;
using namespace mla;
using namespace mla::customcall;

namespace {

/// The scales of the cache, both the one that the callee has, or none. Its
/// format is a string there, a type here: the two must agree.
struct CacheFormat {
  Value scale, peScale;
};

} // namespace

static CacheFormat getFormat(Site &site, StringRef scale, Value cache,
                             Value kPe) {
  CacheFormat format;
  StringRef dtype = site.getString("kv_cache_dtype");
  if (site.isRefused())
    return format;
  bool isFp8 = dtype == "fp8" || dtype == "fp8_e4m3";
  if (!isFp8 && dtype != "auto") {
    site.refuse("kv_cache_dtype",
                "expected auto, fp8 or fp8_e4m3, got '" + dtype + "'");
    return format;
  }
  if (isFp8 != isFloat8(cache)) {
    site.refuse("kv_cache", (isFp8 ? "expected elements of type f8E4M3FN"
                                   : "expected elements of the type of kv_c") +
                                Twine(" because kv_cache_dtype is ") + dtype +
                                ", got " + describe(cache));
    return format;
  }
  if (!isFp8)
    return format;
  format.scale = getScale(site, scale);
  format.peScale = kPe ? format.scale : Value();
  site.note("multiplies by the reciprocal of the scale, where the callee "
            "divides by it");
  return format;
}

static constexpr Argument concatArguments[] = {
    {"kv_c", ArgumentKind::Tensor},
    {"k_pe", ArgumentKind::Tensor},
    {"kv_cache", ArgumentKind::Changed},
    {"slot_mapping", ArgumentKind::Tensor},
    {"kv_cache_dtype", ArgumentKind::Scalar},
    {"scale", ArgumentKind::Tensor},
};

static void convertConcat(Site &site) {
  Value kvC = site.getTensor("kv_c", 2);
  Value kPe = site.getOptionalTensor("k_pe", 2);
  Value cache = site.getTensor("kv_cache", 3);
  Value slots = site.getTensor("slot_mapping", 1);
  CacheFormat format = getFormat(site, "scale", cache, kPe);
  // There may be fewer slots than rows: padding of a captured graph.
  OpFoldResult tokens = getSize(site, slots, 0);
  MLAOpInterface append =
      createOp(site, "append",
               {{"c_kv", takeRows(site, "kv_c", kvC, tokens)},
                {"k_pe", takeRows(site, "k_pe", kPe, tokens)},
                {"slots", slots},
                {"latent_scale", format.scale},
                {"pe_scale", format.peScale},
                {"cache", cache}},
               {});
  if (append)
    site.setResult("kv_cache", append.getNamedResult("cache"));
}

static constexpr Argument ropeArguments[] = {
    {"positions", ArgumentKind::Tensor},
    {"q_pe", ArgumentKind::Changed},
    {"k_pe", ArgumentKind::Changed},
    {"kv_c", ArgumentKind::Tensor},
    {"cos_sin_cache", ArgumentKind::Tensor},
    {"is_neox", ArgumentKind::Scalar},
    {"slot_mapping", ArgumentKind::Tensor},
    {"kv_cache", ArgumentKind::Changed},
    {"kv_cache_dtype", ArgumentKind::Scalar},
    {"kv_cache_scale", ArgumentKind::Tensor},
};

static void convertRopeAndConcat(Site &site) {
  Value qPe = site.getTensor("q_pe", 3), kPe = site.getTensor("k_pe", 2);
  Value kvC = site.getTensor("kv_c", 2), cache = site.getTensor("kv_cache", 3);
  Value slots = site.getTensor("slot_mapping", 1);
  Value table = site.getOptionalTensor("cos_sin_cache", 2);
  Value positions = table ? site.getTensor("positions", 1) : Value();
  bool isHalf = table && site.getBool("is_neox");
  getWidth(site, "k_pe", kPe);
  if (table)
    getWidth(site, "cos_sin_cache", table);
  CacheFormat format = getFormat(site, "kv_cache_scale", cache, kPe);
  if (site.isRefused())
    return;

  if (table && !isFloat32(kPe))
    site.note("rotates in f32, where the callee rounds each product to the "
              "16-bit type");
  // Positions may be padded, for captured graphs.
  positions = takeRows(site, "positions", positions, getSize(site, qPe, 0));
  // Without a rotation both are what they were.
  bool hasQuery = table && site.isRead("q_pe");
  bool hasKey = table && site.isRead("k_pe");
  if (hasKey)
    site.note("rotates k_pe of a token without a slot, too");
  NamedAttrList attributes = getRope(
      site, isHalf ? RopeStyle::Half : RopeStyle::Interleaved, kPe, table);
  // The callee quantizes what it has written back in the 16-bit type.
  if (table && isFloat8(cache))
    attributes.set("rounding", RoundingAttr::get(site.getContext(),
                                                 Rounding::ThroughInputType));
  MLAOpInterface append =
      createOp(site, "append",
               {{"c_kv", kvC},
                {"k_pe", kPe},
                {"slots", slots},
                {"cos_sin", getTable(site, table)},
                {"positions", positions},
                {"latent_scale", format.scale},
                {"pe_scale", format.peScale},
                {"query", hasQuery ? qPe : Value()},
                {"k_pe_out", hasKey ? createEmptyLike(site, kPe) : Value()},
                {"cache", cache}},
               attributes);
  if (!append)
    return;
  site.setResult("q_pe", hasQuery ? append.getNamedResult("query") : qPe);
  site.setResult("k_pe", hasKey ? append.getNamedResult("k_pe_out") : kPe);
  site.setResult("kv_cache", append.getNamedResult("cache"));
}

static constexpr StringLiteral concatNames[] = {
    "concat_and_cache_mla", "_C_cache_ops.concat_and_cache_mla",
    "vllm.concat_and_cache_mla"};
static constexpr StringLiteral ropeNames[] = {
    "concat_and_cache_mla_rope_fused",
    "_C_cache_ops.concat_and_cache_mla_rope_fused",
    "vllm.concat_and_cache_mla_rope_fused"};

ArrayRef<Schema> customcall::getVLLMSchemas() {
  static const Schema schemas[] = {
      {concatNames, concatArguments, convertConcat},
      {ropeNames, ropeArguments, convertRopeAndConcat}};
  return schemas;
}
