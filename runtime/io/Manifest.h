//===- Manifest.h - What a compiled module says about itself ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The JSON that mla_module_manifest returns; docs/runtime-abi.md has its
// schema.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_IO_MANIFEST_H
#define MLA_RUNTIME_IO_MANIFEST_H

#include "io/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mla::io {

/// A size of an argument: a number, or a symbol plus a number ("B+1"), where
/// equal symbols of an entry have equal values.
struct ManifestDim {
  std::string symbol; // empty: `offset` is the size
  int64_t offset = 0;

  /// As the manifest writes it.
  std::string str() const;
};

struct ManifestArg {
  std::string name;
  std::string role;  // input, output, inout, constant or scalar
  std::string dtype; // as mla_dtype_name spells it
  std::vector<ManifestDim> shape;

  bool isWritten() const { return role == "output" || role == "inout"; }
  /// "[T, 2, 192]".
  std::string showShape() const;
};

struct ManifestEntry {
  std::string name;
  std::vector<ManifestArg> args;

  /// Null when there is none of that name.
  const ManifestArg *find(const std::string &name) const;
};

struct Manifest {
  std::string mla, llvm; // versions
  std::vector<ManifestEntry> entries;
  std::vector<std::string> passes, notes;

  const ManifestEntry *find(const std::string &name) const;
};

/// Unknown keys are ignored; another schema is an error. `place` starts the
/// errors.
Result<Manifest> parseManifest(const std::string &text,
                               const std::string &place);

} // namespace mla::io

#endif // MLA_RUNTIME_IO_MANIFEST_H
