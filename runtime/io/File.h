//===- File.h - Files read and written whole --------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_IO_FILE_H
#define MLA_RUNTIME_IO_FILE_H

#include "io/Buffer.h"
#include "io/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mla::io {

/// The content of a regular file. Errors name the file.
Result<Buffer> readFile(const std::string &path);

/// A piece of what is to be written, borrowed.
struct Piece {
  const void *data;
  uint64_t size;
};

/// Writes the pieces one after the other. The file appears whole, or what was
/// there before stays: the bytes go to a temporary file in the same directory,
/// which then takes the name. A device or a pipe is written directly. Errors
/// name the file.
Status writeFile(const std::string &path, const std::vector<Piece> &pieces);
Status writeFile(const std::string &path, const std::string &text);

} // namespace mla::io

#endif // MLA_RUNTIME_IO_FILE_H
