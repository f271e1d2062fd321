//===- SizeWriter.cpp - From sizes to values of a function ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SizeReader.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

Value SizeWriter::writeAtom(OpBuilder &builder, Location loc, Sizes &sizes,
                            unsigned number, Resolve resolve) {
  if (Value value = writtenAtoms.lookup(number))
    return value;
  SizeAtom atom = sizes.getAtom(number);
  SmallVector<Value> operands;
  for (Size operand : atom.operands)
    operands.push_back(write(builder, loc, sizes, operand, resolve));
  Value value;
  switch (atom.kind) {
  case SizeAtom::Kind::Symbol:
    value = resolve(builder, atom.symbol);
    break;
  case SizeAtom::Kind::Group:
    value = operands[0];
    break;
  case SizeAtom::Kind::Divide:
    // Written ahead of the conditions under which it was computed: it mustn't
    // trap where they don't hold.
    if (sizes.getLowerBound(atom.operands[1]) < 1)
      operands[1] = arith::MaxUIOp::create(
          builder, loc, operands[1],
          arith::ConstantIndexOp::create(builder, loc, 1));
    value = atom.isSigned
                ? arith::DivSIOp::create(builder, loc, operands[0], operands[1])
                      .getResult()
                : arith::DivUIOp::create(builder, loc, operands[0], operands[1])
                      .getResult();
    break;
  case SizeAtom::Kind::Max:
  case SizeAtom::Kind::Min: {
    bool isMax = atom.kind == SizeAtom::Kind::Max;
    value = operands[0];
    for (Value operand : llvm::drop_begin(operands)) {
      if (isMax && atom.isSigned)
        value = arith::MaxSIOp::create(builder, loc, value, operand);
      else if (isMax)
        value = arith::MaxUIOp::create(builder, loc, value, operand);
      else if (atom.isSigned)
        value = arith::MinSIOp::create(builder, loc, value, operand);
      else
        value = arith::MinUIOp::create(builder, loc, value, operand);
    }
    break;
  }
  case SizeAtom::Kind::Select:
    value = arith::SelectOp::create(
        builder, loc,
        arith::CmpIOp::create(builder, loc, atom.predicate, operands[0],
                              operands[1]),
        operands[2], operands[3]);
    break;
  }
  return writtenAtoms[number] = value;
}

Value SizeWriter::write(OpBuilder &builder, Location loc, Sizes &sizes,
                        Size size, Resolve resolve) {
  if (Value value = written.lookup(size))
    return value;
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value sum;
  auto add = [&](Value value) {
    sum = sum ? arith::AddIOp::create(builder, loc, sum, value) : value;
  };
  for (const auto &[factors, coefficient] : size->first) {
    Value product;
    for (unsigned number : factors) {
      Value factor = writeAtom(builder, loc, sizes, number, resolve);
      product = product ? arith::MulIOp::create(builder, loc, product, factor)
                        : factor;
    }
    if (!product)
      product = constant(coefficient);
    else if (coefficient != 1)
      product =
          arith::MulIOp::create(builder, loc, product, constant(coefficient));
    add(product);
  }
  if (!sum)
    sum = constant(0);
  return written[size] = sum;
}
