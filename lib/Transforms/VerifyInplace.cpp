//===- VerifyInplace.cpp - mla-verify-inplace -----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/MLAOps.h"
#include "mla/Transforms/Entries.h"
#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mla {
#define GEN_PASS_DEF_MLAVERIFYINPLACE
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;

/// What `value` is a view of.
static Value getBase(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
    value = view.getViewSource();
  return value;
}

namespace {

/// All values of a module that are a cache or a view of one.
class CacheValues {
public:
  explicit CacheValues(ModuleOp module);

  /// The function argument that `value` comes from, null when it is no cache's.
  BlockArgument getCache(Value value) const { return caches.lookup(value); }
  ArrayRef<memref::CopyOp> getCopies() const { return copies; }

private:
  void add(Value value, BlockArgument cache) {
    if (isa<BaseMemRefType>(value.getType()) &&
        caches.try_emplace(value, cache).second)
      worklist.push_back(value);
  }
  void addSeeds(func::FuncOp function);
  void follow(OpOperand &use, BlockArgument cache);

  SymbolTable symbols;
  DenseMap<Operation *, SmallVector<func::CallOp>> calls;
  DenseMap<Value, BlockArgument> caches;
  SmallVector<Value> worklist;
  /// Copies of a cache to an allocation.
  SmallVector<memref::CopyOp> copies;
};

} // namespace

CacheValues::CacheValues(ModuleOp module) : symbols(module) {
  module.walk([&](func::CallOp call) {
    if (auto callee = symbols.lookup<func::FuncOp>(call.getCallee()))
      calls[callee].push_back(call);
  });
  for (auto function : module.getOps<func::FuncOp>())
    addSeeds(function);
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    for (OpOperand &use : value.getUses())
      follow(use, getCache(value));
  }
}

void CacheValues::addSeeds(func::FuncOp function) {
  if (function.isExternal())
    return;
  if (isEntry(function))
    for (BlockArgument argument : function.getArguments()) {
      auto role = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                        MLADialect::kRoleAttr);
      if (role && role == "inout")
        add(argument, argument);
    }
  auto addArgument = [&](Value value) {
    auto argument = dyn_cast<BlockArgument>(getBase(value));
    if (argument && argument.getOwner()->getParentOp() == function)
      add(argument, argument);
  };
  function.walk([&](MLAOpInterface op) {
    Value cache = op.getNamedOperand("cache");
    if (!cache)
      return;
    addArgument(cache);
    // A read-only argument may have been copied to become one.
    if (auto alloc = getBase(cache).getDefiningOp<memref::AllocOp>())
      for (Operation *user : alloc->getUsers())
        if (auto copy = dyn_cast<memref::CopyOp>(user))
          addArgument(copy.getSource());
  });
}

void CacheValues::follow(OpOperand &use, BlockArgument cache) {
  Operation *user = use.getOwner();
  if (auto copy = dyn_cast<memref::CopyOp>(user)) {
    if (copy.getSource() == use.get() &&
        getBase(copy.getTarget()).getDefiningOp<memref::AllocOp>())
      copies.push_back(copy);
  } else if (auto view = dyn_cast<ViewLikeOpInterface>(user)) {
    if (view.getViewSource() == use.get())
      for (Value result : user->getResults())
        add(result, cache);
  } else if (auto loop = dyn_cast<scf::ForOp>(user)) {
    if (OpResult result = loop.getTiedLoopResult(&use)) {
      add(loop.getTiedLoopRegionIterArg(&use), cache);
      add(result, cache);
    }
  } else if (isa<scf::YieldOp>(user)) {
    if (auto loop = dyn_cast<scf::ForOp>(user->getParentOp()))
      add(loop.getRegionIterArg(use.getOperandNumber()), cache);
    if (isa<scf::ForOp, scf::IfOp>(user->getParentOp()))
      add(user->getParentOp()->getResult(use.getOperandNumber()), cache);
  } else if (auto select = dyn_cast<arith::SelectOp>(user)) {
    add(select.getResult(), cache);
  } else if (auto call = dyn_cast<func::CallOp>(user)) {
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    if (callee && !callee.isExternal())
      add(callee.getArgument(use.getOperandNumber()), cache);
  } else if (isa<func::ReturnOp>(user)) {
    for (func::CallOp call : calls.lookup(user->getParentOp()))
      add(call.getResult(use.getOperandNumber()), cache);
  }
}

/// The first operation after `copy`, in the order of execution, that `isUse`
/// holds of; null when there is none.
static Operation *findNext(Operation *copy,
                           function_ref<bool(Operation *)> isUse) {
  Operation *found = nullptr;
  auto find = [&](Operation *op) {
    if (op == copy || !isUse(op))
      return WalkResult::advance();
    found = op;
    return WalkResult::interrupt();
  };
  // From the innermost block outwards: what follows; and around a loop, its
  // body once more.
  for (Operation *op = copy; !isa<func::FuncOp>(op); op = op->getParentOp()) {
    for (Operation *next = op->getNextNode(); next; next = next->getNextNode())
      if (next->walk<WalkOrder::PreOrder>(find).wasInterrupted())
        return found;
    if (auto loop = dyn_cast<LoopLikeOpInterface>(op->getParentOp()))
      for (Region *body : loop.getLoopRegions())
        if (body->walk<WalkOrder::PreOrder>(find).wasInterrupted())
          return found;
  }
  return nullptr;
}

/// The operation that made `copy` necessary, because it reads the cache's value
/// from before a write; null when none did.
static Operation *findReader(memref::CopyOp copy, const CacheValues &values) {
  BlockArgument cache = values.getCache(copy.getSource());
  auto isBuffer = [&](Value value) { return values.getCache(value) == cache; };
  Operation *next = findNext(copy, [&](Operation *op) {
    if (isa<ViewLikeOpInterface, memref::DimOp>(op))
      return false;
    if (auto other = dyn_cast<memref::CopyOp>(op))
      return isBuffer(other.getSource());
    return llvm::any_of(op->getOperands(), isBuffer);
  });
  auto dpsOp = dyn_cast_or_null<DestinationStyleOpInterface>(next);
  if (!dpsOp || llvm::none_of(dpsOp.getDpsInits(), isBuffer))
    return next;
  // The buffer itself is written, so the copy is what keeps the old value.
  Value kept = getBase(copy.getTarget());
  return findNext(copy, [&](Operation *op) {
    return !isa<ViewLikeOpInterface, memref::DimOp>(op) &&
           llvm::any_of(op->getOperands(), [&](Value operand) {
             return getBase(operand) == kept;
           });
  });
}

namespace {

struct VerifyInplace : public mla::impl::MLAVerifyInplaceBase<VerifyInplace> {
  void runOnOperation() override {
    CacheValues values(getOperation());
    for (memref::CopyOp copy : values.getCopies()) {
      signalPassFailure();
      BlockArgument cache = values.getCache(copy.getSource());
      auto function = cast<func::FuncOp>(cache.getOwner()->getParentOp());
      InFlightDiagnostic diagnostic =
          copy->emitError("mla-verify-inplace: expected the cache ");
      if (auto name = function.getArgAttrOfType<StringAttr>(
              cache.getArgNumber(), MLADialect::kNameAttr))
        diagnostic << name;
      else
        diagnostic << "#" << cache.getArgNumber();
      diagnostic << " of @" << function.getSymName()
                 << " to be written in place, got a copy of it, because ";
      if (Operation *reader = findReader(copy, values)) {
        diagnostic << "'" << reader->getName()
                   << "' reads its value from before the write";
        diagnostic.attachNote(reader->getLoc()) << "the old value's reader";
      } else {
        diagnostic << "it isn't writable";
      }
    }
    markAllAnalysesPreserved();
  }
};

} // namespace
