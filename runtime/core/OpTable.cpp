//===- OpTable.cpp - ops.def as data, for the checks and the trace --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/OpTable.h"

#include <string_view>

static constexpr std::string_view symNames[numSyms] = {
    "T", "B", "H", "L", "N",    "R",       "V",
    "P", "K", "S", "D", "topk", "max_pos", "pages"};

const char *symName(Sym sym) {
  return symNames[static_cast<unsigned>(sym)].data();
}

//===----------------------------------------------------------------------===//
// Dims, parsed while compiling: a slip in ops.def is a compile error
//===----------------------------------------------------------------------===//

static constexpr int parseNumber(std::string_view text) {
  int value = 0;
  for (char c : text)
    value = 10 * value + (c - '0');
  return value;
}

static constexpr void parseTerm(std::string_view term, DimSpec &dim) {
  if (!term.empty() && term[0] >= '0' && term[0] <= '9') {
    dim.literal = static_cast<int8_t>(dim.literal + parseNumber(term));
    return;
  }
  size_t slash = term.find('/');
  if (slash != std::string_view::npos) {
    dim.divisor = static_cast<uint8_t>(parseNumber(term.substr(slash + 1)));
    term = term.substr(0, slash);
  }
  for (unsigned i = 0; i < numSyms; ++i)
    if (term == symNames[i]) {
      dim.syms[dim.numTerms++] = static_cast<Sym>(i);
      return;
    }
  throw "unknown symbol in the dims of ops.def";
}

static constexpr DimSpec parseDim(std::string_view text) {
  DimSpec dim;
  if (text == "*") {
    dim.star = true;
    return dim;
  }
  while (true) {
    size_t plus = text.find('+');
    parseTerm(text.substr(0, plus), dim);
    if (plus == std::string_view::npos)
      return dim;
    text.remove_prefix(plus + 1);
  }
}

static constexpr DimsSpec parseDims(std::string_view text) {
  DimsSpec dims;
  while (!text.empty()) {
    size_t comma = text.find(',');
    DimSpec dim = parseDim(text.substr(0, comma));
    if (dim.star)
      dims.star = dims.size;
    dims.dims[dims.size++] = dim;
    if (comma == std::string_view::npos)
      break;
    text.remove_prefix(comma + 1);
  }
  return dims;
}

//===----------------------------------------------------------------------===//
// The tables
//===----------------------------------------------------------------------===//

static constexpr FieldSpec makeTensor(const char *name, FieldRole role,
                                      Presence presence, DTypes dtypes,
                                      std::string_view dims, size_t offset) {
  FieldSpec field;
  field.name = name;
  field.role = role;
  field.presence = presence;
  field.dtypes = dtypes;
  field.dims = parseDims(dims);
  field.offset = static_cast<uint32_t>(offset);
  return field;
}

static constexpr FieldSpec makeValue(const char *name, FieldKind kind,
                                     Presence presence, size_t offset) {
  FieldSpec field;
  field.name = name;
  field.kind = kind;
  field.presence = presence;
  field.offset = static_cast<uint32_t>(offset);
  return field;
}

#define MLA_OP_BEGIN(op, since, doc) static constexpr FieldSpec op##Fields[] = {
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  makeTensor(#field, FieldRole::role, Presence::presence, DTypes::dtypes,      \
             dims, offsetof(mla_##op##_params, field)),
#define MLA_CACHE(op, field, role, presence, since, doc)                       \
  makeTensor(#field "_latent", FieldRole::role, Presence::presence,            \
             DTypes::CACHE, "pages,P,L",                                       \
             offsetof(mla_##op##_params, field##_latent)),                     \
      makeTensor(#field "_pe", FieldRole::role, Presence::OPTIONAL,            \
                 DTypes::CACHE, "pages,P,R",                                   \
                 offsetof(mla_##op##_params, field##_pe)),                     \
      makeTensor(#field "_scales", FieldRole::role, Presence::OPTIONAL,        \
                 DTypes::F32, "pages,P,L/128",                                 \
                 offsetof(mla_##op##_params, field##_scales)),
#define MLA_I64(op, field, presence, since, doc)                               \
  makeValue(#field, FieldKind::I64, Presence::presence,                        \
            offsetof(mla_##op##_params, field)),
#define MLA_F64(op, field, presence, since, doc)                               \
  makeValue(#field, FieldKind::F64, Presence::presence,                        \
            offsetof(mla_##op##_params, field)),
#define MLA_STR(op, field, presence, since, doc)                               \
  makeValue(#field, FieldKind::Str, Presence::presence,                        \
            offsetof(mla_##op##_params, field)),
#define MLA_OP_END(op)                                                         \
  }                                                                            \
  ;                                                                            \
  static_assert(sizeof(op##Fields) / sizeof(FieldSpec) <= maxFields,           \
                "raise maxFields");
#include "mla_runtime/ops.def"

static constexpr OpSpec opSpecs[] = {
#define MLA_OP_BEGIN(op, since, doc)                                           \
  {#op, "mla_" #op, op##Fields, sizeof(op##Fields) / sizeof(FieldSpec),        \
   sizeof(mla_##op##_params)},
#include "mla_runtime/ops.def"
};

const OpSpec &opSpec(OpId op) { return opSpecs[static_cast<unsigned>(op)]; }
