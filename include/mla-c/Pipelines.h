//===- Pipelines.h - Appends the project's pipelines --------------*- C -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_C_PIPELINES_H
#define MLA_C_PIPELINES_H

#include "mlir-c/Pass.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How attention is computed. Start from mlaPipelineOptionsGetDefault().
typedef struct MlaPipelineOptions {
  /// absorbed, expanded or auto.
  MlirStringRef form;
  /// Most keys of a sequence that the expanded form rebuilds at a time; 0: all
  /// at once; -1: the form's default.
  int64_t chunkLength;
} MlaPipelineOptions;

/// The form absorbed.
MLIR_CAPI_EXPORTED MlaPipelineOptions mlaPipelineOptionsGetDefault(void);

/// Appends mla-bufferize: from front ends' tensors up to buffers in place. Null
/// options are the default ones. Options that make no sense and a pass manager
/// of another operation than builtin.module are a failure: `onError`, where it
/// isn't null, gets one sentence, and nothing is appended.
MLIR_CAPI_EXPORTED MlirLogicalResult mlaOpPassManagerAddBufferizePipeline(
    MlirOpPassManager passManager, const MlaPipelineOptions *options,
    MlirStringCallback onError, void *userData);

/// Appends mla-to-llvm: the whole way to the LLVM dialect, with calls of the
/// runtime. As above.
MLIR_CAPI_EXPORTED MlirLogicalResult mlaOpPassManagerAddToLLVMPipeline(
    MlirOpPassManager passManager, const MlaPipelineOptions *options,
    MlirStringCallback onError, void *userData);

#ifdef __cplusplus
}
#endif

#endif // MLA_C_PIPELINES_H
