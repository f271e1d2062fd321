//===- Driver.h - From a model's config to a compiled module ------*- C -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What mla-import and mla-compile do. A context gets from these functions what
// it lacks; who parses modules, calls mlaRegisterAllDialects first.
//
// A failure is one sentence to `onError`: what was expected, and what was got.
// Errors that are diagnostics go there, too, "PLACE: SENTENCE", instead of to
// the context's handlers; there may be several then. With a null `onError` the
// context's handlers get all of them.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_C_DRIVER_H
#define MLA_C_DRIVER_H

#include "mla-c/Dialect.h"
#include "mla-c/Pipelines.h"

#ifdef __cplusplus
extern "C" {
#endif

//===----------------------------------------------------------------------===//
// Import
//===----------------------------------------------------------------------===//

/// What a config.json doesn't say. Start from mlaImportOptionsGetDefault().
typedef struct MlaImportOptions {
  /// Name of the function.
  MlirStringRef name;
  /// Type of the activations: f32, bf16 or f16.
  MlirStringRef dtype;
  /// Format of the cache: same, fp8, fp8_query or fp8_block.
  MlirStringRef cache;
  /// Tokens a page of the cache.
  int64_t pageSize;
  /// Query heads; 0: the model's.
  int64_t numHeads;
  /// Layers in the function, 1 to 1024; 0: all of the model's that have latent
  /// attention.
  int64_t numLayers;
  /// Phase of serving; 0: none is stated.
  MlaPhase phase;
  /// Adds the scalar arguments max_kv, num_generation_seqs and
  /// num_generation_tokens: what the host knows of a batch.
  bool hints;
} MlaImportOptions;

/// The function attention of one layer in bf16, with a cache of the same and
/// pages of 64.
MLIR_CAPI_EXPORTED MlaImportOptions mlaImportOptionsGetDefault(void);

/// The attention core of a model from the text of its Hugging Face config.json;
/// null on failure. `place` is what messages call the text. What the model does
/// just outside the core is a remark of the context: a caller who doesn't know
/// of it gets wrong numbers. Null options are the default ones.
MLIR_CAPI_EXPORTED MlirModule mlaImportConfig(MlirContext ctx,
                                              MlirStringRef text,
                                              MlirStringRef place,
                                              const MlaImportOptions *options,
                                              MlirStringCallback onError,
                                              void *userData);

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

/// Makes a module of mla operations a compiled module, of the llvm dialect and
/// in place: its entries, the manifest, and nothing else visible. Null options
/// are the default ones; null callbacks aren't called. `onManifest` gets the
/// manifest, JSON on one line, at once. The environment plays no part.
MLIR_CAPI_EXPORTED MlirLogicalResult mlaLowerModule(
    MlirModule module, const MlaPipelineOptions *options,
    MlirStringCallback onManifest, MlirStringCallback onError, void *userData);

/// What a compiled module is written as.
typedef enum MlaEmitKind {
  MlaEmitKindSharedObject = 1, ///< loaded by mla_module_load
  MlaEmitKindObject = 2,       ///< relocatable, position-independent
  MlaEmitKindLLVM = 3,         ///< LLVM IR, as text
  MlaEmitKindMLIR = 4          ///< the llvm dialect, as text
} MlaEmitKind;

/// The bytes of a module that mlaLowerModule made, at once to `onBytes`, for
/// this machine's architecture. The same module always gives the same bytes. A
/// shared object is linked by the first of cc, gcc and clang on the PATH. Null
/// callbacks aren't called.
MLIR_CAPI_EXPORTED MlirLogicalResult mlaEmitModule(MlirModule module,
                                                   MlaEmitKind kind,
                                                   MlirStringCallback onBytes,
                                                   MlirStringCallback onError,
                                                   void *userData);

#ifdef __cplusplus
}
#endif

#endif // MLA_C_DRIVER_H
