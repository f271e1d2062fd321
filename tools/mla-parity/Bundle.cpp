//===- Bundle.cpp - The directory that build writes and run reads ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bundle.h"

#include "CacheLayout.h"
#include "Golden.h"
#include "Process.h"

#include "io/File.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

using nlohmann::json;

namespace mla::parity {
namespace {

constexpr int kSchema = 2;
constexpr const char *kChunked = "chunked-";
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

/// Whether a form exists with this cache: a quantized query is absorbed.
bool hasForm(const std::string &cache, const std::string &form) {
  return getCacheFormat(cache) != CacheFormat::FP8Query || form == "absorbed" ||
         form == "auto";
}

/// The same for a model: blocks are whole.
bool exists(const std::string &form, const std::string &cache,
            const Golden &golden) {
  return hasForm(cache, form) &&
         (getCacheFormat(cache) != CacheFormat::FP8Block ||
          golden.latent % kScaleBlock == 0);
}

std::vector<std::string> getCaches(const std::string &form,
                                   const BuildOptions &options,
                                   const Golden &golden) {
  std::vector<std::string> caches;
  for (const std::string &cache : options.caches)
    if (exists(form, cache, golden))
      caches.push_back(cache);
  return caches;
}

/// The cores, with their entries as mla-import calls them: what there is no
/// choice of is not in the name.
std::vector<Variant> getVariants(const BuildOptions &options,
                                 const Golden &golden,
                                 const std::vector<int64_t> &heads) {
  bool several =
      options.dtypes.size() * options.pageSizes.size() * heads.size() > 1;
  std::vector<Variant> variants;
  for (const std::string &dtype : options.dtypes)
    for (const std::string &cache : options.caches)
      for (int64_t head : heads)
        for (int64_t pageSize : options.pageSizes) {
          Variant variant{dtype, cache, pageSize, head, {}};
          for (const std::string &form : options.forms) {
            std::vector<std::string> caches = getCaches(form, options, golden);
            std::string entry = "attention";
            if (several)
              entry += "_" + dtype + "_p" + std::to_string(pageSize) + "_h" +
                       std::to_string(head);
            if (caches.size() > 1)
              entry += "_" + cache;
            if (std::count(caches.begin(), caches.end(), cache))
              variant.entries[form] = entry;
          }
          if (!variant.entries.empty())
            variants.push_back(std::move(variant));
        }
  return variants;
}

io::Status copyFile(const std::string &from, const std::string &to) {
  auto bytes = io::readFile(from);
  if (!bytes)
    return io::Error{bytes.error()};
  std::error_code error;
  if (std::filesystem::equivalent(from, to, error))
    return {};
  return io::writeFile(to, {io::Piece{bytes->data(), bytes->size()}});
}

/// The module of one form.
io::Status buildModule(const Bundle &bundle, const Case &one,
                       const std::string &form, const Golden &golden,
                       const std::vector<int64_t> &heads,
                       const BuildOptions &options) {
  std::vector<std::string> caches = getCaches(form, options, golden);
  if (caches.empty())
    return {};
  std::string source = bundle.getPath(one, "." + form + ".mlir");
  std::vector<std::string> arguments = {bundle.getPath(one, ".safetensors"),
                                        "--dtype=" + join(options.dtypes),
                                        "--cache=" + join(caches),
                                        "--page-size=" +
                                            join(options.pageSizes),
                                        "--heads=" + join(heads),
                                        "-o",
                                        source};
  // The absorbed form has no use for them, and a core without them is one too.
  if (form != "absorbed")
    arguments.push_back("--hints");
  io::Status status = runTool("mla-import", arguments);
  if (!status)
    return status;
  arguments = {source};
  if (form.rfind(kChunked, 0) == 0) {
    arguments.push_back("--form=expanded");
    arguments.push_back("--chunk-length=" + form.substr(std::strlen(kChunked)));
  } else {
    arguments.push_back("--form=" + form);
  }
  arguments.push_back("-o");
  arguments.push_back(bundle.getPath(one, "." + form + ".so"));
  return runTool("mla-compile", arguments);
}

io::Status writeIndex(const Bundle &bundle) {
  json cases = json::array();
  for (const Case &one : bundle.cases) {
    json variants = json::array();
    for (const Variant &variant : one.variants)
      variants.push_back({{"dtype", variant.dtype},
                          {"cache", variant.cache},
                          {"page_size", variant.pageSize},
                          {"heads", variant.heads},
                          {"entries", variant.entries}});
    cases.push_back({{"model", one.model}, {"variants", variants}});
  }
  json index = {{"schema", kSchema}, {"forms", bundle.forms}, {"cases", cases}};
  return io::writeFile(bundle.directory + kIndex, index.dump(2) + "\n");
}

/// False when the JSON is not what writeIndex writes.
bool readIndex(const json &index, Bundle &bundle) {
  if (!index.is_object() || index.value("schema", json()) != kSchema ||
      !index.value("cases", json()).is_array())
    return false;
  bundle.forms = index.at("forms").get<std::vector<std::string>>();
  for (const json &described : index["cases"]) {
    Case &one = bundle.cases.emplace_back();
    one.model = described.at("model").get<std::string>();
    // It names files of the bundle, not of elsewhere.
    if (one.model.empty() || one.model.find('/') != std::string::npos)
      return false;
    for (const json &variant : described.at("variants"))
      one.variants.push_back(
          {variant.at("dtype").get<std::string>(),
           variant.at("cache").get<std::string>(),
           variant.at("page_size").get<int64_t>(),
           variant.at("heads").get<int64_t>(),
           variant.at("entries").get<std::map<std::string, std::string>>()});
  }
  return true;
}

bool isValid(const Bundle &bundle) {
  const std::vector<std::string> &caches = getCacheNames();
  // A form without its entry would be left out, and nobody told.
  auto isWhole = [&](const Variant &variant) {
    return std::all_of(
        bundle.forms.begin(), bundle.forms.end(), [&](const std::string &form) {
          return variant.entries.count(form) == hasForm(variant.cache, form);
        });
  };
  for (const Case &one : bundle.cases)
    for (const Variant &variant : one.variants)
      if ((variant.dtype != "f32" && variant.dtype != "bf16" &&
           variant.dtype != "f16") ||
          !std::count(caches.begin(), caches.end(), variant.cache) ||
          variant.pageSize < 1 || variant.heads < 1 || !isWhole(variant))
        return false;
  // They too name files of the bundle.
  return std::all_of(bundle.forms.begin(), bundle.forms.end(), isForm);
}

} // namespace

bool isForm(const std::string &name) {
  if (name == "absorbed" || name == "expanded" || name == "auto")
    return true;
  if (name.rfind(kChunked, 0) != 0)
    return false;
  std::string length = name.substr(std::strlen(kChunked));
  return !length.empty() && length.size() <= 6 && length[0] != '0' &&
         std::all_of(length.begin(), length.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

io::Result<Bundle> Bundle::read(const std::string &directory) {
  std::string path = directory + kIndex;
  auto bytes = io::readFile(path);
  if (!bytes)
    return io::Error{bytes.error() + "; mla-parity build makes it"};
  Bundle bundle;
  bundle.directory = directory;
  bool ok = false;
  try {
    ok = readIndex(json::parse(bytes->data(), bytes->data() + bytes->size()),
                   bundle) &&
         isValid(bundle);
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
  bundle.forms = options.forms;
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
    one.variants = getVariants(options, *golden, heads);
    io::Status status = copyFile(file, bundle.getPath(one, ".safetensors"));
    for (const std::string &form : options.forms)
      if (status)
        status = buildModule(bundle, one, form, *golden, heads, options);
    if (!status)
      return io::Error{status.error()};
  }
  io::Status status = writeIndex(bundle);
  if (!status)
    return io::Error{status.error()};
  return bundle;
}

} // namespace mla::parity
