//===- ManifestFuzz.cpp - Random manifests --------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A manifest is refused with a sentence, or says everything that its reader
// relies on.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "io/Manifest.h"

using namespace mla;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  io::Result<io::Manifest> manifest = io::parseManifest(
      std::string(reinterpret_cast<const char *>(data), size), "manifest");
  if (!manifest) {
    fuzz::requireSentence(manifest.error(), "manifest");
    return 0;
  }
  for (const io::ManifestEntry &entry : manifest->entries) {
    fuzz::require(manifest->find(entry.name) != nullptr, "an entry's name",
                  entry.name);
    for (const io::ManifestArg &arg : entry.args) {
      fuzz::require(entry.find(arg.name) != nullptr, "an argument's name",
                    arg.name);
      fuzz::require(arg.role == "input" || arg.role == "output" ||
                        arg.role == "inout" || arg.role == "constant" ||
                        arg.role == "scalar",
                    "a known role", arg.role);
      fuzz::require(!arg.showShape().empty(), "a shape that can be shown",
                    arg.name);
      for (const io::ManifestDim &dim : arg.shape)
        fuzz::require(!dim.symbol.empty() || dim.offset >= 0,
                      "no negative static size", arg.showShape());
    }
  }
  return 0;
}
