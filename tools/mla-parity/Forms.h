//===- Forms.h - The launches that a form of a core consists of -*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_FORMS_H
#define MLA_TOOLS_PARITY_FORMS_H

#include <cstdint>
#include <string>
#include <vector>

namespace mla::parity {

/// New tokens [begin, begin + count) of a sequence, which is the golden's; the
/// first `begin` are in the cache already.
struct Segment {
  int64_t begin = 0;
  int64_t count = 0;
};

/// One call of the core: the new tokens of every sequence, in order, and rows
/// of padding behind the last.
struct Launch {
  std::vector<Segment> segments;
  int64_t padding = 0;

  int64_t numTokens() const;
};

/// The names of the forms that this version runs.
const std::vector<std::string> &getFormNames();

/// The launches of a form, over one cache, of a golden case of `tokens` tokens:
///   absorbed  all tokens in one launch
///   stepwise  half of them in one launch, the rest token by token
///   batch     sequences cut at different lengths: their prefixes in one
///   launch,
///             their continuations in the next, some of them empty; then none
/// Every launch has the same number of sequences.
std::vector<Launch> planForm(const std::string &form, int64_t tokens);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_FORMS_H
