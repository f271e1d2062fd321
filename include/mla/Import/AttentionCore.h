//===- AttentionCore.h - A core's description to a module -------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IMPORT_ATTENTIONCORE_H
#define MLA_IMPORT_ATTENTIONCORE_H

#include "mla/Import/AttentionCoreSpec.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <optional>
#include <string>

namespace mla {

enum class CoreDtype { F32, BF16, F16 };
llvm::StringRef stringifyCoreDtype(CoreDtype dtype);
std::optional<CoreDtype> symbolizeCoreDtype(llvm::StringRef name);

/// What the cache's rows hold.
enum class CacheFormat {
  Same,     ///< the type of the activations
  FP8,      ///< f8E4M3FN with a scale a tensor, one for each part of a row
  FP8Query, ///< the same, and the query is quantized too
  FP8Block  ///< i8: f8E4M3FN latents with a scale for 128 columns, 16-bit pe
};
llvm::StringRef stringifyCacheFormat(CacheFormat format);
std::optional<CacheFormat> symbolizeCacheFormat(llvm::StringRef name);

/// What a model leaves open: a function is made for every combination.
struct AttentionCoreOptions {
  llvm::SmallVector<CoreDtype> dtypes = {CoreDtype::BF16};
  llvm::SmallVector<CacheFormat> caches = {CacheFormat::Same};
  llvm::SmallVector<int64_t> pageSizes = {64};
  /// Empty: the model's own number. A rank of a tensor-parallel group has a
  /// part.
  llvm::SmallVector<int64_t> numHeads;
  /// One function for each; nullopt: no phase.
  llvm::SmallVector<std::optional<Phase>> phases = {std::nullopt};
  /// Adds the scalar arguments max_kv, num_generation_seqs and
  /// num_generation_tokens, which say what the host knows of a batch.
  bool hints = false;
  /// Name of the function, the start of the names when there are several.
  std::string name = "attention";
  /// Leaves out the rope attribute, the table and the positions of a model that
  /// states a rotation but doesn't rotate, instead of leaving that to
  /// canonicalization.
  bool dropDeadRope = false;
};

/// A module of public functions, one a combination of the options. A function
/// is called `name`, with `_<dtype>_p<page size>_h<heads>` when dtypes, page
/// sizes or numbers of heads are several, `_<cache>` when caches are, and
/// `_context` or `_generation` when phases are. Its arguments, with the
/// attributes mla.name, mla.role and mla.dims, are the operands of its one
/// mla.attention in their order; it returns the operation's two results. L must
/// be a multiple of 128 for CacheFormat::FP8Block.
mlir::OwningOpRef<mlir::ModuleOp>
buildAttentionCore(mlir::MLIRContext *context, const AttentionCoreSpec &spec,
                   const AttentionCoreOptions &options = {});

} // namespace mla

#endif // MLA_IMPORT_ATTENTIONCORE_H
