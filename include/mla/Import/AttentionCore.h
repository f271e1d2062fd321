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
#include "llvm/Support/Error.h"

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

/// Layers of a function, at most.
constexpr int64_t kMaxLayers = 1024;
/// Stands for as many layers as the model has.
constexpr int64_t kAllLayers = 0;

/// What a model leaves open: a function is made for every combination.
struct AttentionCoreOptions {
  llvm::SmallVector<CoreDtype> dtypes = {CoreDtype::BF16};
  llvm::SmallVector<CacheFormat> caches = {CacheFormat::Same};
  llvm::SmallVector<int64_t> pageSizes = {64};
  /// Empty: the model's own number. A rank of a tensor-parallel group has a
  /// part.
  llvm::SmallVector<int64_t> numHeads;
  /// Layers in one function, of at most kMaxLayers, or kAllLayers until
  /// resolveNumLayers: each has operands of its own and the batch in common.
  llvm::SmallVector<int64_t> numLayers = {1};
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

/// "all", or a number of layers of 1 to kMaxLayers; nullopt for other words.
std::optional<int64_t> parseNumLayers(llvm::StringRef word);

/// Puts the model's number of layers for kAllLayers; of equal numbers one
/// stays. An error is one sentence that starts with `place`.
llvm::Error resolveNumLayers(const AttentionCoreSpec &spec,
                             llvm::StringRef place,
                             AttentionCoreOptions &options);

/// A module of public functions, one a combination of the options. A function
/// is called `name`, with `_<dtype>_p<page size>_h<heads>` when dtypes, page
/// sizes or numbers of heads are several, `_<cache>` when caches are,
/// `_context` or `_generation` when phases are, and `_l<layers>` when numbers
/// of layers are. Its arguments, with the attributes mla.name, mla.role and
/// mla.dims, are the operands of its one mla.attention in their order; it
/// returns the operation's two results. L must be a multiple of 128 for
/// CacheFormat::FP8Block.
///
/// With several layers there is a mla.attention for each. Then come, in this
/// order: what all share (page_table, kv_lens, cu_q, cos_sin, positions, the
/// scalars); the inputs of layer 0, called q_0, c_kv_0 and so on, of layer 1,
/// ...; the destinations out_0, cache_0, out_1, ... It returns the results of
/// the layers in the same order. A model computes q_1 from out_0, so serving
/// takes entries of one layer; one of several is for who has all queries at
/// once: to measure a step, and to see what passes do to it.
mlir::OwningOpRef<mlir::ModuleOp>
buildAttentionCore(mlir::MLIRContext *context, const AttentionCoreSpec &spec,
                   const AttentionCoreOptions &options = {});

} // namespace mla

#endif // MLA_IMPORT_ATTENTIONCORE_H
