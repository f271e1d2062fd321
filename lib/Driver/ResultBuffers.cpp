//===- ResultBuffers.cpp - Results stay in the buffers that they have -----===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ResultBuffers.h"

#include "mla/Transforms/Entries.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mla;

static Operation *getTerminator(func::FuncOp function) {
  return function.getBody().front().getTerminator();
}

ResultBuffers::ResultBuffers(ModuleOp module) : module(module) {
  SymbolTable symbols(module);
  DestinationFlow flow(symbols);
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!isEntry(function) || !function.getBody().hasOneBlock())
      continue;
    SmallVector<BlockArgument> &roots = entries[function];
    for (Value value : getTerminator(function)->getOperands())
      roots.push_back(flow.getRoot(value));
  }
}

/// Writes `value` to `destination`.
static Value store(OpBuilder &builder, Value value, Value destination) {
  Location loc = value.getLoc();
  Type type = value.getType(), stored = destination.getType();
  if (type != stored)
    value = tensor::CastOp::create(builder, loc, stored, value);
  value = bufferization::MaterializeInDestinationOp::create(builder, loc, value,
                                                            destination)
              .getResult();
  return type == stored ? value
                        : tensor::CastOp::create(builder, loc, type, value);
}

void ResultBuffers::restore() {
  module.getContext()->loadDialect<bufferization::BufferizationDialect>();
  SymbolTable symbols(module);
  DestinationFlow flow(symbols);
  for (auto &[function, roots] : entries) {
    Operation *terminator = getTerminator(function);
    OpBuilder builder(terminator);
    // A value that is returned twice is written once.
    DenseMap<std::pair<Value, Value>, Value> stored;
    for (auto [operand, root] :
         llvm::zip_equal(terminator->getOpOperands(), roots)) {
      Value value = operand.get();
      if (!root || flow.getRoot(value) == root)
        continue;
      Value &result = stored[{value, root}];
      if (!result)
        result = store(builder, value, root);
      operand.set(result);
    }
  }
}
