//===- AppendSite.h - What can become one mla.append ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_FUSEAPPEND_APPENDSITE_H
#define LIB_TRANSFORMS_FUSEAPPEND_APPENDSITE_H

#include "mla/IR/MLAOps.h"
#include "mlir/IR/Builders.h"
#include <variant>

namespace mla::detail {

/// The precondition that a site doesn't meet: what was expected and got, in a
/// sentence, and where.
struct Obstacle {
  mlir::Location loc;
  std::string text;
};

/// A rotation's attribute and operands; without an attribute there is none.
struct Rotation {
  RopeAttr rope;
  mlir::Value cosSin, positions;

  bool operator==(const Rotation &other) const {
    return rope == other.rope && cosSin == other.cosSin &&
           positions == other.positions;
  }
};

/// An input of an append, seen through what rotates and converts it.
struct Source {
  /// The rows before that; null where the append has no such input.
  mlir::Value value;
  Rotation rotation;
  /// The narrowest element type between the rotation and the append.
  mlir::Type between;
  /// What rotates and converts, the last of them first.
  llvm::SmallVector<mlir::Operation *, 2> makers;
};

/// Looks through what the append could do itself, with the same bits. `name` is
/// c_kv, k_pe, q_nope or q_pe.
Source traceInput(AppendOp op, llvm::StringRef name);

/// An mla.append that can take the place of others.
struct FusedAppend {
  mlir::Value cKv, kPe, qNope, qPe, slots, cuQ;
  mlir::Value queryScale, latentScale, peScale, query, kPeOut, cache;
  Rotation rotation;
  RoundingAttr rounding;
  PhaseAttr phase;
  mlir::NamedAttrList attributes;

  /// Rotations and conversions that it makes superfluous, users first.
  llvm::SmallVector<mlir::Operation *> makers;
  /// It goes before this operation, and these, in order, before it.
  mlir::Operation *place = nullptr;
  llvm::SmallVector<mlir::Operation *> moved;

  AppendOp create(mlir::OpBuilder &builder, mlir::Location loc) const;
};

/// Whether an append writes the cache and nothing of the query, or only the
/// query: half of what it could.
bool isWrite(AppendOp op);
bool isAssembly(AppendOp op);

/// Whether one append can take the place of `appends` (one of them; or a write
/// and an assembly) and of what rotates and converts their inputs: all of the
/// pass's legality. The preconditions, (F1) to (F8), are those of the pass's
/// description. Changes nothing.
std::variant<FusedAppend, Obstacle>
checkFusable(llvm::ArrayRef<AppendOp> appends);

/// Whether tensors [T, ...] of two operations show that T is the same.
bool haveSameTokens(llvm::ArrayRef<mlir::Value> a,
                    llvm::ArrayRef<mlir::Value> b);

/// Finds the place of `fused`, precondition (F8).
std::optional<Obstacle> findPlace(llvm::ArrayRef<AppendOp> appends,
                                  FusedAppend &fused);

} // namespace mla::detail

#endif // LIB_TRANSFORMS_FUSEAPPEND_APPENDSITE_H
