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

Value Generation::buildMultiples(RankedTensorType type, int64_t step) {
  SmallVector<Value> sizes;
  if (type.isDynamicDim(0))
    sizes.push_back(
        arith::AddIOp::create(builder, loc, createIndex(sequences),
                              arith::ConstantIndexOp::create(builder, loc, 1)));
  return tensor::GenerateOp::create(
      builder, loc, type, sizes, [&](OpBuilder &b, Location at, ValueRange i) {
        Value by = arith::ConstantIndexOp::create(b, at, step);
        Value product = arith::MulIOp::create(b, at, i[0], by);
        tensor::YieldOp::create(
            b, at, arith::IndexCastOp::create(b, at, b.getI32Type(), product));
      });
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
  if (!site.isRefused() && site.isRead("cu_q_seqlens"))
    if (RankedTensorType type = getOffsetsType("cu_q_seqlens"))
      // In rows of a query whose heads are rows.
      site.setResult(
          "cu_q_seqlens",
          buildMultiples(
              type, newTokens *
                        cast<RankedTensorType>(query.getType()).getDimSize(1)));
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
  if (site.isRefused() || !site.isRead("cu_kv_seqlens"))
    return;
  RankedTensorType type = getOffsetsType("cu_kv_seqlens");
  if (!type)
    return;
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value count = createIndex(sequences);
  Value none = arith::ConstantIntOp::create(builder, loc, 0, 32);
  SmallVector<Value> sizes;
  if (type.isDynamicDim(0))
    sizes.push_back(arith::AddIOp::create(builder, loc, count, one));
  Value sums = tensor::EmptyOp::create(builder, loc, type, sizes);
  sums = tensor::InsertOp::create(builder, loc, none, sums, zero);
  auto loop = scf::ForOp::create(
      builder, loc, zero, count, one, ValueRange{sums, none},
      [&](OpBuilder &b, Location at, Value i, ValueRange state) {
        Value length = tensor::ExtractOp::create(b, at, lens, i);
        Value sum = arith::AddIOp::create(b, at, state[1], length);
        Value next = arith::AddIOp::create(b, at, i, one);
        Value stored = tensor::InsertOp::create(b, at, sum, state[0], next);
        scf::YieldOp::create(b, at, ValueRange{stored, sum});
      });
  site.setResult("cu_kv_seqlens", loop.getResult(0));
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
