//===- Fields.h - The fields of every operation's parameters ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_FUZZ_PARAMS_FIELDS_H
#define MLA_TEST_FUZZ_PARAMS_FIELDS_H

#include "mla_runtime/runtime.h"

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace mla {
namespace fuzz {

/// A field as ops.def has it; the strings are the table's words.
struct Field {
  enum Kind { Tensor, I64, F64, Str } kind;
  const char *name;
  size_t offset;
  bool written = false;
  bool required = false;
  const char *dtypes = "";
  const char *dims = "";
};

/// A call of any operation: its parameters as bytes.
struct Op {
  const char *name;
  size_t size;
  mla_status (*call)(mla_context *, const void *);
  std::vector<Field> fields;
};

/// All operations, in the order of ops.def.
const std::vector<Op> &allOps();

template <typename T> T getField(const char *params, const Field &field) {
  T value;
  std::memcpy(&value, params + field.offset, sizeof(value));
  return value;
}
template <typename T> void setField(char *params, const Field &field, T value) {
  std::memcpy(params + field.offset, &value, sizeof(value));
}

} // namespace fuzz
} // namespace mla

#endif // MLA_TEST_FUZZ_PARAMS_FIELDS_H
