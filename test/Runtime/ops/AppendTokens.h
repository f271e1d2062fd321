//===- AppendTokens.h - mla_append over many tokens, bit for bit ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A reference in float64 is slow. It is asked about a few tokens alone; the
// call that is tested has any number of them, each with the inputs of one of
// the few. Inputs that are neither rotated nor converted have any bits, the
// others are such that their results are exact before they are rounded, so that
// all bytes are known.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_APPENDTOKENS_H
#define MLA_TEST_RUNTIME_OPS_APPENDTOKENS_H

#include "AppendCase.h"
#include "MemoryImage.h"

namespace mla {
namespace test {

/// Where a call's tensors lie.
struct AppendLayout {
  /// c_kv and k_pe are slices of one tensor, and q_nope and q_pe of another.
  bool sliced = false;
  /// Rows lie in wider ones, behind and before multiples of so many elements,
  /// which is how they are aligned; 0: they lie close together.
  int64_t kv = 0, q = 0, query = 0, kPeOut = 0, table = 0;
  Layout cache = Layout::Dense;
  Layout lists = Layout::Dense; ///< Of slots and positions.
};

class AppendTokens {
public:
  /// `form` says what varies, and has no tensors; `distinct` tokens differ.
  AppendTokens(Random &random, const AppendCase &form,
               const AppendLayout &layout, int64_t distinct);

  /// The tested call, whose slots, positions, scales and cu_q may be changed
  /// until expect() looks at them.
  AppendCase call;

  /// Works out what all memory is to hold after the call.
  void expect();
  /// What has come out otherwise; empty: nothing.
  std::string difference() const { return image.difference(); }
  std::string describe() const;

private:
  void makeFew(Random &random, const AppendCase &form, int64_t distinct);
  void computeFew();
  void makeInputs(Random &random, const AppendLayout &layout);
  void makeOutputs(Random &random, const AppendLayout &layout);
  void makeLists(Random &random, const AppendLayout &layout);

  bool hasGoodScales() const;
  void expectQuery(int64_t token, bool isCleared);
  void expectKey(int64_t token, bool isCleared);

  AppendCase few;
  /// What becomes of the few tokens, in the types of the outputs.
  TestTensor queryOfFew, kPeOutOfFew, latentOfFew, peOfFew, scalesOfFew;
  std::vector<int64_t> source; ///< The one of the few that a token is.
  MemoryImage image;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_APPENDTOKENS_H
