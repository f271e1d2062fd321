//===- Manifest.cpp - What a compiled module says about itself ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Manifest.h"

#include <nlohmann/json.hpp>

using nlohmann::json;

namespace mla::io {
namespace {

/// Reads fields and keeps the first failure, so that one check at the end will
/// do.
class Reader {
public:
  explicit Reader(std::string place) : place(std::move(place)) {}

  std::string failure;

  void fail(const std::string &what, const std::string &expected) {
    if (failure.empty())
      failure = place + ": manifest: " + what + ": expected " + expected +
                ", got another value or none";
  }
  std::string string(const json &object, const char *key) {
    if (auto it = object.find(key); it != object.end() && it->is_string())
      return it->get<std::string>();
    fail(key, "a string");
    return "";
  }
  const json &array(const json &object, const char *key) {
    static const json none = json::array();
    if (auto it = object.find(key); it != object.end() && it->is_array())
      return *it;
    fail(key, "an array");
    return none;
  }
  std::vector<std::string> strings(const json &object, const char *key) {
    std::vector<std::string> out;
    for (const json &item : array(object, key))
      if (item.is_string())
        out.push_back(item.get<std::string>());
      else
        fail(key, "an array of strings");
    return out;
  }
  ManifestDim dim(const json &item) {
    if (item.is_number_unsigned() && item.get<uint64_t>() <= INT64_MAX)
      return {"", item.get<int64_t>()};
    std::string text = item.is_string() ? item.get<std::string>() : "";
    size_t plus = text.find('+');
    std::string symbol = text.substr(0, plus);
    std::string number =
        plus == std::string::npos ? "0" : text.substr(plus + 1);
    if (symbol.empty() || number.empty() || number.size() > 9 ||
        number.find_first_not_of("0123456789") != std::string::npos) {
      fail("shape", "sizes, symbols, or symbols plus a number");
      return {};
    }
    return {symbol, std::stoll(number)};
  }
  ManifestArg arg(const json &object) {
    ManifestArg out;
    if (!object.is_object()) {
      fail("args", "objects");
      return out;
    }
    out.name = string(object, "name");
    out.role = string(object, "role");
    out.dtype = string(object, "dtype");
    for (const char *role : {"input", "output", "inout", "constant", "scalar"})
      if (out.role == role) {
        for (const json &item : array(object, "shape"))
          out.shape.push_back(dim(item));
        return out;
      }
    fail("role", "input, output, inout, constant or scalar");
    return out;
  }

private:
  std::string place;
};

} // namespace

std::string ManifestDim::str() const {
  if (symbol.empty())
    return std::to_string(offset);
  return offset ? symbol + "+" + std::to_string(offset) : symbol;
}

std::string ManifestArg::showShape() const {
  std::string out = "[";
  for (const ManifestDim &dim : shape)
    out += (out.size() > 1 ? ", " : "") + dim.str();
  return out + "]";
}

const ManifestArg *ManifestEntry::find(const std::string &name) const {
  for (const ManifestArg &arg : args)
    if (arg.name == name)
      return &arg;
  return nullptr;
}

const ManifestEntry *Manifest::find(const std::string &name) const {
  for (const ManifestEntry &entry : entries)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

Result<Manifest> parseManifest(const std::string &text,
                               const std::string &place) {
  json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object())
    return Error{place +
                 ": manifest: expected a JSON object, got something else"};
  auto schema = root.find("schema");
  if (schema == root.end() || *schema != 1)
    return Error{place + ": manifest: expected schema 1, got " +
                 (schema == root.end() ? "none" : schema->dump())};

  Reader reader(place);
  Manifest manifest;
  manifest.mla = reader.string(root, "mla");
  manifest.llvm = reader.string(root, "llvm");
  manifest.passes = reader.strings(root, "passes");
  manifest.notes = reader.strings(root, "notes");
  for (const json &item : reader.array(root, "entries")) {
    if (!item.is_object()) {
      reader.fail("entries", "objects");
      break;
    }
    ManifestEntry entry;
    entry.name = reader.string(item, "name");
    for (const json &arg : reader.array(item, "args"))
      entry.args.push_back(reader.arg(arg));
    manifest.entries.push_back(std::move(entry));
  }
  if (!reader.failure.empty())
    return Error{reader.failure};
  return manifest;
}

} // namespace mla::io
