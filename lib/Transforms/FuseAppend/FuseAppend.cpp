//===- FuseAppend.cpp - mla-fuse-append -----------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AppendSite.h"
#include "QueryAssembly.h"

#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"

namespace mla {
#define GEN_PASS_DEF_MLAFUSEAPPEND
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;
using namespace mla::detail;

namespace {

/// Halves that wait for another in a block at most: those of the layers that a
/// front end interleaves. It keeps the pass linear.
constexpr size_t kMaxWaiting = 8;

struct FuseAppend : public mla::impl::MLAFuseAppendBase<FuseAppend> {
  using MLAFuseAppendBase::MLAFuseAppendBase;

  void runOnOperation() override {
    recognizeAssemblies();
    SmallVector<SmallVector<AppendOp>> blocks;
    DenseMap<Block *, size_t> indices;
    getOperation()->walk([&](AppendOp op) {
      auto [it, isNew] = indices.try_emplace(op->getBlock(), blocks.size());
      if (isNew)
        blocks.emplace_back();
      blocks[it->second].push_back(op);
    });
    for (ArrayRef<AppendOp> appends : blocks)
      fuseBlock(appends);
    for (Operation *op : recognized)
      if (auto it = assemblies.find(op); it != assemblies.end())
        it->second.restore();
    recognized.clear();
    assemblies.clear();
  }

private:
  void recognizeAssemblies();
  void fuseBlock(ArrayRef<AppendOp> appends);
  void fuseAlone(AppendOp op, const Obstacle *met);
  void fuse(ArrayRef<AppendOp> appends, const FusedAppend &fused);
  static void report(const Obstacle &obstacle);

  /// Appends that were operations of another dialect, until they are fused.
  DenseMap<Operation *, QueryAssembly> assemblies;
  SmallVector<Operation *> recognized;
};

} // namespace

/// Only beside an append that could take the query along: others stay.
void FuseAppend::recognizeAssemblies() {
  llvm::SetVector<Block *> blocks;
  getOperation()->walk([&](AppendOp op) {
    if (op.hasPureTensorSemantics() && isWrite(op))
      blocks.insert(op->getBlock());
  });
  for (Block *block : blocks)
    for (Operation &op : llvm::make_early_inc_range(*block))
      if (std::optional<QueryAssembly> assembly = recognizeQueryAssembly(&op)) {
        recognized.push_back(assembly->append);
        assemblies.try_emplace(assembly->append, *assembly);
      }
}

/// Whether a copy or a rotation is a kernel; a cast of a shape is none.
static bool isLaunch(Operation *op) { return !isa<tensor::CastOp>(op); }

void FuseAppend::fuseBlock(ArrayRef<AppendOp> appends) {
  SmallVector<AppendOp> alone, waiting;
  // Of each half that met others: what was in the way with the nearest.
  DenseMap<Operation *, Obstacle> obstacles;
  for (AppendOp op : appends) {
    bool isHalf =
        op.hasPureTensorSemantics() && (isWrite(op) || isAssembly(op));
    AppendOp partner;
    std::optional<Obstacle> first;
    if (isHalf)
      for (AppendOp other : llvm::reverse(waiting)) {
        if (isWrite(other) == isWrite(op))
          continue;
        auto result = checkFusable({other, op});
        if (auto *fused = std::get_if<FusedAppend>(&result)) {
          fuse({other, op}, *fused);
          partner = other;
          break;
        }
        if (!first)
          first = std::get<Obstacle>(result);
      }
    if (partner) {
      llvm::erase(waiting, partner);
      continue;
    }
    if (first)
      obstacles.try_emplace(op, *first);
    if (!isHalf) {
      alone.push_back(op);
      continue;
    }
    waiting.push_back(op);
    if (waiting.size() > kMaxWaiting) {
      alone.push_back(waiting.front());
      waiting.erase(waiting.begin());
    }
  }
  alone.append(waiting);
  for (AppendOp op : alone) {
    auto it = obstacles.find(op);
    const Obstacle *met = it == obstacles.end() ? nullptr : &it->second;
    if (met)
      report(*met);
    fuseAlone(op, met);
  }
}

/// Fuses what feeds an append that has no other half. `met` is what was in the
/// way of one, null if nothing was; it is not reported twice.
void FuseAppend::fuseAlone(AppendOp op, const Obstacle *met) {
  if (!op.hasPureTensorSemantics() || assemblies.contains(op))
    return;
  auto result = checkFusable(op);
  if (auto *fused = std::get_if<FusedAppend>(&result)) {
    if (!fused->makers.empty())
      fuse(op, *fused);
    return;
  }
  const Obstacle &obstacle = std::get<Obstacle>(result);
  if (!met || met->loc != obstacle.loc || met->text != obstacle.text)
    report(obstacle);
}

void FuseAppend::report(const Obstacle &obstacle) {
  remark::missed(
      obstacle.loc,
      remark::RemarkOpts::name("not-fused").category("mla-fuse-append"))
      << obstacle.text;
}

void FuseAppend::fuse(ArrayRef<AppendOp> appends, const FusedAppend &fused) {
  for (Operation *op : fused.moved)
    op->moveBefore(fused.place);
  OpBuilder builder(fused.place);
  SmallVector<Location> locs;
  for (AppendOp op : appends)
    locs.push_back(op.getLoc());
  AppendOp one = fused.create(builder, builder.getFusedLoc(locs));
  unsigned launches = 0;
  for (AppendOp op : appends) {
    auto assembly = assemblies.find(op);
    launches += assembly == assemblies.end() ? 1 : assembly->second.copies;
    assemblies.erase(op);
    for (StringRef name : {"query", "k_pe_out", "cache"})
      if (Value result = op.getNamedResult(name))
        result.replaceAllUsesWith(one.getNamedResult(name));
    op.erase();
  }
  for (Operation *op : fused.makers) {
    launches += isLaunch(op);
    SmallVector<Value> operands(op->getOperands());
    op->erase();
    for (Value operand : operands)
      if (auto empty = operand.getDefiningOp<tensor::EmptyOp>();
          empty && empty->use_empty())
        empty.erase();
  }
  remark::passed(one.getLoc(),
                 remark::RemarkOpts::name("fused").category("mla-fuse-append"))
      << llvm::formatv("one launch instead of {0}, saves {1}", launches,
                       launches - 1)
             .str();
}
