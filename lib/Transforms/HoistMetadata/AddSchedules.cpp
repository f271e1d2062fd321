//===- AddSchedules.cpp - Schedules for attention without one -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Decompose/HostArithmetic.h"
#include "Metadata.h"

#include "mla/IR/DimSolver.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

namespace {

/// Counts attentions that could share schedules, as they run: one, or two for
/// more than one.
class RunCounts {
public:
  explicit RunCounts(ArrayRef<Callable> callables) {
    for (const Callable &callable : callables) {
      func::FuncOp function = callable.function;
      runs[function.getSymNameAttr()] = count(function.getBody());
    }
  }

  unsigned lookup(func::FuncOp function) {
    return runs.lookup(function.getSymNameAttr());
  }

private:
  unsigned count(Region &region);

  DenseMap<StringAttr, unsigned> runs;
};

} // namespace

static bool wantsSchedule(AbsorbedAttentionOp op) {
  return op.hasPureTensorSemantics() && !op.getSchedule() && !op.getIndices();
}

unsigned RunCounts::count(Region &region) {
  unsigned sum = 0;
  for (Block &block : region)
    for (Operation &op : block) {
      if (auto attention = dyn_cast<AbsorbedAttentionOp>(op)) {
        sum += wantsSchedule(attention);
      } else if (auto call = dyn_cast<func::CallOp>(op)) {
        sum += runs.lookup(call.getCalleeAttr().getAttr());
      } else {
        unsigned nested = 0;
        for (Region &inner : op.getRegions())
          nested = isa<scf::IfOp>(op) ? std::max(nested, count(inner))
                                      : nested + count(inner);
        sum += isLoop(&op) ? 2 * nested : nested;
      }
      sum = std::min(sum, 2u);
    }
  return sum;
}

/// Gives `op` a schedule of its own. Its heads and its page size are part of
/// what it is made for, so they have to be known.
static void addSchedule(AbsorbedAttentionOp op) {
  FailureOr<DimSizes> sizes =
      solveDims(cast<MLAOpInterface>(op.getOperation()));
  if (failed(sizes))
    return;
  std::optional<int64_t> heads = sizes->lookup("H");
  std::optional<int64_t> pageSize = sizes->lookup("P");
  std::optional<int64_t> known = sizes->lookup("B");
  if (!heads || *heads <= 0 || !pageSize || *pageSize <= 0 ||
      known.value_or(0) > std::numeric_limits<int32_t>::max())
    return;
  OpBuilder builder(op);
  Location loc = op.getLoc();
  HostArithmetic host(builder, loc);
  OpFoldResult sequences =
      known ? host.constant(*known)
            : tensor::getMixedSize(builder, loc, op.getKvLens(), 0);
  // MLA_SCHEDULE_SIZE of the runtime's ABI.
  OpFoldResult size =
      host.add(host.mul(sequences, host.constant(2)), host.constant(4096 + 2));
  auto plan = tensor::EmptyOp::create(builder, loc, ArrayRef(size),
                                      builder.getI32Type());
  auto schedule =
      ScheduleOp::create(builder, loc, TypeRange(plan.getType()),
                         op.getKvLens(), op.getCuQ(), plan, *heads, *pageSize);
  op.getScheduleMutable().assign(schedule->getResult(0));
}

void mla::detail::addSchedules(ArrayRef<Callable> callables) {
  RunCounts runs(callables);
  DenseSet<Operation *> isShared;
  for (const Callable &callable : llvm::reverse(callables)) {
    func::FuncOp function = callable.function;
    bool shared =
        runs.lookup(function) > 1 || callable.isRecursive ||
        llvm::any_of(callable.calls, [&](func::CallOp call) {
          return isShared.contains(call->getParentOfType<func::FuncOp>());
        });
    if (!shared)
      continue;
    isShared.insert(function);
    SmallVector<AbsorbedAttentionOp> attentions;
    function.walk([&](AbsorbedAttentionOp op) {
      if (wantsSchedule(op))
        attentions.push_back(op);
    });
    for (AbsorbedAttentionOp op : attentions)
      addSchedule(op);
  }
}
