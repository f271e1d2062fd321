//===- Result.h - A value or a sentence -------------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How the functions of runtime/io report failure: nothing is thrown across
// them.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_IO_RESULT_H
#define MLA_RUNTIME_IO_RESULT_H

#include <optional>
#include <string>
#include <utility>

namespace mla::io {

/// One sentence about what went wrong: the place, what was expected, what came.
struct Error {
  std::string message;
};

/// A value, or the reason why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : value(std::move(value)) {}
  Result(Error error) : failure(std::move(error.message)) {}

  explicit operator bool() const { return value.has_value(); }
  T &operator*() { return *value; }
  const T &operator*() const { return *value; }
  T *operator->() { return &*value; }
  const T *operator->() const { return &*value; }

  /// The sentence; empty when there is a value.
  const std::string &error() const { return failure; }

private:
  std::optional<T> value;
  std::string failure;
};

/// Success, or the reason why not.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Error error) : ok(false), failure(std::move(error.message)) {}

  explicit operator bool() const { return ok; }
  const std::string &error() const { return failure; }

private:
  bool ok = true;
  std::string failure;
};

} // namespace mla::io

#endif // MLA_RUNTIME_IO_RESULT_H
