//===- Calls.h - How calls of the C ABI are made ----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_CALLS_H
#define MLA_BENCH_CALLS_H

#include "Case.h"
#include "Operands.h"

#include <functional>
#include <memory>
#include <random>

namespace mla::bench {

/// What makes the call of a case. All of it is for when the operands have their
/// memory.
struct Call {
  std::function<mla_status(mla_context *)> run;
  /// What has to be done once before; empty: nothing.
  std::function<void(mla_context *)> prepare;
  /// The rows that it moves; empty where it isn't about moving rows.
  std::function<std::vector<Transfer>()> transfers;
  std::shared_ptr<const mla_append_params> append; ///< Of append alone.
};

/// Params of which nothing is there.
template <typename Params> Params makeParams() {
  Params params = {};
  params.struct_size = sizeof(Params);
  return params;
}

Call makeAppend(Operands &operands, const Case &c, std::mt19937 &random);
Call makeGatherKV(Operands &operands, const Case &c, std::mt19937 &random);

//===--- Rows that are moved ----------------------------------------------===//

/// One end of a transfer.
struct Rows {
  char *data = nullptr; ///< Null: nothing is read, or written.
  int64_t tokens = 0, rows = 1;
  int64_t bytes = 0;                      ///< Of a row.
  int64_t tokenStride = 0, rowStride = 0; ///< Bytes to the next one.
  const int64_t *index = nullptr;
};

/// The rows [T, W] or [T, H, W] of a tensor; nothing of a null one.
Rows rowsOf(const mla_tensor *tensor);
/// The rows of [max, W] that `index`, i64 [T], says.
Rows rowsOf(const mla_tensor *tensor, const mla_tensor *index);
/// The rows of a part of the cache, [pages, P, W] of a dense pool, that
/// `slots`, i64 [T], says; nothing of a null part.
Rows cacheRows(const mla_tensor *part, const mla_tensor *slots);
/// From one to the other; both are of as many rows, or there is only one.
Transfer move(const Rows &from, const Rows &to);

} // namespace mla::bench

#endif // MLA_BENCH_CALLS_H
