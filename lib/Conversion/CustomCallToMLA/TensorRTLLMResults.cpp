//===- TensorRTLLMResults.cpp - Results that no operation of mla has ------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorRTLLM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mla;
using namespace mla::customcall;

// A loop rather than a scan or a tensor.generate: it bufferizes to loads and
// stores.
Value Generation::buildSums(
    RankedTensorType type,
    function_ref<Value(OpBuilder &, Location, Value)> getCount) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value none = arith::ConstantIntOp::create(builder, loc, 0, 32);
  Value end = createIndex(sequences);
  SmallVector<Value> sizes;
  if (type.isDynamicDim(0))
    sizes.push_back(arith::AddIOp::create(builder, loc, end, one));
  Value sums = tensor::EmptyOp::create(builder, loc, type, sizes);
  sums = tensor::InsertOp::create(builder, loc, none, sums, zero);
  auto loop = scf::ForOp::create(
      builder, loc, zero, end, one, ValueRange{sums, none},
      [&](OpBuilder &b, Location at, Value i, ValueRange state) {
        Value count = getCount(b, at, i);
        Value sum = arith::AddIOp::create(b, at, state[1], count);
        Value next = arith::AddIOp::create(b, at, i, one);
        Value stored = tensor::InsertOp::create(b, at, sum, state[0], next);
        scf::YieldOp::create(b, at, ValueRange{stored, sum});
      });
  return loop.getResult(0);
}

Value Generation::buildMultiples(RankedTensorType type, int64_t step) {
  Value count = arith::ConstantIntOp::create(builder, loc, step, 32);
  return buildSums(type, [&](OpBuilder &, Location, Value) { return count; });
}

RankedTensorType Generation::getOffsetsType(StringRef argument) {
  Value value = site.getTensor(argument, 1);
  auto type =
      value ? cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (type && type.getElementType().isSignlessInteger(32))
    return type;
  site.refuse(argument, "expected elements of type i32");
  return {};
}

/// What only TensorRT-LLM's attention reads, where somebody does.
void Generation::buildLengths() {
  if (!site.isRefused() && site.isRead("cu_q_seqlens")) {
    // In rows of a query whose heads are rows.
    int64_t rows =
        newTokens * cast<RankedTensorType>(query.getType()).getDimSize(1);
    if (rows > INT32_MAX)
      site.refuse("cu_q_seqlens", "expected rows that i32 can count");
    else if (RankedTensorType type = getOffsetsType("cu_q_seqlens"))
      site.setResult("cu_q_seqlens", buildMultiples(type, rows));
  }
  if (!site.isRefused() && site.isRead("fmha_scheduler_counter"))
    if (RankedTensorType type = getOffsetsType("fmha_scheduler_counter")) {
      if (!type.hasStaticShape())
        return site.refuse("fmha_scheduler_counter",
                           "expected a static size, got a dynamic one");
      site.setResult(
          "fmha_scheduler_counter",
          arith::ConstantOp::create(
              builder, loc,
              DenseElementsAttr::get(type, builder.getI32IntegerAttr(0))));
    }
  if (!site.isRefused() && site.isRead("cu_kv_seqlens"))
    if (RankedTensorType type = getOffsetsType("cu_kv_seqlens"))
      site.setResult("cu_kv_seqlens",
                     buildSums(type, [&](OpBuilder &b, Location at, Value i) {
                       return tensor::ExtractOp::create(b, at, lens, i);
                     }));
}

/// Factors of the attention's two products; written for fp8 only.
void Generation::buildScales() {
  for (StringRef name : {"mla_bmm1_scale", "mla_bmm2_scale"})
    if (!site.isRefused() && !isFp8)
      site.setResult(name, site.getValue(name));
  bool first = site.isRead("mla_bmm1_scale"),
       second = site.isRead("mla_bmm2_scale");
  if (site.isRefused() || !isFp8 || !(first || second))
    return;
  auto read = [&](StringRef argument) -> Value {
    Value scale = getScale(site, argument);
    return scale ? tensor::ExtractOp::create(builder, loc, scale).getResult()
                 : Value();
  };
  auto constant = [&](double value) {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getF32FloatAttr(value));
  };
  auto multiply = [&](Value a, Value b) {
    return arith::MulFOp::create(builder, loc, a, b);
  };
  Value scale = read("kv_scale_quant_orig");
  if (site.isRefused())
    return;
  if (first) {
    double width = site.getInteger("qk_nope_head_dim") + pe;
    double scaling = site.getFloat("q_scaling");
    if (site.isRefused())
      return;
    if (!(scaling > 0) || !(width > 0))
      return site.refuse("q_scaling", "expected positive widths and factors");
    Value logits = multiply(multiply(scale, scale),
                            constant(1 / (scaling * std::sqrt(width))));
    Value ofTwo = multiply(logits, constant(llvm::numbers::log2e));
    site.setResult("mla_bmm1_scale",
                   tensor::FromElementsOp::create(builder, loc,
                                                  ValueRange{logits, ofTwo}));
  }
  if (!second)
    return;
  Value out = site.getValue("out_scale") ? read("out_scale") : Value();
  if (site.isRefused())
    return;
  site.setResult("mla_bmm2_scale",
                 tensor::FromElementsOp::create(
                     builder, loc, out ? Value(multiply(out, scale)) : scale));
}
