//===- ManifestTest.cpp - What a compiled module says about itself --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Manifest.h"
#include "io/File.h"

#include <gtest/gtest.h>

namespace mla::io {
namespace {

std::string manifestWith(const std::string &arg) {
  return R"({"schema": 1, "mla": "0.1.0", "abi": 1, "llvm": "22.1.8",
    "entries": [{"name": "step", "workspace": {"bytes": null}, "args": [)" +
         arg + R"(]}], "passes": ["canonicalize"], "notes": ["a note"]})";
}

TEST(Manifest, Reads) {
  Result<Manifest> manifest = parseManifest(
      manifestWith(R"({"name": "cu_q", "role": "input", "dtype": "i32",
                       "shape": ["B+1", 4, "T"], "later": true})"),
      "m");
  ASSERT_TRUE(manifest) << manifest.error();
  EXPECT_EQ(manifest->mla, "0.1.0");
  EXPECT_EQ(manifest->passes, std::vector<std::string>{"canonicalize"});
  EXPECT_EQ(manifest->notes, std::vector<std::string>{"a note"});
  ASSERT_TRUE(manifest->find("step"));
  EXPECT_FALSE(manifest->find("other"));
  const ManifestArg *arg = manifest->find("step")->find("cu_q");
  ASSERT_TRUE(arg);
  EXPECT_EQ(arg->showShape(), "[B+1, 4, T]");
  EXPECT_EQ(arg->shape[0].symbol, "B");
  EXPECT_EQ(arg->shape[0].offset, 1);
  EXPECT_EQ(arg->shape[1].symbol, "");
  EXPECT_EQ(arg->shape[1].offset, 4);
  EXPECT_FALSE(arg->isWritten());
}

/// The example that the ABI page quotes.
TEST(Manifest, ReadsTheDocumentedOne) {
  Result<Buffer> file = readFile(MLA_TEST_MANIFEST);
  ASSERT_TRUE(file) << file.error();
  Result<Manifest> manifest = parseManifest(
      std::string(reinterpret_cast<const char *>(file->data()), file->size()),
      "m");
  ASSERT_TRUE(manifest) << manifest.error();
  const ManifestEntry *entry = manifest->find("decode");
  ASSERT_TRUE(entry);
  ASSERT_TRUE(entry->find("q"));
  EXPECT_EQ(entry->find("q")->showShape(), "[T, 128, 192]");
  ASSERT_TRUE(entry->find("out"));
  EXPECT_TRUE(entry->find("out")->isWritten());
}

TEST(Manifest, Refuses) {
  auto error = [](const std::string &text) {
    Result<Manifest> manifest = parseManifest(text, "m");
    return manifest ? "accepted" : manifest.error();
  };
  EXPECT_EQ(error("no"),
            "m: manifest: expected a JSON object, got something else");
  EXPECT_EQ(error("{}"), "m: manifest: expected schema 1, got none");
  EXPECT_EQ(error(R"({"schema": 2})"), "m: manifest: expected schema 1, got 2");
  EXPECT_EQ(error(R"({"schema": 1})"),
            "m: manifest: mla: expected a string, got "
            "another value or none");
  EXPECT_EQ(error(manifestWith("7")),
            "m: manifest: args: expected objects, got another value or none");
  EXPECT_EQ(
      error(manifestWith(R"({"name": "q", "role": "in", "dtype": "f32",
                                   "shape": []})")),
      "m: manifest: role: expected input, output, inout, constant or scalar, "
      "got another value or none");
  for (const char *dim : {"-1", "1.5", "\"\"", "\"+1\"", "\"B+\"", "\"B+x\"",
                          "\"B+-1\"", "null", "\"B+99999999999\""})
    EXPECT_EQ(
        error(manifestWith(R"({"name": "q", "role": "input", "dtype": "f32",
                                     "shape": [)" +
                           std::string(dim) + "]}")),
        "m: manifest: shape: expected sizes, symbols, or symbols plus a "
        "number, got another value or none")
        << dim;
}

} // namespace
} // namespace mla::io
