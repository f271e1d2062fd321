//===- Aiter.cpp - Custom calls of aiter's cache operators ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mla;
using namespace mla::customcall;

static constexpr Argument fusedArguments[] = {
    {"q_nope", ArgumentKind::Tensor},
    {"q_pe", ArgumentKind::Tensor},
    {"kv_c", ArgumentKind::Tensor},
    {"k_pe", ArgumentKind::Tensor},
    {"kv_cache", ArgumentKind::Changed},
    {"q_out", ArgumentKind::Changed},
    {"slot_mapping", ArgumentKind::Tensor},
    {"k_scale", ArgumentKind::Tensor},
    {"q_scale", ArgumentKind::Tensor},
    {"positions", ArgumentKind::Tensor},
    {"cos_cache", ArgumentKind::Tensor},
    {"sin_cache", ArgumentKind::Tensor},
    {"is_neox", ArgumentKind::Scalar},
    {"is_nope_first", ArgumentKind::Scalar},
    {"compute_all_q_rope", ArgumentKind::Scalar, /*hasDefault=*/true},
};

/// One half of the table, whose rows are of the width R/2: `[max_pos, R/2]` or
/// `[max_pos, 1, 1, R/2]`.
static Value getHalf(Site &site, StringRef argument, int64_t width) {
  Value value = site.getValue(argument);
  auto shaped =
      value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  bool isTable = shaped && shaped.getRank() >= 2 &&
                 shaped.getShape().back() == width / 2 &&
                 llvm::all_of(shaped.getShape().drop_front().drop_back(),
                              [](int64_t size) { return size == 1; });
  if (!isTable) {
    site.refuse(argument, "expected a table of R/2 = " + Twine(width / 2) +
                              " columns, got " + describe(value));
    return {};
  }
  if (site.isRefused() || shaped.getRank() == 2)
    return site.isRefused() ? Value() : value;
  Builder &builder = site.getBuilder();
  SmallVector<OpFoldResult> offsets(shaped.getRank(), builder.getIndexAttr(0)),
      strides(shaped.getRank(), builder.getIndexAttr(1)),
      sizes = tensor::getMixedSizes(site.getBuilder(), site.getLoc(), value);
  return tensor::ExtractSliceOp::create(
      site.getBuilder(), site.getLoc(),
      RankedTensorType::get({shaped.getDimSize(0), width / 2},
                            shaped.getElementType()),
      value, offsets, sizes, strides);
}

static void convertFused(Site &site) {
  Value qNope = site.getTensor("q_nope", 3), qPe = site.getTensor("q_pe", 3);
  Value kvC = site.getTensor("kv_c", 2), kPe = site.getTensor("k_pe", 2);
  Value cache = site.getTensor("kv_cache", 3);
  Value query = site.getTensor("q_out", 3);
  Value slots = site.getTensor("slot_mapping", 1);
  int64_t width = getWidth(site, "k_pe", kPe);
  bool hasTable = site.getValue("cos_cache") || site.getValue("sin_cache");
  bool isHalf = hasTable && site.getBool("is_neox");
  if (!site.getBool("is_nope_first"))
    site.refuse("is_nope_first", "expected true, since rows here are [latent | "
                                 "pe], got false");
  bool isComplete = site.getBool("compute_all_q_rope", /*byDefault=*/false);
  if (isFloat8(cache) != isFloat8(query))
    site.refuse("q_out",
                "expected f8E4M3FN elements beside a cache of them and "
                "no others, since q_scale applies only then");
  if (site.isRefused())
    return;

  Value table, positions, latentScale, queryScale;
  if (hasTable) {
    Value cos = getHalf(site, "cos_cache", width);
    Value sin = getHalf(site, "sin_cache", width);
    if (!site.isRefused())
      table = joinTables(site, cos, sin);
    positions = site.getTensor("positions", 1);
  }
  if (isFloat8(cache)) {
    latentScale = getScale(site, "k_scale");
    queryScale = getScale(site, "q_scale");
  }
  if (!isComplete && site.isRead("q_out"))
    site.note("writes q_out of a token without a slot, too");
  MLAOpInterface append =
      createOp(site, "append",
               {{"c_kv", kvC},
                {"k_pe", kPe},
                {"q_nope", qNope},
                {"q_pe", qPe},
                {"slots", slots},
                {"cos_sin", table},
                {"positions", positions},
                {"query_scale", queryScale},
                {"latent_scale", latentScale},
                {"pe_scale", latentScale},
                {"query", query},
                {"cache", cache}},
               getRope(site, isHalf ? RopeStyle::Half : RopeStyle::Interleaved,
                       kPe, table));
  if (!append)
    return;
  site.setResult("kv_cache", append.getNamedResult("cache"));
  site.setResult("q_out", append.getNamedResult("query"));
}

static constexpr StringLiteral fusedNames[] = {
    "fused_qk_rope_concat_and_cache_mla",
    "aiter.fused_qk_rope_concat_and_cache_mla"};

ArrayRef<Schema> customcall::getAiterSchemas() {
  static const Schema schemas[] = {{fusedNames, fusedArguments, convertFused}};
  return schemas;
}
