//===- Symbols.cpp - Sizes that an entry's arguments share ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Symbols.h"

namespace mla::run {

std::string showShape(const std::vector<int64_t> &shape) {
  std::string out = "[";
  for (int64_t dim : shape)
    out += (out.size() > 1 ? ", " : "") + std::to_string(dim);
  return out + "]";
}

io::Status Symbols::set(const std::string &symbol, int64_t value,
                        const std::string &source) {
  auto [it, added] = entries.insert({symbol, {value, source}});
  if (added || it->second.value == value)
    return {};
  return io::Error{source + ": expected " + symbol + " = " +
                   std::to_string(it->second.value) + " as in " +
                   it->second.source + ", got " + std::to_string(value)};
}

void Symbols::setDefault(const std::string &symbol, int64_t value) {
  entries.insert({symbol, {value, "the defaults"}});
}

std::optional<int64_t> Symbols::get(const std::string &symbol) const {
  auto it = entries.find(symbol);
  return it == entries.end() ? std::nullopt : std::optional(it->second.value);
}

io::Status Symbols::match(const io::ManifestArg &arg,
                          const std::vector<int64_t> &shape) {
  bool fits = shape.size() == arg.shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) {
    const io::ManifestDim &dim = arg.shape[i];
    fits = dim.symbol.empty() ? shape[i] == dim.offset : shape[i] >= dim.offset;
  }
  if (!fits)
    return io::Error{arg.name + ": expected shape " + arg.showShape() +
                     ", got " + showShape(shape)};
  for (size_t i = 0; i < shape.size(); ++i)
    // An unnamed size is one of its own.
    if (const io::ManifestDim &dim = arg.shape[i];
        !dim.symbol.empty() && dim.symbol != "?")
      if (io::Status status = set(dim.symbol, shape[i] - dim.offset, arg.name);
          !status)
        return status;
  return {};
}

io::Result<std::vector<int64_t>>
Symbols::resolve(const io::ManifestArg &arg) const {
  std::vector<int64_t> shape;
  for (const io::ManifestDim &dim : arg.shape) {
    std::optional<int64_t> value =
        dim.symbol.empty() ? std::optional<int64_t>(0) : get(dim.symbol);
    if (!value)
      return io::Error{arg.name + ": expected a size for its dim " + dim.str() +
                       " from another argument or --set " + dim.symbol +
                       "=N, got none"};
    shape.push_back(*value + dim.offset);
  }
  return shape;
}

} // namespace mla::run
