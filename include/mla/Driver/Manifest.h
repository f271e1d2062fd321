//===- Manifest.h - What a compiled module says about itself ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/runtime-abi.md gives the manifest's schema.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_DRIVER_MANIFEST_H
#define MLA_DRIVER_MANIFEST_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"

#include <string>

namespace mla {

/// A dimension of an argument: a size, or the symbol of a dynamic one ("?"
/// where it has none).
struct ManifestDim {
  int64_t size = 0;
  std::string symbol; ///< empty where the size is static
};

struct ManifestArgument {
  std::string name;
  std::string role;
  std::string dtype;
  llvm::SmallVector<ManifestDim> shape;
};

struct ManifestEntry {
  std::string name;
  /// Bytes of workspace that a call takes, an expression of dims and scalars;
  /// empty: none is known.
  std::string workspace;
  llvm::SmallVector<ManifestArgument> arguments;
};

struct Manifest {
  llvm::SmallVector<ManifestEntry> entries;
  /// The passes applied: elements of a textual pipeline.
  llvm::SmallVector<std::string> passes;
  /// Choices that passes and the driver made, in words.
  llvm::SmallVector<std::string> notes;
};

/// Describes the entries of a module that `mla-prepare-entries` has seen: its
/// public functions with a body, less those marked mla.host. No entry, a name
/// that the C ABI reserves or an argument that can't cross it is an error at
/// the function.
mlir::LogicalResult
describeEntries(mlir::ModuleOp module,
                llvm::SmallVectorImpl<ManifestEntry> &entries);

/// The manifest as JSON: on one line, or indented by `indent` columns.
std::string printManifest(const Manifest &manifest, unsigned indent = 0);

} // namespace mla

#endif // MLA_DRIVER_MANIFEST_H
