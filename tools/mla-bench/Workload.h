//===- Workload.h - A case with its operands, ready to be called *- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_WORKLOAD_H
#define MLA_BENCH_WORKLOAD_H

#include "Case.h"
#include "Operands.h"

#include <functional>

namespace mla::bench {

/// The call of a case through the C ABI. The pages of the sequences are in a
/// shuffled order; the data are random.
class Workload {
public:
  Workload(mla_context *ctx, Device &device, const Case &c);

  /// Why the operands can't be had; empty when they can.
  const std::string &failure() const { return operands.failure(); }
  /// Makes the call. The status is the context's sticky one, whose text says
  /// what the call failed for.
  mla_status call() const { return body(); }

private:
  Operands operands;
  std::function<mla_status()> body;
};

} // namespace mla::bench

#endif // MLA_BENCH_WORKLOAD_H
