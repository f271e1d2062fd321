//===- CaseFields.cpp - What a file may say of a case ---------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CaseFields.h"

using namespace mla::bench;

static const SizeField batchField = {{"batch", "B"}, &Case::batch};
static const SizeField newTokensField = {{"query_tokens", ""},
                                         &Case::newTokens};
static const SizeField headsField = {{"heads", "H"}, &Case::heads};
static const SizeField latentField = {{"latent", "L"}, &Case::latent};
static const SizeField peField = {{"pe", "R"}, &Case::pe, 0};
static const SizeField nopeField = {{"nope", "N"}, &Case::nope};
static const SizeField valueField = {{"value", "V"}, &Case::value};
static const SizeField pageField = {{"page_size", "P"}, &Case::page};
static const SizeField topkField = {{"topk", ""}, &Case::topk, 0};
static const SizeField keysField = {{"kv_len", "kv"}, &Case::keys};
static const SizeField rowsField = {{"rows", "S"}, &Case::keys};
static const SizeField statesField = {{"states", "S"}, &Case::states};
// Of single tokens; append's are spread over sequences.
static const SizeField tokensField = {{"tokens", "T"}, &Case::batch};

static const Field cacheField = {"cache", "cache_dtype"};
static const Field queryDtypeField = {"query_dtype", ""};

const std::vector<OpFields> &mla::bench::allOpFields() {
  static const std::vector<OpFields> ops = {
      {Op::AbsorbedAttention,
       {batchField, headsField, keysField},
       {newTokensField, latentField, peField, pageField, topkField},
       {cacheField, queryDtypeField},
       true},
      {Op::ExpandedAttention,
       {batchField, headsField, keysField},
       {newTokensField, nopeField, valueField, peField},
       {},
       true},
      {Op::ExpandKV,
       {rowsField, headsField},
       {latentField, nopeField, valueField},
       {}},
      {Op::AbsorbQ,
       {tokensField, headsField},
       {latentField, nopeField, peField},
       {}},
      {Op::ProjectV, {tokensField, headsField}, {latentField, valueField}, {}},
      {Op::Append,
       {tokensField, headsField},
       {latentField, nopeField, peField, pageField},
       {cacheField,
        queryDtypeField,
        {"phase", ""},
        {"rope", ""},
        {"query", ""},
        {"sliced", ""}}},
      {Op::GatherKV,
       {batchField, keysField},
       {latentField, peField, pageField},
       {cacheField},
       true},
      {Op::MergeStates,
       {tokensField, headsField, statesField},
       {latentField},
       {}}};
  return ops;
}

const char *OpFields::nameOf(const std::string &key) const {
  auto is = [&](const Field &field) {
    return key == field.name || (*field.otherName && key == field.otherName);
  };
  for (const auto *list : {&required, &optional})
    for (const SizeField &field : *list)
      if (is(field))
        return field.name;
  for (const Field &field : words)
    if (is(field))
      return field.name;
  return key == "dtype" ? "dtype" : nullptr;
}
