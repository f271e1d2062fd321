//===- FormBuilder.h - What the forms of attention share --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_DECOMPOSE_FORMBUILDER_H
#define LIB_TRANSFORMS_DECOMPOSE_FORMBUILDER_H

#include "CostModel.h"
#include "HostArithmetic.h"
#include "mla/IR/MLAOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mla::detail {

/// Consecutive sequences of a launch with their tokens, by default all of them.
struct Part {
  /// Sizes and offsets are unset where the part is the launch.
  bool isLaunch = true;
  mlir::OpFoldResult firstToken, tokens, firstSequence, sequences;
};

/// What `append` does to the query; null where it doesn't.
struct QueryParts {
  mlir::Value nope, pe, query;
};

/// The sizes of one mla.attention and the operations that every form of it has.
class FormBuilder {
public:
  /// With `isFine`, what one append does is several operations.
  FormBuilder(mlir::RewriterBase &rewriter, AttentionOp op, bool isFine)
      : rewriter(rewriter), op(op), loc(op.getLoc()), host(rewriter, loc),
        isFine(isFine) {}

  /// Finds the sizes; reports where one that must be static isn't.
  llvm::LogicalResult solveSizes();

  mlir::OpFoldResult getTokens(const Part &part) {
    return part.isLaunch ? tokens : part.tokens;
  }
  mlir::OpFoldResult getSequences(const Part &part);
  /// A bound of the keys of each sequence, at least 1: the hint, where there is
  /// one, and what the page table reaches. Made where it is asked for first.
  mlir::OpFoldResult getMaxKeys();
  bool hasLiveRope() { return static_cast<bool>(op.getLiveRope()); }
  mlir::Type getInputType();

  mlir::Value createEmpty(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                          mlir::Type elementType);
  mlir::Value slice(mlir::Value source,
                    llvm::ArrayRef<mlir::OpFoldResult> offsets,
                    llvm::ArrayRef<mlir::OpFoldResult> sizes);
  /// The part of `source` of these sizes from `offset` on along dimension
  /// `dim`; all of it is the tensor itself.
  mlir::Value sliceColumns(mlir::Value source, int64_t dim, int64_t offset,
                           llvm::ArrayRef<mlir::OpFoldResult> sizes);
  /// `dest` with the part that `slice` is of it replaced by `value`.
  mlir::Value replaceSlice(mlir::Value slice, mlir::Value value,
                           mlir::Value dest);
  /// The rows of the part's tokens in a tensor [T, ...]; null stays null.
  mlir::Value sliceTokens(const Part &part, mlir::Value source);
  /// The rows of the part's sequences in a tensor [B, ...].
  mlir::Value sliceSequences(const Part &part, mlir::Value source);
  /// cu_q of the part: of B+1 elements, and in the launch's count.
  mlir::Value sliceCuQ(const Part &part);

  /// A head's rows of w_kv_b: [H,N,L] for the keys, [H,V,L] for the values.
  mlir::Value getKeyWeights();
  mlir::Value getValueWeights();
  /// The columns of q; the positional ones are null where R = 0.
  mlir::Value getQNope();
  mlir::Value getQPe();

  /// Finds the slots, and the positions where the operation has none.
  void createSlotMapping();
  /// Appends the launch's keys to the cache at these slots and completes the
  /// query; returns the query (null where there is none) and the cache.
  std::pair<mlir::Value, mlir::Value> createAppend(const QueryParts &parts);

  mlir::RewriterBase &rewriter;
  AttentionOp op;
  mlir::Location loc;
  HostArithmetic host;
  AttentionWidths widths;
  int64_t pageSize = 0;
  mlir::OpFoldResult tokens, heads;

private:
  std::pair<mlir::Value, mlir::Value>
  createFineAppends(const QueryParts &parts);
  /// The attributes that an append has from the operation.
  void setAppendAttributes(AppendOp append);
  /// `x` rotated, as elements of `type`.
  mlir::Value rotate(mlir::Value x, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                     mlir::Type type);
  /// `x` as elements of `type`, which holds all of them; null stays null.
  mlir::Value widen(mlir::Value x, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                    mlir::Type type);

  bool isFine;
  mlir::OpFoldResult sequences, maxKeys;
  mlir::Value slots, positions;
};

/// Replaces the operation by its absorbed form.
void buildAbsorbedForm(FormBuilder &form);

/// Replaces the operation by its expanded form, over windows of at most
/// `chunkLength` keys a sequence, 0: one window. Fails where the operation has
/// none.
llvm::LogicalResult buildExpandedForm(FormBuilder &form, int64_t chunkLength);

/// Replaces the operation by the form that is cheaper, as far as possible now,
/// else when it runs.
llvm::LogicalResult buildAutoForm(FormBuilder &form, int64_t chunkLength);

/// Attention of a part's tokens over the latent cache: `out` [T,H,V] with their
/// rows written. `query` [T,H,L+R] has the part's rows.
mlir::Value attendAbsorbed(FormBuilder &form, const Part &part,
                           mlir::Value query, mlir::Value cache,
                           mlir::Value out);

/// The same over keys and values that are rebuilt from the cache; `query`
/// [T,H,N+R].
mlir::Value attendExpanded(FormBuilder &form, const Part &part,
                           mlir::Value query, mlir::Value cache,
                           mlir::Value out, int64_t chunkLength);

} // namespace mla::detail

#endif // LIB_TRANSFORMS_DECOMPOSE_FORMBUILDER_H
