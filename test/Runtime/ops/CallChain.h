//===- CallChain.h - Calls of which each needs the one before -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A kernel may start before the one ahead of it in the stream has ended. It is
// to read nothing before that is written, and to write nothing before that is
// read: here every call overwrites what the call before has read and reads what
// it has written.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_CALLCHAIN_H
#define MLA_TEST_RUNTIME_OPS_CALLCHAIN_H

#include "DeviceCopies.h"
#include "TestTensor.h"

#include <functional>

namespace mla {
namespace test {

/// Rounds of: other latents and keys, other positions, an append that rotates
/// its query in place, and a gather of the rows that it has written.
class CallChain {
public:
  CallChain(Random &random, int64_t tokens, int64_t heads);

  /// Where the positions are written, beside what the other stream does.
  struct Aside {
    mla_context *ctx = nullptr;
    std::function<void()> fork, join;
  };

  /// Enqueues all rounds. The operands are on the device once upload() is done.
  mla_status enqueue(mla_context *ctx, const Aside *aside = nullptr) const;
  void upload() const { copies.upload(); }
  void download(mla_context *ctx) const { copies.download(ctx); }

  /// Says what isn't as it is to be after `times` times all rounds, with
  /// nothing downloaded between them; empty: all is.
  std::string difference(int64_t times) const;

  static constexpr int64_t rounds = 10;

private:
  struct Round {
    mla_fill_params fillKv, fillPositions;
    mla_append_params append;
    mla_gather_kv_params gather;
    TestTensor cKv, kPe; ///< What is gathered.
  };
  Round makeRound(Random &random, int64_t index);

  int64_t tokens;
  TestTensor kv, positions, slots, table, query, queryBefore, pageTable, kvLens,
      pool;
  std::vector<Round> all;
  DeviceCopies copies;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_CALLCHAIN_H
