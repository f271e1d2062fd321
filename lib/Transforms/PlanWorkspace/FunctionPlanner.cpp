//===- FunctionPlanner.cpp - The frame of one function --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionPlanner.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// A coefficient above it isn't the size of anything, and sums of such numbers
/// could overflow.
static constexpr int64_t kMaxCoefficient = int64_t(1) << 50;

/// `size`, null where it can't be planned with.
static Size checkSize(Size size) {
  if (!size || llvm::any_of(size->first, [](const auto &term) {
        return term.second > kMaxCoefficient || term.second < -kMaxCoefficient;
      }))
    return nullptr;
  return size;
}

/// Whether the block is the function's only one or runs inside it at a place
/// that a frame can follow.
static bool isPlannable(Block *block) {
  while (true) {
    if (!block->getParent()->hasOneBlock())
      return false;
    Operation *parent = block->getParentOp();
    if (isa<func::FuncOp>(parent))
      return true;
    if (!isa<scf::ForOp, scf::IfOp>(parent))
      return false;
    block = parent->getBlock();
  }
}

unsigned FunctionPlanner::getPosition(Operation *op) {
  if (auto it = positions.find(op); it != positions.end())
    return it->second;
  for (auto [index, each] : llvm::enumerate(*op->getBlock()))
    positions[&each] = index;
  return positions.lookup(op);
}

std::string FunctionPlanner::addAlloc(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  Type element = type.getElementType();
  if (!type.getLayout().isIdentity() || type.getMemorySpace() ||
      !alloc.getSymbolOperands().empty() ||
      !(element.isIndex() ||
        (element.isIntOrFloat() && element.getIntOrFloatBitWidth() % 8 == 0)))
    return "its type isn't one that a view of bytes can have";
  Block *block = alloc->getBlock();
  if (!isPlannable(block))
    return "it isn't in the only block of a function, scf.for or scf.if";
  BufferUses uses = analysis.find(alloc);
  if (uses.escape)
    return uses.reason.str();
  Size bytes = checkSize(reader.readBytes(alloc));
  if (!bytes)
    return "its size isn't known from the function's arguments when it is "
           "called";

  // It lives where all of its uses are: outside of a branch that yields it.
  auto isInside = [&](Operation *op) {
    return block->findAncestorOpInBlock(*op) != nullptr;
  };
  while (!llvm::all_of(uses.accesses, isInside))
    block = block->getParentOp()->getBlock();
  OwnedBuffer buffer;
  buffer.size = bytes;
  buffer.owner = alloc;
  buffer.deallocations = std::move(uses.deallocations);
  buffer.begin = buffer.end = getPosition(block->findAncestorOpInBlock(*alloc));
  for (auto [index, access] : llvm::enumerate(uses.accesses)) {
    Operation *op = block->findAncestorOpInBlock(*access);
    unsigned position = getPosition(op);
    buffer.begin = index ? std::min(buffer.begin, position) : position;
    if (index == 0 || position >= buffer.end) {
      buffer.end = position;
      buffer.lastUse = op;
    }
  }
  buffers[block].push_back(std::move(buffer));
  return {};
}

void FunctionPlanner::collectAllocs() {
  function.walk([&](memref::AllocOp alloc) {
    std::string reason = addAlloc(alloc);
    if (reason.empty())
      return;
    plan.allocates = true;
    remark::missed(
        alloc.getLoc(),
        remark::RemarkOpts::name("own-memory").category(kPlanCategory))
        << "shares no memory: " + reason;
  });
}

Size FunctionPlanner::readFrame(func::CallOp call) {
  const FramePlan &callee = plans.find(call.getCalleeAttr().getAttr())->second;
  return checkSize(sizes.substitute(callee.total, [&](SizeSymbol symbol) {
    Value operand = call.getOperand(symbol.argument);
    return symbol.dim == SizeSymbol::kScalar
               ? reader.read(operand)
               : reader.readDim(operand, symbol.dim);
  }));
}

Size FunctionPlanner::planRegions(Operation *op) {
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    Size none = sizes.constant(0);
    Size onTrue = planBlock(*branch.thenBlock());
    Size onFalse = branch.elseBlock() ? planBlock(*branch.elseBlock()) : none;
    return reader.select(branch.getCondition(), onTrue, onFalse);
  }
  return planBlock(*cast<scf::ForOp>(op).getBody());
}

/// Gives the buffers of a block offsets from the start of the block's frame;
/// returns the frame's size.
Size FunctionPlanner::planBlock(Block &block) {
  std::vector<OwnedBuffer> found;
  auto add = [&](Operation *op, unsigned position, Size size) {
    OwnedBuffer buffer;
    buffer.begin = buffer.end = position;
    buffer.size = size;
    buffer.owner = op;
    found.push_back(std::move(buffer));
  };
  for (auto [index, op] : llvm::enumerate(block)) {
    if (isa<scf::IfOp, scf::ForOp>(op)) {
      if (Size size = planRegions(&op); size != sizes.constant(0))
        add(&op, index, size);
      continue;
    }
    if (auto call = dyn_cast<func::CallOp>(op)) {
      auto it = plans.find(call.getCalleeAttr().getAttr());
      if (it == plans.end())
        continue;
      if (!it->second.isPassed)
        continue;
      if (Size size = readFrame(call))
        add(&op, index, size);
      else
        allocatingCalls.push_back(call);
      continue;
    }
    // Other regions have no frame of their own.
    collectCalls(&op);
  }
  std::vector<OwnedBuffer> &own = buffers[&block];
  own.insert(own.end(), std::make_move_iterator(found.begin()),
             std::make_move_iterator(found.end()));
  SmallVector<Buffer *> placed;
  for (OwnedBuffer &buffer : own)
    placed.push_back(&buffer);
  return placeBuffers(sizes, placed);
}

void FunctionPlanner::addOffset(Block &block, Size base) {
  auto it = buffers.find(&block);
  if (it == buffers.end())
    return;
  for (OwnedBuffer &buffer : it->second) {
    buffer.offset = sizes.add(base, buffer.offset);
    if (isa<scf::IfOp, scf::ForOp>(buffer.owner))
      for (Region &region : buffer.owner->getRegions())
        if (!region.empty())
          addOffset(region.front(), buffer.offset);
  }
}

void FunctionPlanner::collectCalls(Operation *op) {
  op->walk([&](func::CallOp call) {
    if (auto it = plans.find(call.getCalleeAttr().getAttr());
        it != plans.end() && it->second.isPassed)
      allocatingCalls.push_back(call);
  });
}

FramePlan FunctionPlanner::runApart() {
  collectCalls(function);
  allocateAtCalls();
  plan.allocates = true;
  return plan;
}

FramePlan FunctionPlanner::run() {
  collectAllocs();
  Size none = sizes.constant(0);
  if (function.getBody().hasOneBlock()) {
    plan.total = planBlock(function.getBody().front());
    addOffset(function.getBody().front(), none);
  } else {
    collectCalls(function);
  }
  function.walk([&](func::CallOp call) {
    auto it = plans.find(call.getCalleeAttr().getAttr());
    plan.allocates |= it != plans.end() && it->second.allocates;
  });
  allocateAtCalls();
  if (!plan.total || plan.total == none) {
    plan.total = nullptr;
    return plan;
  }

  OpBuilder builder(function.getContext());
  Block &body = function.getBody().front();
  sizesEnd = &body.front();
  auto bytes =
      MemRefType::get({ShapedType::kDynamic}, builder.getIntegerType(8));
  if (options.mayPass) {
    plan.isPassed = true;
    // Any argument can be added: no attribute of the function depends on it.
    (void)function.insertArgument(function.getNumArguments(), bytes, {},
                                  function.getLoc());
    arena = function.getArguments().back();
  } else {
    Value size = writeSize(plan.total);
    builder.setInsertionPoint(sizesEnd);
    arena = memref::AllocOp::create(builder, function.getLoc(), bytes, size);
  }
  unsigned numAllocs = 0;
  for (auto &[block, owned] : buffers)
    for (const OwnedBuffer &buffer : owned) {
      numAllocs += isa<memref::AllocOp>(buffer.owner);
      rewrite(buffer);
    }
  for (Operation *op : replaced)
    op->erase();
  remark::analysis(function.getLoc(),
                   remark::RemarkOpts::name("frame").category(kPlanCategory))
      << std::to_string(numAllocs) + " allocations in " +
             *sizes.print(plan.total,
                          [](SizeSymbol symbol) {
                            std::string name =
                                "arg" + std::to_string(symbol.argument);
                            if (symbol.dim != SizeSymbol::kScalar)
                              name += "[" + std::to_string(symbol.dim) + "]";
                            return std::optional(name);
                          }) +
             " bytes";
  return plan;
}
