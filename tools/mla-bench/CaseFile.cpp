//===- CaseFile.cpp - Cases that a file describes -------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "mla_runtime/runtime.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>

using namespace mla;
using namespace mla::bench;
using Json = nlohmann::json;

/// A size of 1 to 2^24, or from `least` on.
static int64_t sizeOf(const Json &value, const std::string &name,
                      int64_t least = 1) {
  if (!value.is_number_integer() || value < least || value > (1 << 24))
    throw std::runtime_error(name + ": expected an integer in [" +
                             std::to_string(least) + ", 2^24], got " +
                             value.dump());
  return value.get<int64_t>();
}

static int64_t sizeIn(const Json &json, const char *name, int64_t least = 1) {
  if (!json.contains(name))
    throw std::runtime_error(std::string(name) + ": expected an integer, got "
                                                 "none");
  return sizeOf(json[name], name, least);
}

/// Microseconds as seconds; 0 where there are none.
static double timeIn(const Json &json, const char *name) {
  auto found = json.find(name);
  if (found == json.end())
    return 0;
  if (!found->is_number() || !(found->get<double>() > 0))
    throw std::runtime_error(std::string(name) +
                             ": expected a number > 0, got " + found->dump());
  return found->get<double>() * 1e-6;
}

static Case parseCase(const Json &json) {
  if (!json.is_object())
    throw std::runtime_error("expected an object, got " +
                             std::string(json.type_name()));
  Case c;
  std::string dtype = json.contains("dtype") && json["dtype"].is_string()
                          ? json["dtype"].get<std::string>()
                          : "";
  c.dtype = c.cacheDtype = mla_dtype_from_name(dtype.c_str());
  if (c.dtype != MLA_DTYPE_BF16 && c.dtype != MLA_DTYPE_F16 &&
      c.dtype != MLA_DTYPE_F32)
    throw std::runtime_error("dtype: expected bf16, f16 or f32, got '" + dtype +
                             "'");
  c.batch = sizeIn(json, "batch");
  c.newTokens = sizeIn(json, "query_tokens");
  c.heads = sizeIn(json, "heads");
  c.latent = sizeIn(json, "latent");
  c.pe = sizeIn(json, "pe", 0);
  c.page = sizeIn(json, "page_size");
  c.keys = sizeIn(json, "kv_len", c.newTokens);
  if (auto lengths = json.find("kv_lens"); lengths != json.end()) {
    if (!lengths->is_array() || lengths->size() != static_cast<size_t>(c.batch))
      throw std::runtime_error("kv_lens: expected " + std::to_string(c.batch) +
                               " integers, got " + lengths->dump());
    for (const Json &length : *lengths)
      c.lengths.push_back(sizeOf(length, "kv_lens", c.newTokens));
  }
  Reference reference;
  reference.limit = timeIn(json, "limit_us");
  reference.bestPeer = timeIn(json, "best_peer_us");
  if (auto peers = json.find("peers_us");
      peers != json.end() && peers->is_object())
    for (const auto &[name, time] : peers->items())
      if (time.is_number() && time == json.value("best_peer_us", Json()))
        reference.peer = name;
  if (reference.limit || reference.bestPeer)
    c.reference = reference;
  return c;
}

io::Result<std::vector<Case>> mla::bench::readCases(const std::string &path) {
  std::ifstream file(path);
  if (!file)
    return io::Error{path + ": expected a file that can be read"};
  Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("cases") ||
      !json["cases"].is_array() || json["cases"].empty())
    return io::Error{path + ": expected JSON with \"cases\", got none"};
  std::vector<Case> cases;
  for (const Json &one : json["cases"]) {
    try {
      cases.push_back(parseCase(one));
    } catch (const std::exception &error) {
      return io::Error{path + ": case " + std::to_string(cases.size()) + ": " +
                       error.what()};
    }
  }
  return cases;
}
