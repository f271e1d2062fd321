//===- Workload.h - A case with its operands, ready to be called *- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_WORKLOAD_H
#define MLA_BENCH_WORKLOAD_H

#include "Calls.h"

namespace mla::bench {

/// The call of a case through the C ABI, with operands of its own. The pages of
/// the sequences are in a shuffled order; the data are random.
class Workload {
public:
  /// `set` tells the sets of operands apart that a case is measured with: it
  /// shuffles otherwise. Without a context there is no memory: the addresses
  /// are made up, and nothing may be called. `spread` is that of Operands.
  Workload(mla_context *ctx, Device &device, const Case &c, int64_t set = 0,
           double spread = 1);

  /// Why the operands can't be had; empty when they can.
  const std::string &failure() const { return operands.failure(); }
  /// Makes the call. The status is the context's sticky one, whose text says
  /// what the call failed for.
  mla_status call() const { return made.run(ctx); }
  /// Device memory that the operands take.
  uint64_t bytes() const { return operands.bytes(); }
  /// The rows that the call moves, for append and gather_kv: together with the
  /// indices and the scales the bytes of the case. None for other ops.
  std::vector<Transfer> transfers() const;
  /// What append is called with; null for other ops.
  const mla_append_params *appendParams() const { return made.append.get(); }

private:
  mla_context *ctx;
  Operands operands;
  Call made;
};

} // namespace mla::bench

#endif // MLA_BENCH_WORKLOAD_H
