//===- SafeTensors.h - Reading and writing .safetensors ---------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format (https://huggingface.co/docs/safetensors): the header's length as
// a little-endian u64, the header as a JSON object, then the tensors' bytes,
// row-major and little-endian.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_IO_SAFETENSORS_H
#define MLA_RUNTIME_IO_SAFETENSORS_H

#include "io/Buffer.h"
#include "io/Result.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mla::io {

/// A tensor of a file: contiguous, row-major, memory owned by somebody else.
struct NamedTensor {
  std::string name;
  uint32_t dtype = 0; // MLA_DTYPE_*
  std::vector<int64_t> shape;
  const void *data = nullptr; // of no particular alignment
  uint64_t bytes = 0;

  uint64_t numElements() const {
    uint64_t count = 1;
    for (int64_t dim : shape)
      count *= static_cast<uint64_t>(dim);
    return count;
  }
};

using Metadata = std::map<std::string, std::string>;

/// A file's content, all of it in memory.
class SafeTensors {
public:
  /// Reads and checks the whole file: nothing that its header says is believed
  /// before it has been compared with the bytes that are there. Errors are one
  /// sentence that starts with `path`.
  static Result<SafeTensors> read(const std::string &path);
  /// The same of bytes in memory; `place` starts the errors.
  static Result<SafeTensors> parse(Buffer bytes, const std::string &place);

  /// In the order of their bytes.
  const std::vector<NamedTensor> &tensors() const { return entries; }
  /// Null when there is none of that name.
  const NamedTensor *find(const std::string &name) const;
  const Metadata &metadata() const { return strings; }

private:
  Buffer bytes;
  std::vector<NamedTensor> entries;
  Metadata strings;
};

/// Writes the tensors, those of wide elements first so that all are aligned.
/// The file appears whole or not at all. Names must differ.
Status writeSafeTensors(const std::string &path,
                        const std::vector<NamedTensor> &tensors,
                        const Metadata &metadata = {});

} // namespace mla::io

#endif // MLA_RUNTIME_IO_SAFETENSORS_H
