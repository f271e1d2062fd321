//===- OpTable.h - ops.def as data, for the checks and the trace ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_OPTABLE_H
#define MLA_RUNTIME_CORE_OPTABLE_H

#include "mla_runtime/runtime.h"

#include <cstddef>

// The enumerators are spelled as in ops.def, which is expanded into them.

enum class OpId : uint8_t {
#define MLA_OP_BEGIN(op, since, doc) op,
#include "mla_runtime/ops.def"
};

enum class FieldKind : uint8_t { Tensor, I64, F64, Str };
enum class FieldRole : uint8_t { IN, OUT };
enum class Presence : uint8_t { REQUIRED, OPTIONAL };
enum class DTypes : uint8_t { ACT, QUERY, CACHE, F32, I32, INT, I64T, ANY };

/// Symbols of dims; "count" is their number.
enum class Sym : uint8_t {
  T,
  B,
  H,
  L,
  N,
  R,
  V,
  P,
  K,
  S,
  D,
  topk,
  max_pos,
  pages,
  count
};
constexpr unsigned numSyms = static_cast<unsigned>(Sym::count);
const char *symName(Sym sym);

/// One dimension: a sum of up to two symbols and a literal, or one symbol over
/// a divisor, of which it is then a multiple; or the star.
struct DimSpec {
  Sym syms[2] = {Sym::count, Sym::count};
  uint8_t numTerms = 0;
  int8_t literal = 0;
  uint8_t divisor = 1;
  bool star = false;
};

struct DimsSpec {
  DimSpec dims[MLA_MAX_RANK];
  int8_t size = 0;
  int8_t star = -1; ///< Index of the star.
};

struct FieldSpec {
  const char *name = nullptr;
  FieldKind kind = FieldKind::Tensor;
  FieldRole role = FieldRole::IN;
  Presence presence = Presence::OPTIONAL;
  DTypes dtypes = DTypes::ANY;
  DimsSpec dims;
  uint32_t offset = 0;
};

struct OpSpec {
  const char *name;     ///< "append".
  const char *function; ///< "mla_append".
  const FieldSpec *fields;
  unsigned numFields;
  unsigned paramsSize;
};

const OpSpec &opSpec(OpId op);

/// Most fields of an op; checked where the table is built.
constexpr unsigned maxFields = 32;

inline const mla_tensor *tensorField(const void *params,
                                     const FieldSpec &field) {
  return *reinterpret_cast<const mla_tensor *const *>(
      static_cast<const char *>(params) + field.offset);
}
inline int64_t i64Field(const void *params, const FieldSpec &field) {
  return *reinterpret_cast<const int64_t *>(static_cast<const char *>(params) +
                                            field.offset);
}
inline double f64Field(const void *params, const FieldSpec &field) {
  return *reinterpret_cast<const double *>(static_cast<const char *>(params) +
                                           field.offset);
}
inline const char *strField(const void *params, const FieldSpec &field) {
  return *reinterpret_cast<const char *const *>(
      static_cast<const char *>(params) + field.offset);
}

#endif // MLA_RUNTIME_CORE_OPTABLE_H
