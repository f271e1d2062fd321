//===- Plans.h - The launches that a case is run in -------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_PLANS_H
#define MLA_TOOLS_PARITY_PLANS_H

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
  /// What the host says of it: the core's scalar arguments. 0: nothing.
  int64_t maxKeys = 0, generationSequences = 0;

  int64_t numTokens() const;
  int64_t numGenerationTokens() const;
};

/// The names of the plans.
const std::vector<std::string> &getPlanNames();

/// The launches, over one cache, of a golden case of `tokens` tokens:
///   prefill   all tokens in one launch
///   stepwise  half of them in one launch, the rest token by token
///   batch     sequences cut at different lengths: their prefixes in one
///             launch, their continuations in the next, some of them empty;
///             then none. The host knows nothing.
///   mixed     prefixes; then sequences in generation before others in context;
///             then all in generation. The host knows which and how long.
/// Every launch has the same number of sequences. The first sequence has all
/// tokens in the end.
std::vector<Launch> planLaunches(const std::string &plan, int64_t tokens);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_PLANS_H
