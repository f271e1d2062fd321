//===- HoistMetadata.cpp - mla-hoist-metadata -----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Metadata.h"

#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"

namespace mla {
#define GEN_PASS_DEF_MLAHOISTMETADATA
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;
using namespace mla::detail;

namespace {

/// Operations that callers take over from a function at most. Where each call
/// passes other lengths they add up from callers to theirs, and functions that
/// call another twice are exponentially many calls.
constexpr size_t kMaxTakenOver = 16;

struct HoistMetadata : public mla::impl::MLAHoistMetadataBase<HoistMetadata> {
  using MLAHoistMetadataBase::MLAHoistMetadataBase;

  void runOnOperation() override;

private:
  void hoist(const Callable &callable);
  static SmallVector<Operation *> selectLeaving(const Callable &callable,
                                                ArrayRef<Operation *> ops);
  static void passAsArguments(const Callable &callable,
                              ArrayRef<Operation *> ops);
};

} // namespace

static void reportStay(Operation *op, StringRef reason) {
  remark::missed(
      op->getLoc(),
      remark::RemarkOpts::name("not-hoisted").category("mla-hoist-metadata"))
      << reason;
}

namespace {

/// How many of each operation there are.
struct Counts {
  size_t slotMappings, schedules;

  explicit Counts(ArrayRef<Operation *> ops)
      : slotMappings(llvm::count_if(ops, llvm::IsaPred<SlotMappingOp>)),
        schedules(ops.size() - slotMappings) {}
};

} // namespace

static void reportCounts(func::FuncOp function, Counts before, Counts after) {
  if (before.slotMappings == after.slotMappings &&
      before.schedules == after.schedules)
    return;
  remark::passed(
      function.getLoc(),
      remark::RemarkOpts::name("hoisted").category("mla-hoist-metadata"))
      << llvm::formatv("{0} of {1} slot_mapping and {2} of {3} schedule stay",
                       after.slotMappings, before.slotMappings, after.schedules,
                       before.schedules)
             .str();
}

SmallVector<Operation *>
HoistMetadata::selectLeaving(const Callable &callable,
                             ArrayRef<Operation *> ops) {
  func::FuncOp function = callable.function;
  SmallVector<Operation *> leaving;
  if (callable.calls.empty())
    return leaving;
  for (Operation *op : ops) {
    // A branch may not be taken, where it isn't one of many that are alike.
    if (op->getBlock() != &function.getBody().front() && !callable.isRepeated)
      continue;
    std::string reason = findObstacle(callable, op);
    if (reason.empty())
      leaving.push_back(op);
    else
      reportStay(op, reason);
  }
  if (leaving.size() <= kMaxTakenOver)
    return leaving;
  for (Operation *op : leaving)
    reportStay(
        op, llvm::formatv("(H4) expected at most {0} operations that callers "
                          "take over, got {1}",
                          kMaxTakenOver, leaving.size())
                .str());
  return {};
}

void HoistMetadata::hoist(const Callable &callable) {
  func::FuncOp function = callable.function;
  SmallVector<Operation *> ops;
  function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    // What is isolated can't use what others compute.
    if (op->hasTrait<OpTrait::IsIsolatedFromAbove>())
      return WalkResult::skip();
    if (isMetadata(op) && !op->use_empty())
      ops.push_back(op);
    return WalkResult::advance();
  });
  if (ops.empty())
    return;
  if (!isStructured(function)) {
    for (Operation *op : ops)
      reportStay(op, "expected regions of one block, got one of several");
    return;
  }
  Counts before(ops);
  ops = mergeMetadata(function, ops);
  for (Operation *op : ops)
    if (std::string reason = findLoopObstacle(op); !reason.empty())
      reportStay(op, reason);
  SmallVector<Operation *> leaving = selectLeaving(callable, ops);
  llvm::erase_if(
      ops, [&](Operation *op) { return llvm::is_contained(leaving, op); });
  reportCounts(function, before, Counts(ops));
  if (!leaving.empty())
    passAsArguments(callable, leaving);
}

/// Makes the results of `ops` arguments, which all callers compute.
void HoistMetadata::passAsArguments(const Callable &callable,
                                    ArrayRef<Operation *> ops) {
  func::FuncOp function = callable.function;
  llvm::SetVector<Operation *> computed;
  for (Operation *op : ops) {
    computed.insert_range(collectProducers(op));
    computed.insert(op);
  }
  // Of what callers compute, the function does without `ops` and what only they
  // need.
  DenseSet<Operation *> gone(ops.begin(), ops.end());
  auto isGone = [&](Operation *op) { return gone.contains(op); };
  for (Operation *op : llvm::reverse(computed))
    if (llvm::all_of(op->getUsers(), isGone))
      gone.insert(op);
  SmallVector<Value> passed;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (!llvm::all_of(result.getUsers(), isGone))
        passed.push_back(result);

  for (func::CallOp call : callable.calls) {
    OpBuilder builder(call);
    IRMapping mapping;
    mapping.map(function.getArguments(), call.getOperands());
    for (Operation *op : computed)
      builder.clone(*op, mapping);
    SmallVector<Value> operands(call.getOperands());
    for (Value value : passed)
      operands.push_back(mapping.lookup(value));
    call.getOperandsMutable().assign(operands);
    if (ArrayAttr attributes = call.getArgAttrsAttr()) {
      SmallVector<Attribute> all(attributes.getValue());
      all.resize(operands.size(), builder.getDictionaryAttr({}));
      call.setArgAttrsAttr(builder.getArrayAttr(all));
    }
  }

  for (Value value : passed) {
    unsigned index = function.getNumArguments();
    if (failed(function.insertArgument(index, value.getType(), DictionaryAttr(),
                                       value.getLoc())))
      llvm_unreachable("a func.func takes any argument");
    value.replaceAllUsesWith(function.getArgument(index));
  }
  for (Operation *op : llvm::reverse(computed))
    if (gone.contains(op))
      op->erase();
}

void HoistMetadata::runOnOperation() {
  bool isNeeded = false;
  getOperation().walk([&](Operation *op) {
    isNeeded |= isMetadata(op) || isa<AbsorbedAttentionOp>(op);
  });
  if (!isNeeded)
    return;
  SmallVector<Callable> callables = collectCallables(getOperation());
  if (schedule)
    addSchedules(callables);
  for (const Callable &callable : callables)
    hoist(callable);
}
