//===- Pipelines.h - Pass pipelines -----------------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_PIPELINES_PIPELINES_H
#define MLA_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassOptions.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mla {

/// Options of mla-to-llvm.
struct MLAToLLVMOptions : public mlir::PassPipelineOptions<MLAToLLVMOptions> {
  Option<std::string> form{
      *this, "form",
      llvm::cl::desc("Form of attention: absorbed, expanded or auto"),
      llvm::cl::init("absorbed")};
  Option<int64_t> chunkLength{
      *this, "chunk-length",
      llvm::cl::desc("Most keys of a sequence that the expanded form rebuilds "
                     "at a time; 0: all at once; -1: the form's default"),
      llvm::cl::init(-1)};
  Option<bool> fuseAppend{
      *this, "fuse-append",
      llvm::cl::desc("Turn separate rotations, copies and appends into one"),
      llvm::cl::init(true)};
  Option<bool> planWorkspace{
      *this, "plan-workspace",
      llvm::cl::desc("Intermediates share memory where they are not needed at "
                     "one time (mla-to-llvm)"),
      llvm::cl::init(true)};
  Option<bool> poisonDead{
      *this, "poison-dead",
      llvm::cl::desc("Fill shared memory with NaN where nothing needs it"),
      llvm::cl::init(false)};
};

/// Appends everything from front ends' tensors up to buffers in place:
/// canonical form, entries' destinations, decomposition, fusion, bufferization
/// and its check.
void buildMLABufferizePipeline(mlir::OpPassManager &pm,
                               const MLAToLLVMOptions &options);

/// Appends the whole way to the LLVM dialect: the above, then calls of the
/// runtime. Bufferization stays linear in the number of layers: every use has
/// its own tensor.empty until those that can are gone, and CSE, which would
/// merge them, runs only after the rest have become allocations.
void buildMLAToLLVMPipeline(mlir::OpPassManager &pm,
                            const MLAToLLVMOptions &options);

/// Registers both as "mla-bufferize" and "mla-to-llvm".
void registerPipelines();

} // namespace mla

#endif // MLA_PIPELINES_PIPELINES_H
