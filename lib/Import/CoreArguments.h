//===- CoreArguments.h - Arguments of an attention core ---------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_LIB_IMPORT_COREARGUMENTS_H
#define MLA_LIB_IMPORT_COREARGUMENTS_H

#include "mla/Import/AttentionCore.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

namespace mla {

/// One combination of the options.
struct Variant {
  CoreDtype dtype;
  CacheFormat cache;
  int64_t pageSize;
  int64_t numHeads;
  std::optional<Phase> phase;
  int64_t numLayers;
  std::string name;
};

/// A dim of an argument: a size, or a symbol of a dynamic one.
struct Dim {
  Dim(int64_t size) : size(size) {}
  Dim(llvm::StringRef symbol)
      : size(mlir::ShapedType::kDynamic), symbol(symbol) {}
  Dim(const char *symbol) : Dim(llvm::StringRef(symbol)) {}
  int64_t size;
  llvm::StringRef symbol;
};

/// The arguments of a function, by name, as they are added.
class CoreArguments {
public:
  /// Those of a core, with a rotary table and positions where asked for. A core
  /// of one layer has them in the order of mla.attention's operands. One of
  /// several has first what all layers share, then each layer's own inputs,
  /// then each layer's destinations.
  CoreArguments(mlir::Builder &builder, const AttentionCoreSpec &spec,
                const Variant &variant, bool hints, bool hasTable,
                bool hasPositions);

  /// The argument of that name, the layer's own where layers have one each;
  /// null when there is none.
  mlir::Value get(mlir::Block &entry, llvm::StringRef name,
                  int64_t layer) const;
  /// Types of a layer's destinations, which are the operation's results.
  std::array<mlir::Type, 2> getResultTypes(int64_t layer) const;

  llvm::SmallVector<mlir::Type> types;
  llvm::SmallVector<mlir::Attribute> attributes;
  llvm::SmallVector<mlir::StringAttr> names;

private:
  void addScalar(llvm::StringRef name);
  void add(llvm::StringRef name, llvm::StringRef role, mlir::Type element,
           llvm::ArrayRef<Dim> dims);
  /// What the model's projections make of a layer's tokens, and its weight.
  void addProjected(int64_t layer);
  /// What layers share: the batch and the rotation.
  void addBatch(bool hasTable, bool hasPositions);
  void addHints();
  /// Scales of a quantized cache, sinks, picked keys.
  void addOptional(int64_t layer);
  void addDestinations(int64_t layer);

  /// An argument's name in a layer: with its number where there are several.
  std::string getName(llvm::StringRef name, int64_t layer) const;

  mlir::Builder &builder;
  const AttentionCoreSpec &spec;
  const Variant &variant;
  llvm::StringMap<unsigned> indices;
};

} // namespace mla

#endif // MLA_LIB_IMPORT_COREARGUMENTS_H
