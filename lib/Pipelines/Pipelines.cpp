//===- Pipelines.cpp - Pass pipelines -------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Pipelines/Pipelines.h"
#include "mla/Conversion/Passes.h"
#include "mla/Transforms/Passes.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mla;

void mla::buildMLABufferizePipeline(OpPassManager &pm,
                                    const MLAToLLVMOptions &options) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createMLAPrepareEntries());
  MLADecomposeOptions decompose;
  decompose.form = options.form;
  decompose.chunkLength = options.chunkLength;
  pm.addPass(createMLADecompose(decompose));
  pm.addPass(createCanonicalizerPass());
  if (options.fuseAppend)
    pm.addPass(createMLAFuseAppend());
  pm.addPass(createMLAHoistMetadata());
  pm.addPass(createMLAOutlineLayers());
  pm.addPass(createMLABufferEntries());
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addPass(bufferization::createEmptyTensorToAllocTensorPass());
  pm.addPass(createCSEPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  // Inserting a slice into the value that it was taken from has become a copy
  // onto itself, between two equal views until CSE makes them one.
  pm.addPass(createCSEPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createMLAVerifyInplace());
  pm.addPass(createMLAFinalizeEntries());
  pm.addPass(bufferization::createDropEquivalentBufferResultsPass());
  // What a call returned has become what it was passed: the same copies once
  // more.
  pm.addPass(createCanonicalizerPass());
}

void mla::buildMLAToLLVMPipeline(OpPassManager &pm,
                                 const MLAToLLVMOptions &options) {
  buildMLABufferizePipeline(pm, options);
  if (options.planWorkspace) {
    MLAPlanWorkspaceOptions plan;
    plan.poisonDead = options.poisonDead;
    pm.addPass(createMLAPlanWorkspace(plan));
  }
  pm.addPass(createMLAThreadContext());
  pm.addPass(createConvertMLAToRuntime());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void mla::registerPipelines() {
  PassPipelineRegistration<MLAToLLVMOptions>(
      "mla-bufferize",
      "From mla on tensors to mla on buffers, in place, with entries in "
      "destination-passing style",
      buildMLABufferizePipeline);
  PassPipelineRegistration<MLAToLLVMOptions>(
      "mla-to-llvm",
      "From mla on tensors to the LLVM dialect with calls of the MLA runtime",
      buildMLAToLLVMPipeline);
}
