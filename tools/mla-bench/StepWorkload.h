//===- StepWorkload.h - A step with its arguments ---------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_STEPWORKLOAD_H
#define MLA_BENCH_STEPWORKLOAD_H

#include "Operands.h"
#include "PagedCache.h"
#include "Step.h"

#include <map>

namespace mla::bench {

/// A call of a compiled step, with arguments of its own. Every layer has its
/// own weights and its own cache; the pages of the sequences are in a shuffled
/// order, the same for all layers; the data are random.
class StepWorkload {
public:
  /// `set` and `spread` as Workload's.
  StepWorkload(mla_context *ctx, Device &device, const StepCase &step,
               int64_t set, double spread);

  /// Why the arguments can't be had; empty when they can.
  const std::string &failure() const { return reason; }
  /// Makes the call, in the context's mode; the status is its sticky one.
  mla_status call() const {
    return function(ctx, args.data(), static_cast<int64_t>(args.size()));
  }
  /// Device memory that the arguments take.
  uint64_t bytes() const { return operands.bytes(); }
  const std::vector<mla_tensor> &arguments() const { return args; }

private:
  /// Null, and a failure, where nothing of that name is known.
  const mla_tensor *make(const io::ManifestArg &arg);
  const mla_tensor *makeMetadata(const std::string &name, const Dims &shape,
                                 uint32_t dtype);
  io::Result<Dims> resolve(const io::ManifestArg &arg) const;

  mla_context *ctx;
  Operands operands;
  const Case c;
  mla_entry_fn function;
  std::map<std::string, int64_t> sizes; ///< Of symbols.
  std::optional<PagedSequences> sequences;
  std::vector<mla_tensor> args;
  /// Values of scalars, in the host's memory, which args point at.
  std::vector<std::unique_ptr<int64_t>> scalars;
  std::string reason;
};

} // namespace mla::bench

#endif // MLA_BENCH_STEPWORKLOAD_H
