//===- ValidCall.h - Valid calls of every operation, at random --*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_FUZZ_PARAMS_VALIDCALL_H
#define MLA_TEST_FUZZ_PARAMS_VALIDCALL_H

#include "Arena.h"
#include "Fields.h"
#include "Input.h"

#include <deque>
#include <map>

namespace mla {
namespace fuzz {

/// The parameters of one call and the tensors that they point to, in an arena.
class AnyCall {
public:
  AnyCall(const Op &op, Arena &arena) : op(op), params(op.size), arena(arena) {
    setField(params.data(), {Field::I64, "struct_size", 0}, op.size);
  }

  /// Shapes, types, strides, presence and data that the operation accepts.
  void makeValid(Input &input);
  /// Spoils some of the numbers that the device reads: lengths, pages, slots.
  void damageData(Input &input);
  /// Spoils descriptors, attributes and the struct itself.
  void damageFields(Input &input);

  mla_status run(mla_context *ctx) const { return op.call(ctx, params.data()); }
  /// Tensors whose descriptors are present; all, or those that the call writes.
  std::vector<const mla_tensor *> tensors(bool writtenOnly) const;

private:
  friend class Maker;

  const Field *find(const std::string &name) const;
  mla_tensor *tensor(const std::string &name) const;
  void drop(const std::string &name);
  void set(const std::string &name, int64_t value);
  int64_t get(const std::string &name) const;

  const Op &op;
  std::vector<char> params;
  Arena &arena;
  std::deque<mla_tensor> descriptors;
};

} // namespace fuzz
} // namespace mla

#endif // MLA_TEST_FUZZ_PARAMS_VALIDCALL_H
