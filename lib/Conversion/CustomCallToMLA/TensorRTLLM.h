//===- TensorRTLLM.h - One call of mla_rope_generation ----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_CONVERSION_CUSTOMCALLTOMLA_TENSORRTLLM_H
#define MLA_CONVERSION_CUSTOMCALLTOMLA_TENSORRTLLM_H

#include "Emit.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

namespace mla {
namespace customcall {

/// One call of mla_rope_generation.
class Generation {
public:
  explicit Generation(Site &site) : site(site), builder(site.getBuilder()) {}
  void convert();

private:
  void readArguments();
  void readTable();
  void buildSlots();
  void buildAppend();
  void buildLengths();
  void buildScales();

  mlir::Value createIndex(mlir::OpFoldResult value) {
    return mlir::getValueOrCreateConstantIndexOp(builder, loc, value);
  }
  /// A tensor of `type`, which is as long as there are sequences and one more:
  /// the sums of the counts of those before each.
  mlir::Value
  buildSums(mlir::RankedTensorType type,
            llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                           mlir::Value)>
                getCount);
  /// The same where all counts are `step`.
  mlir::Value buildMultiples(mlir::RankedTensorType type, int64_t step);
  /// The type of an argument of offsets; null where it has another.
  mlir::RankedTensorType getOffsetsType(llvm::StringRef argument);

  Site &site;
  mlir::OpBuilder &builder;
  mlir::Location loc = site.getLoc();
  int64_t latent = 0, pe = 0, newTokens = 0, pageSize = 0;
  mlir::Value query, qPe, latentCache, cache, lens, offsets, table;
  mlir::Value slots, positions;
  mlir::OpFoldResult sequences; ///< in generation
  bool isFp8 = false;
};

} // namespace customcall
} // namespace mla

#endif // MLA_CONVERSION_CUSTOMCALLTOMLA_TENSORRTLLM_H
