//===- CaseFile.cpp - Cases that a file describes -------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CaseFields.h"
#include "mla_runtime/runtime.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>

using namespace mla;
using namespace mla::bench;
using Json = nlohmann::ordered_json;

namespace {

/// More cases than this nobody waits for.
constexpr size_t mostCases = 100000;

//===--- Values -----------------------------------------------------------===//

bool isReference(const std::string &key) {
  return key == "limit_us" || key == "peers_us" || key == "best_peer_us";
}

[[noreturn]] void refuse(const std::string &name, const std::string &expected,
                         const std::string &got) {
  throw std::runtime_error(name + ": expected " + expected + ", got " + got);
}

/// A size of `least` to 2^24.
int64_t sizeOf(const Json &value, const std::string &name, int64_t least) {
  if (!value.is_number_integer() || value < least || value > (1 << 24))
    refuse(name, "an integer in [" + std::to_string(least) + ", 2^24]",
           value.dump());
  return value.get<int64_t>();
}

/// What `value` names.
template <typename T>
T oneOf(const Json &value, const char *name,
        std::initializer_list<std::pair<const char *, T>> known) {
  std::string names;
  size_t left = known.size();
  for (const auto &[text, meant] : known) {
    if (value == text)
      return meant;
    names += text;
    names += --left > 1 ? ", " : left == 1 ? " or " : "";
  }
  refuse(name, names, value.dump());
}

/// Microseconds as seconds; 0 where there are none.
double timeIn(const Json &json, const char *name) {
  auto found = json.find(name);
  if (found == json.end())
    return 0;
  if (!found->is_number() || !(found->get<double>() > 0))
    refuse(name, "a number > 0", found->dump());
  return found->get<double>() * 1e-6;
}

std::optional<Reference> referenceIn(const Json &json) {
  Reference reference;
  reference.limit = timeIn(json, "limit_us");
  reference.bestPeer = timeIn(json, "best_peer_us");
  if (auto peers = json.find("peers_us");
      peers != json.end() && peers->is_object())
    for (const auto &[name, time] : peers->items())
      if (time.is_number() && time == json.value("best_peer_us", Json()))
        reference.peer = name;
  if (!reference.limit && !reference.bestPeer)
    return std::nullopt;
  return reference;
}

//===--- Cases ------------------------------------------------------------===//

/// The types, the cache's format and what else is named; why there is no such
/// case, or nothing.
std::string setWords(const Json &json, Case &c) {
  auto wordOf = [&](const char *name, const char *otherwise) {
    return json.value(name, Json(otherwise));
  };
  c.dtype = c.cacheDtype = oneOf<uint32_t>(wordOf("dtype", "bf16"), "dtype",
                                           {{"bf16", MLA_DTYPE_BF16},
                                            {"f16", MLA_DTYPE_F16},
                                            {"f32", MLA_DTYPE_F32}});
  auto format = oneOf<const char *>(
      wordOf("cache", "same"), "cache",
      {{"same", ""}, {"fp8", "fp8"}, {"fp8_block", "fp8_block"}});
  bool fp8Query = oneOf<bool>(wordOf("query_dtype", "same"), "query_dtype",
                              {{"same", false}, {"fp8", true}});
  if (*format)
    c.cacheDtype = MLA_DTYPE_F8E4M3FN;
  if (std::string(format) == "fp8_block")
    c.cacheFormat = CacheFormat::Fp8Blocks;
  if (c.op == Op::Append) {
    c.phase = oneOf<Phase>(
        wordOf("phase", "generation"), "phase",
        {{"generation", Phase::Generation}, {"context", Phase::Context}});
    c.rope = oneOf<Rope>(wordOf("rope", "interleaved"), "rope",
                         {{"interleaved", Rope::Interleaved},
                          {"half", Rope::Half},
                          {"none", Rope::None}});
    c.query = oneOf<QueryMode>(wordOf("query", "assembled"), "query",
                               {{"assembled", QueryMode::Assembled},
                                {"in_place", QueryMode::InPlace},
                                {"pe", QueryMode::Pe},
                                {"none", QueryMode::None}});
    Json sliced = json.value("sliced", Json(false));
    if (!sliced.is_boolean())
      refuse("sliced", "true or false", sliced.dump());
    c.sliced = sliced;
  }
  if (!fp8Query)
    return "";
  if (std::string(format) != "fp8")
    return "query_dtype: expected fp8 only where the cache is fp8, got "
           "another cache";
  c.cacheFormat = CacheFormat::Fp8Query;
  return "";
}

/// The case of an object without lists, with the fields' own names; why there
/// is none, or nothing.
std::string setCase(const Json &json, const OpFields &fields, Case &c) {
  c.op = fields.op;
  for (const SizeField &field : fields.required)
    if (!json.contains(field.name))
      refuse(field.name, "an integer", "none");
  for (const auto *list : {&fields.required, &fields.optional})
    for (const SizeField &field : *list)
      if (json.contains(field.name))
        c.*field.member = sizeOf(json[field.name], field.name, field.least);
  std::string problem = setWords(json, c);
  if (c.op == Op::Append)
    c.setTokens(c.batch);
  if (fields.lengths)
    sizeOf(json["kv_len"], "kv_len", c.newTokens);
  return problem.empty() ? c.problem() : problem;
}

void setLengths(const Json &lengths, Case &c) {
  if (!lengths.is_array() || lengths.size() != static_cast<size_t>(c.batch))
    refuse("kv_lens", std::to_string(c.batch) + " integers", lengths.dump());
  for (const Json &length : lengths)
    c.lengths.push_back(sizeOf(length, "kv_lens", c.newTokens));
}

const OpFields &fieldsOf(const Json &json) {
  Json name = json.value("op", Json(opName(Op::AbsorbedAttention)));
  std::string names;
  for (const OpFields &fields : allOpFields()) {
    if (name == opName(fields.op))
      return fields;
    names += std::string(names.empty() ? "" : ", ") + opName(fields.op);
  }
  refuse("op", "one of " + names, name.dump());
}

/// The lists of an object's fields, by the fields' own names.
using Lists = std::vector<std::pair<std::string, std::vector<Json>>>;

Lists listsOf(const Json &json, const OpFields &fields) {
  Lists lists;
  for (const auto &[key, value] : json.items()) {
    const char *name = fields.nameOf(key);
    bool known =
        key == "op" || isReference(key) || (fields.lengths && key == "kv_lens");
    if (!name && !known && json.contains("op"))
      refuse(key, std::string("a field of ") + opName(fields.op), value.dump());
    if (!name)
      continue;
    for (const auto &[other, values] : lists)
      if (other == name)
        refuse(key, "no second value of " + other, value.dump());
    if (value.is_array() && value.empty())
      refuse(key, "a value or a list of some", value.dump());
    lists.push_back({name, value.is_array() ? value.get<std::vector<Json>>()
                                            : std::vector<Json>{value}});
  }
  return lists;
}

/// Adds the cases that an object stands for.
void addCases(const Json &json, std::vector<Case> &cases) {
  if (!json.is_object())
    throw std::runtime_error("expected an object, got " +
                             std::string(json.type_name()));
  const OpFields &fields = fieldsOf(json);
  Lists lists = listsOf(json, fields);
  size_t count = 1;
  for (const auto &[name, values] : lists)
    if ((count *= values.size()) > mostCases)
      refuse(name, "lists of at most 100000 cases", "more");
  size_t before = cases.size();
  std::string problem;
  for (size_t i = 0; i < count; ++i) {
    Json one = Json::object();
    // The last list's values follow each other.
    size_t rest = i;
    for (auto list = lists.rbegin(); list != lists.rend(); ++list) {
      one[list->first] = list->second[rest % list->second.size()];
      rest /= list->second.size();
    }
    Case c;
    std::string reason = setCase(one, fields, c);
    if (!reason.empty()) {
      problem = reason;
      continue;
    }
    if (fields.lengths && json.contains("kv_lens"))
      setLengths(json["kv_lens"], c);
    c.reference = referenceIn(json);
    cases.push_back(c);
  }
  if (cases.size() == before)
    throw std::runtime_error(problem);
}

} // namespace

io::Result<std::vector<Case>> mla::bench::readCases(const std::string &path) {
  std::ifstream file(path);
  if (!file)
    return io::Error{path + ": expected a file that can be read"};
  Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("cases") ||
      !json["cases"].is_array() || json["cases"].empty())
    return io::Error{path + ": expected JSON with \"cases\", got none"};
  std::vector<Case> cases;
  for (size_t i = 0; i < json["cases"].size(); ++i) {
    try {
      addCases(json["cases"][i], cases);
    } catch (const std::exception &error) {
      return io::Error{path + ": case " + std::to_string(i) + ": " +
                       error.what()};
    }
  }
  return cases;
}
