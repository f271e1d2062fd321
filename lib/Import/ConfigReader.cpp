//===- ConfigReader.cpp - Fields of a JSON object, checked ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConfigReader.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace llvm;

namespace mla {

/// The deepest config known nests three levels; the parser recurses, so that a
/// hostile one could exhaust the stack.
static constexpr unsigned kMaxNesting = 100;

static bool isNestedTooDeep(StringRef text) {
  unsigned depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString && c == '\\')
      ++i;
    else if (c == '"')
      inString = !inString;
    else if (!inString && (c == '[' || c == '{') && ++depth > kMaxNesting)
      return true;
    else if (!inString && (c == ']' || c == '}') && depth)
      --depth;
  }
  return false;
}

Expected<json::Object> parseJSONObject(StringRef text, StringRef place) {
  if (isNestedTooDeep(text))
    return createStringError("%s: expected JSON of at most %u levels, got more",
                             place.str().c_str(), kMaxNesting);
  Expected<json::Value> value = json::parse(text);
  if (!value) {
    // Its text is "[line:column, byte=offset]: reason".
    std::string reason = toString(value.takeError());
    return createStringError("%s: expected JSON, got a syntax error at %s",
                             place.str().c_str(), reason.c_str());
  }
  if (json::Object *object = value->getAsObject())
    return std::move(*object);
  return createStringError("%s: expected a JSON object, got another value",
                           place.str().c_str());
}

const json::Value *ConfigReader::find(StringRef field) const {
  const json::Value *value = object.get(field);
  return value && value->kind() != json::Value::Null ? value : nullptr;
}

void ConfigReader::fail(StringRef field, const Twine &expected) const {
  if (!failure->empty())
    return;
  std::string got = "none";
  if (const json::Value *value = object.get(field)) {
    got.clear();
    raw_string_ostream(got) << *value;
    if (got.size() > 64)
      got = got.substr(0, 64) + "...";
  }
  *failure = (place + ": " + prefix + field + ": expected " + expected +
              ", got " + got)
                 .str();
}

Error ConfigReader::takeError() const {
  if (failure->empty())
    return Error::success();
  return make_error<StringError>(*failure, inconvertibleErrorCode());
}

const json::Object *ConfigReader::getObject(StringRef field) const {
  const json::Value *value = find(field);
  if (!value)
    return nullptr;
  const json::Object *inner = value->getAsObject();
  if (!inner)
    fail(field, "an object");
  return inner;
}

int64_t ConfigReader::getInteger(StringRef field, int64_t low,
                                 int64_t high) const {
  const json::Value *value = find(field);
  std::optional<int64_t> number = value ? value->getAsInteger() : std::nullopt;
  if (number && *number >= low && *number <= high)
    return *number;
  fail(field, formatv("an integer from {0} to {1}", low, high).str());
  return low;
}

int64_t ConfigReader::getInteger(StringRef field, int64_t low, int64_t high,
                                 int64_t ifAbsent) const {
  return has(field) ? getInteger(field, low, high) : ifAbsent;
}

double ConfigReader::getNumber(StringRef field, double low) const {
  const json::Value *value = find(field);
  std::optional<double> number = value ? value->getAsNumber() : std::nullopt;
  if (number && std::isfinite(*number) && *number > low)
    return *number;
  fail(field, formatv("a number above {0}", json::Value(low)).str());
  return low + 1;
}

double ConfigReader::getNumber(StringRef field, double low,
                               double ifAbsent) const {
  return has(field) ? getNumber(field, low) : ifAbsent;
}

std::optional<bool> ConfigReader::getBool(StringRef field) const {
  const json::Value *value = find(field);
  if (!value)
    return std::nullopt;
  std::optional<bool> flag = value->getAsBoolean();
  if (!flag)
    fail(field, "true or false");
  return flag;
}

std::string ConfigReader::getString(StringRef field, StringRef ifAbsent) const {
  const json::Value *value = find(field);
  if (!value)
    return ifAbsent.str();
  if (std::optional<StringRef> text = value->getAsString())
    return text->str();
  fail(field, "a string");
  return ifAbsent.str();
}

std::vector<double> ConfigReader::getNumbers(StringRef field, size_t size,
                                             double low) const {
  std::vector<double> numbers;
  const json::Value *value = find(field);
  if (const json::Array *array = value ? value->getAsArray() : nullptr)
    for (const json::Value &item : *array)
      if (std::optional<double> number = item.getAsNumber();
          number && std::isfinite(*number) && *number > low)
        numbers.push_back(*number);
  const json::Array *array = value ? value->getAsArray() : nullptr;
  if (numbers.size() != size || !array || array->size() != size)
    fail(field,
         formatv("an array of {0} numbers above {1}", size, json::Value(low))
             .str());
  numbers.resize(size, low + 1);
  return numbers;
}

} // namespace mla
