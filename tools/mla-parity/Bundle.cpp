//===- Bundle.cpp - The directory that build writes and run reads ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bundle.h"

#include "Golden.h"
#include "Process.h"

#include "io/File.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

using nlohmann::json;

namespace mla::parity {
namespace {

constexpr int kSchema = 1;
constexpr const char *kIndex = "/parity.json";

template <typename T> std::string join(const std::vector<T> &values) {
  std::string text;
  for (const T &value : values) {
    text += text.empty() ? "" : ",";
    if constexpr (std::is_same_v<T, std::string>)
      text += value;
    else
      text += std::to_string(value);
  }
  return text;
}

/// As mla-import calls them: `attention` alone where there is no choice.
std::vector<Variant> getVariants(const BuildOptions &options,
                                 const std::vector<int64_t> &heads) {
  std::vector<Variant> variants;
  for (const std::string &dtype : options.dtypes)
    for (int64_t head : heads)
      for (int64_t pageSize : options.pageSizes)
        variants.push_back({dtype, pageSize, head,
                            "attention_" + dtype + "_p" +
                                std::to_string(pageSize) + "_h" +
                                std::to_string(head)});
  if (variants.size() == 1)
    variants.front().entry = "attention";
  return variants;
}

io::Status buildCase(const Bundle &bundle, const Case &one,
                     const std::string &file, const std::vector<int64_t> &heads,
                     const BuildOptions &options) {
  auto bytes = io::readFile(file);
  if (!bytes)
    return io::Error{bytes.error()};
  std::string golden = bundle.getPath(one, ".safetensors");
  std::error_code error;
  if (!std::filesystem::equivalent(file, golden, error)) {
    io::Status status =
        io::writeFile(golden, {io::Piece{bytes->data(), bytes->size()}});
    if (!status)
      return status;
  }
  std::string source = bundle.getPath(one, ".mlir");
  io::Status status =
      runTool("mla-import", {golden, "--dtype=" + join(options.dtypes),
                             "--page-size=" + join(options.pageSizes),
                             "--heads=" + join(heads), "-o", source});
  if (!status)
    return status;
  return runTool("mla-compile", {source, "-o", bundle.getPath(one, ".so")});
}

io::Status writeIndex(const Bundle &bundle) {
  json cases = json::array();
  for (const Case &one : bundle.cases) {
    json variants = json::array();
    for (const Variant &variant : one.variants)
      variants.push_back({{"dtype", variant.dtype},
                          {"page_size", variant.pageSize},
                          {"heads", variant.heads},
                          {"entry", variant.entry}});
    cases.push_back({{"model", one.model}, {"variants", variants}});
  }
  json index = {{"schema", kSchema}, {"cases", cases}};
  return io::writeFile(bundle.directory + kIndex, index.dump(2) + "\n");
}

/// False when the JSON is not what writeIndex writes.
bool readCases(const json &index, std::vector<Case> &cases) {
  if (!index.is_object() || index.value("schema", json()) != kSchema ||
      !index.value("cases", json()).is_array())
    return false;
  for (const json &described : index["cases"]) {
    Case &one = cases.emplace_back();
    one.model = described.at("model").get<std::string>();
    // It names files of the bundle, not of elsewhere.
    if (one.model.empty() || one.model.find('/') != std::string::npos)
      return false;
    for (const json &variant : described.at("variants"))
      one.variants.push_back({variant.at("dtype").get<std::string>(),
                              variant.at("page_size").get<int64_t>(),
                              variant.at("heads").get<int64_t>(),
                              variant.at("entry").get<std::string>()});
  }
  return true;
}

bool isValid(const std::vector<Case> &cases) {
  for (const Case &one : cases)
    for (const Variant &variant : one.variants)
      if ((variant.dtype != "f32" && variant.dtype != "bf16" &&
           variant.dtype != "f16") ||
          variant.pageSize < 1 || variant.heads < 1)
        return false;
  return true;
}

} // namespace

io::Result<Bundle> Bundle::read(const std::string &directory) {
  std::string path = directory + kIndex;
  auto bytes = io::readFile(path);
  if (!bytes)
    return io::Error{bytes.error() + "; mla-parity build makes it"};
  Bundle bundle;
  bundle.directory = directory;
  bool ok = false;
  try {
    ok = readCases(json::parse(bytes->data(), bytes->data() + bytes->size()),
                   bundle.cases) &&
         isValid(bundle.cases);
  } catch (const json::exception &) {
  }
  if (!ok)
    return io::Error{path +
                     ": expected the index that mla-parity build writes "
                     "(schema " +
                     std::to_string(kSchema) + "), got something else"};
  return bundle;
}

io::Result<Bundle> buildBundle(const std::vector<std::string> &files,
                               const std::string &directory,
                               const BuildOptions &options) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    return io::Error{
        directory + ": expected a directory to write, got: " + error.message()};
  std::filesystem::remove(directory + kIndex, error);

  Bundle bundle;
  bundle.directory = directory;
  std::set<std::string> names;
  for (const std::string &file : files) {
    auto golden = Golden::read(file);
    if (!golden)
      return io::Error{golden.error()};
    if (!names.insert(golden->name).second)
      return io::Error{file +
                       ": expected files of different names, got a "
                       "second '" +
                       golden->name + "'"};
    std::vector<int64_t> heads = options.heads;
    if (heads.empty())
      heads.push_back(golden->heads);
    Case &one = bundle.cases.emplace_back();
    one.model = golden->name;
    one.variants = getVariants(options, heads);
    io::Status status = buildCase(bundle, one, file, heads, options);
    if (!status)
      return io::Error{status.error()};
  }
  io::Status status = writeIndex(bundle);
  if (!status)
    return io::Error{status.error()};
  return bundle;
}

} // namespace mla::parity
