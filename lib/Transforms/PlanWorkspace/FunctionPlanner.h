//===- FunctionPlanner.h - The frame of one function ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_PLANWORKSPACE_FUNCTIONPLANNER_H
#define LIB_TRANSFORMS_PLANWORKSPACE_FUNCTIONPLANNER_H

#include "SizeReader.h"
#include "Workspace.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mla::detail {

inline constexpr llvm::StringLiteral kPlanCategory = "mla-plan-workspace";

/// What callers need to know of a function.
struct FramePlan {
  /// Bytes that its buffers take, in terms of its arguments; null: none.
  Size total = nullptr;
  /// The caller passes them, as the last argument.
  bool isPassed = false;
  /// It or what it calls takes memory from the arena itself.
  bool allocates = false;
};

struct PlanOptions {
  /// A caller may pass the frame: nothing else but calls names the function.
  bool mayPass = false;
  /// Dims of one name are equal, see SizeReader.
  bool unifiesDims = false;
  /// Fill what is dead with bytes that are NaN in every type.
  bool poisonDead = false;
};

/// Puts the buffers of one function into one frame.
class FunctionPlanner {
public:
  FunctionPlanner(Sizes &sizes, UseAnalysis &analysis,
                  const llvm::DenseMap<mlir::StringAttr, FramePlan> &plans,
                  mlir::func::FuncOp function, PlanOptions options)
      : sizes(sizes), analysis(analysis), plans(plans), function(function),
        options(options), reader(sizes, function, options.unifiesDims) {}

  /// Rewrites the function; its callees have been planned.
  FramePlan run();
  /// Leaves the function its allocations; it allocates the frames of what it
  /// calls, too.
  FramePlan runApart();

private:
  /// A buffer with the operation that has it: an allocation, a call of a
  /// function that takes a frame, or a loop or branch with buffers inside.
  struct OwnedBuffer : Buffer {
    mlir::Operation *owner = nullptr;
    /// The last operation of the block that touches an allocation.
    mlir::Operation *lastUse = nullptr;
    llvm::SmallVector<mlir::Operation *> deallocations;
  };

  void collectAllocs();
  /// Why the allocation stays as it is; empty after it was put into `buffers`.
  std::string addAlloc(mlir::memref::AllocOp alloc);
  Size planBlock(mlir::Block &block);
  Size planRegions(mlir::Operation *op);
  void addOffset(mlir::Block &block, Size base);
  Size readFrame(mlir::func::CallOp call);

  void rewrite(const OwnedBuffer &buffer);
  void rewriteAlloc(const OwnedBuffer &buffer);
  void poison(const OwnedBuffer &buffer, mlir::Type type);
  void collectCalls(mlir::Operation *op);
  void allocateAtCalls();
  /// Bytes from `offset` on of the arena.
  mlir::Value createView(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::MemRefType type, Size offset,
                         mlir::ValueRange sizes);
  mlir::Value writeSize(Size size);
  unsigned getPosition(mlir::Operation *op);

  Sizes &sizes;
  UseAnalysis &analysis;
  const llvm::DenseMap<mlir::StringAttr, FramePlan> &plans;
  mlir::func::FuncOp function;
  PlanOptions options;
  SizeReader reader;
  SizeWriter writer;
  /// By the block in which they live, in order.
  llvm::MapVector<mlir::Block *, std::vector<OwnedBuffer>> buffers;
  llvm::DenseMap<mlir::Operation *, unsigned> positions;
  /// Calls whose frames are allocated where they are.
  llvm::SmallVector<mlir::func::CallOp> allocatingCalls;
  FramePlan plan;
  mlir::Value arena;
  /// Sizes are written before this, the function's first operation.
  mlir::Operation *sizesEnd = nullptr;
  llvm::SetVector<mlir::Operation *> replaced;
};

} // namespace mla::detail

#endif // LIB_TRANSFORMS_PLANWORKSPACE_FUNCTIONPLANNER_H
