//===- Workspace.h - Lifetimes and places of buffers ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_PLANWORKSPACE_WORKSPACE_H
#define LIB_TRANSFORMS_PLANWORKSPACE_WORKSPACE_H

#include "Size.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/BitVector.h"

namespace mla::detail {

/// What the runtime's arena aligns and rounds to (runtime/core/Arena.h): a
/// total that isn't a multiple of it would not be what the arena counts.
inline constexpr int64_t kArenaAlignment = 256;

/// Who may touch a buffer, through all its names.
struct BufferUses {
  /// Operations that read or write it; views and queries of shapes don't.
  llvm::SmallVector<mlir::Operation *> accesses;
  /// They mean nothing to an arena.
  llvm::SmallVector<mlir::Operation *> deallocations;
  /// Where it leaves what can be followed, null where it doesn't, and how.
  mlir::Operation *escape = nullptr;
  llvm::StringRef reason;
};

/// Follows a buffer through views, loops, branches and calls.
class UseAnalysis {
public:
  BufferUses find(mlir::Value buffer);
  /// Remembers which arguments `function` lets escape, for its calls; what it
  /// calls comes first. Functions that were never seen let all escape.
  void summarize(mlir::func::FuncOp function);

private:
  llvm::DenseMap<mlir::StringAttr, llvm::BitVector> escaping;
};

/// Bytes that are needed from one operation of a block to another.
struct Buffer {
  unsigned begin = 0, end = 0; ///< positions in the block, both included
  Size size = nullptr;
  Size offset = nullptr; ///< set by placeBuffers
};

/// Places buffers so that those that are needed at one time don't overlap;
/// returns the bytes for all. Takes time that is linear in the buffers for any
/// number of them at one time.
Size placeBuffers(Sizes &sizes, llvm::MutableArrayRef<Buffer *> buffers);

} // namespace mla::detail

#endif // LIB_TRANSFORMS_PLANWORKSPACE_WORKSPACE_H
