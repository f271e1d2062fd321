//===- SafeTensorsWrite.cpp - Writing .safetensors -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Dtype.h"
#include "io/File.h"
#include "io/SafeTensors.h"

#include <nlohmann/json.hpp>

#include <algorithm>

using nlohmann::json;

namespace mla::io {

Status writeSafeTensors(const std::string &path,
                        const std::vector<NamedTensor> &tensors,
                        const Metadata &metadata) {
  std::vector<const NamedTensor *> order;
  for (const NamedTensor &tensor : tensors)
    order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(),
                   [](const NamedTensor *a, const NamedTensor *b) {
                     return dtypeBytes(a->dtype) > dtypeBytes(b->dtype);
                   });

  json header = json::object();
  if (!metadata.empty())
    header["__metadata__"] = metadata;
  uint64_t next = 0;
  for (const NamedTensor *tensor : order) {
    std::string place = path + ": tensor '" + tensor->name + "': ";
    const char *dtype = safetensorsName(tensor->dtype);
    if (!dtype)
      return Error{place + "expected a type that the format has, got code " +
                   std::to_string(tensor->dtype)};
    if (tensor->bytes != tensor->numElements() * dtypeBytes(tensor->dtype))
      return Error{
          place + "expected " +
          std::to_string(tensor->numElements() * dtypeBytes(tensor->dtype)) +
          " bytes for its shape, got " + std::to_string(tensor->bytes)};
    if (tensor->name == "__metadata__" || header.contains(tensor->name))
      return Error{place + "expected a name of its own, got one that is taken"};
    header[tensor->name] = {{"dtype", dtype},
                            {"shape", tensor->shape},
                            {"data_offsets", {next, next + tensor->bytes}}};
    next += tensor->bytes;
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception &) {
    return Error{path +
                 ": expected names and metadata in UTF-8, got other bytes"};
  }
  text.append((8 - text.size() % 8) % 8, ' '); // so that the data is aligned

  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i)
    length[i] = static_cast<char>(text.size() >> 8 * i & 0xff);
  std::vector<Piece> pieces = {{length.data(), length.size()},
                               {text.data(), text.size()}};
  for (const NamedTensor *tensor : order)
    pieces.push_back({tensor->data, tensor->bytes});
  return writeFile(path, pieces);
}

} // namespace mla::io
