//===- CaseFields.h - What a file may say of a case -------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_CASEFIELDS_H
#define MLA_BENCH_CASEFIELDS_H

#include "Case.h"

namespace mla::bench {

struct Field {
  const char *name;
  const char *otherName; ///< Which it may have too, as in the results, or "".
};

/// An integer, and where a case keeps it.
struct SizeField : Field {
  int64_t Case::*member;
  int64_t least = 1;
};

/// What a case of an op has beside "op" and "dtype".
struct OpFields {
  Op op;
  std::vector<SizeField> required, optional;
  std::vector<Field> words;
  bool lengths = false; ///< Whether sequences may differ: "kv_lens".

  /// The name of the field, "dtype" among them, that is called `key`; null
  /// where there is none.
  const char *nameOf(const std::string &key) const;
};

const std::vector<OpFields> &allOpFields();

} // namespace mla::bench

#endif // MLA_BENCH_CASEFIELDS_H
