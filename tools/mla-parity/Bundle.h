//===- Bundle.h - The directory that build writes and run reads -*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_BUNDLE_H
#define MLA_TOOLS_PARITY_BUNDLE_H

#include "io/Result.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mla::parity {

/// A core of a case.
struct Variant {
  std::string dtype; ///< "f32", "bf16" or "f16"
  std::string cache; ///< "same", "fp8", "fp8_query" or "fp8_block"
  int64_t pageSize = 0;
  int64_t heads = 0;
  /// By form, the core's entry in that form's module. A form may lack some.
  std::map<std::string, std::string> entries;
};

/// A golden file and the modules compiled for it, one a form, in the bundle.
struct Case {
  std::string model;
  std::vector<Variant> variants;
};

/// Whether `name` is a form: absorbed, expanded, auto, or chunked-N, which is
/// the expanded form in chunks of at most N keys.
bool isForm(const std::string &name);

/// A bundle holds of every model MODEL.safetensors and, of every form,
/// MODEL.FORM.mlir and MODEL.FORM.so, and parity.json, which lists them. It can
/// be copied to another machine.
struct Bundle {
  std::string directory;
  std::vector<std::string> forms;
  std::vector<Case> cases;

  std::string getPath(const Case &one, const std::string &suffix) const {
    return directory + "/" + one.model + suffix;
  }

  static io::Result<Bundle> read(const std::string &directory);
};

/// What to build of every golden file: all combinations.
struct BuildOptions {
  std::vector<std::string> forms;
  std::vector<std::string> dtypes;
  std::vector<std::string> caches;
  std::vector<int64_t> pageSizes;
  std::vector<int64_t> heads; ///< empty: the golden's
};

/// Imports and compiles the golden files into a directory, which is made when
/// it isn't there. parity.json comes last: without it there is no bundle.
io::Result<Bundle> buildBundle(const std::vector<std::string> &files,
                               const std::string &directory,
                               const BuildOptions &options);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_BUNDLE_H
