//===- SafeTensorsRead.cpp - Reading .safetensors ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Dtype.h"
#include "io/File.h"
#include "io/SafeTensors.h"

#include "mla_runtime/tensor.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

using nlohmann::json;

namespace mla::io {
namespace {

constexpr uint64_t kLengthBytes = 8;

/// Text as it may stand in a one-line message.
std::string quote(const std::string &text) {
  std::string out = "'";
  for (size_t i = 0; i < text.size() && i < 64; ++i)
    out += static_cast<unsigned char>(text[i]) < 0x20 ? '?' : text[i];
  return out + (text.size() > 64 ? "...'" : "'");
}

/// A value of the header in a message, cut to a readable length.
std::string show(const json &value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() > 64 ? text.substr(0, 64) + "..." : text;
}

/// Reads the header's JSON. Duplicate names, which the JSON library would
/// resolve in silence, are errors: two readers of one file must not see
/// different tensors.
Result<json> parseHeader(const char *text, uint64_t size) {
  std::vector<std::set<std::string>> scopes;
  std::string duplicate;
  auto watch = [&](int, json::parse_event_t event, json &parsed) {
    if (event == json::parse_event_t::object_start)
      scopes.emplace_back();
    else if (event == json::parse_event_t::object_end)
      scopes.pop_back();
    else if (event == json::parse_event_t::key && duplicate.empty() &&
             !scopes.back().insert(parsed.get_ref<std::string &>()).second)
      duplicate = parsed.get_ref<std::string &>();
    return true;
  };
  try {
    json header = json::parse(text, text + size, watch);
    if (!duplicate.empty())
      return Error{"expected every name once in the header, got " +
                   quote(duplicate) + " twice"};
    if (!header.is_object())
      return Error{
          std::string("expected the header to be a JSON object, got ") +
          header.type_name()};
    return header;
  } catch (const json::parse_error &error) {
    return Error{
        "expected the header to be JSON in UTF-8, got a syntax error at "
        "its byte " +
        std::to_string(error.byte)};
  } catch (const std::exception &) {
    return Error{"expected the header to be JSON in UTF-8, got something that "
                 "can't be held in memory"};
  }
}

bool asU64(const json &value, uint64_t &out) {
  if (!value.is_number_unsigned())
    return false;
  out = value.get<uint64_t>();
  return true;
}

/// One tensor's entry. `dataBytes` is how many bytes follow the header.
Result<NamedTensor> parseEntry(const std::string &name, const json &entry,
                               const uint8_t *data, uint64_t dataBytes) {
  std::string place = "tensor " + quote(name) + ": ";
  if (!entry.is_object())
    return Error{place +
                 "expected an object with dtype, shape and "
                 "data_offsets, got " +
                 show(entry)};
  for (const char *field : {"dtype", "shape", "data_offsets"})
    if (!entry.contains(field))
      return Error{place + "expected a field " + field + ", got none"};

  NamedTensor tensor;
  tensor.name = name;
  const json &dtype = entry["dtype"];
  if (dtype.is_string())
    tensor.dtype = dtypeFromSafetensors(dtype.get_ref<const std::string &>());
  if (tensor.dtype == MLA_DTYPE_NONE)
    return Error{place + "expected dtype to be one of " + safetensorsNames() +
                 ", got " + show(dtype)};

  const json &shape = entry["shape"];
  if (!shape.is_array())
    return Error{place + "expected shape to be an array, got " + show(shape)};
  uint64_t size = dtypeBytes(tensor.dtype);
  bool empty = false, overflow = false;
  for (const json &item : shape) {
    uint64_t dim;
    if (!asU64(item, dim) || dim > static_cast<uint64_t>(INT64_MAX))
      return Error{place +
                   "expected shape to hold sizes from 0 to 2^63-1, got " +
                   show(item)};
    tensor.shape.push_back(static_cast<int64_t>(dim));
    empty |= dim == 0;
    overflow |= dim && size > UINT64_MAX / dim;
    size = overflow ? UINT64_MAX : dim ? size * dim : size;
  }
  if (empty)
    size = 0;
  else if (overflow)
    return Error{place + "expected a size in bytes below 2^64, got shape " +
                 show(shape)};

  const json &offsets = entry["data_offsets"];
  uint64_t begin, end;
  if (!offsets.is_array() || offsets.size() != 2 || !asU64(offsets[0], begin) ||
      !asU64(offsets[1], end) || begin > end)
    return Error{place + "expected data_offsets to be [begin, end], got " +
                 show(offsets)};
  if (end > dataBytes)
    return Error{place + "expected data_offsets within the " +
                 std::to_string(dataBytes) + " bytes after the header, got " +
                 show(offsets)};
  if (end - begin != size)
    return Error{place + "expected " + std::to_string(size) + " bytes for " +
                 dtype.get_ref<const std::string &>() + " " + show(shape) +
                 ", got data_offsets of " + std::to_string(end - begin)};
  tensor.data = data + begin;
  tensor.bytes = size;
  return tensor;
}

/// The tensors must lie side by side from the first byte to the last: a hole
/// could hide something, an overlap would make one tensor another.
Status checkCoverage(const std::vector<NamedTensor> &sorted,
                     const uint8_t *data, uint64_t dataBytes) {
  uint64_t next = 0;
  for (const NamedTensor &tensor : sorted) {
    auto begin =
        static_cast<uint64_t>(static_cast<const uint8_t *>(tensor.data) - data);
    if (begin != next)
      return Error{"tensor " + quote(tensor.name) +
                   ": expected its data at byte " + std::to_string(next) +
                   ", where the one before ends, got " + std::to_string(begin)};
    next = begin + tensor.bytes;
  }
  if (next != dataBytes)
    return Error{"expected " + std::to_string(next) +
                 " bytes after the header, got " + std::to_string(dataBytes)};
  return {};
}

} // namespace

Result<SafeTensors> SafeTensors::parse(Buffer bytes, const std::string &place) {
  auto fail = [&](const std::string &message) {
    return Error{place + ": " + message};
  };
  uint64_t size = bytes.size();
  if (size < kLengthBytes)
    return fail("expected a header's length in 8 bytes, got a file of " +
                std::to_string(size));
  uint64_t headerBytes = 0;
  for (uint64_t i = 0; i < kLengthBytes; ++i)
    headerBytes |= static_cast<uint64_t>(bytes.data()[i]) << 8 * i;
  if (headerBytes > size - kLengthBytes)
    return fail("expected a header of " + std::to_string(headerBytes) +
                " bytes, got a file with " +
                std::to_string(size - kLengthBytes) + " after the length");

  auto *text = reinterpret_cast<const char *>(bytes.data() + kLengthBytes);
  Result<json> header = parseHeader(text, headerBytes);
  if (!header)
    return fail(header.error());

  SafeTensors file;
  const uint8_t *data = bytes.data() + kLengthBytes + headerBytes;
  uint64_t dataBytes = size - kLengthBytes - headerBytes;
  for (auto &[name, entry] : header->items()) {
    if (name == "__metadata__") {
      if (!entry.is_object())
        return fail("expected __metadata__ to be an object, got " +
                    show(entry));
      for (auto &[key, value] : entry.items()) {
        if (!value.is_string())
          return fail("expected the value of " + quote(key) +
                      " in __metadata__ to be a string, got " + show(value));
        file.strings[key] = value.get<std::string>();
      }
      continue;
    }
    Result<NamedTensor> tensor = parseEntry(name, entry, data, dataBytes);
    if (!tensor)
      return fail(tensor.error());
    file.entries.push_back(std::move(*tensor));
  }

  // An empty tensor sits before the one that starts at the same byte.
  std::sort(file.entries.begin(), file.entries.end(),
            [](const NamedTensor &a, const NamedTensor &b) {
              return std::tie(a.data, a.bytes, a.name) <
                     std::tie(b.data, b.bytes, b.name);
            });
  if (Status covered = checkCoverage(file.entries, data, dataBytes); !covered)
    return fail(covered.error());
  file.bytes = std::move(bytes);
  return file;
}

Result<SafeTensors> SafeTensors::read(const std::string &path) {
  Result<Buffer> bytes = readFile(path);
  if (!bytes)
    return Error{bytes.error()};
  return parse(std::move(*bytes), path);
}

const NamedTensor *SafeTensors::find(const std::string &name) const {
  for (const NamedTensor &tensor : entries)
    if (tensor.name == name)
      return &tensor;
  return nullptr;
}

} // namespace mla::io
