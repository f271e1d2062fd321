//===- Runner.h - Runs one plan of one core and compares --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_RUNNER_H
#define MLA_TOOLS_PARITY_RUNNER_H

#include "Device.h"
#include "Inputs.h"
#include "Module.h"
#include "Reference.h"

#include <optional>
#include <string>
#include <vector>

namespace mla::parity {

/// A device and what outlives a plan on it.
struct Session {
  ContextPtr ctx;
  uint64_t workspace = 0; ///< bytes that the context has
};

/// The inputs that are the same in every launch, on the device.
struct Constants {
  std::optional<DeviceTensor> weight, table, sinks;

  static io::Result<Constants> upload(mla_context *ctx, const Inputs &inputs);
};

enum class Status { Pass, Fail, Skipped };

struct Outcome {
  Status status = Status::Fail;
  /// ‖out − ref‖ / ‖ref‖ over all tokens of all sequences; NaN when it did not
  /// get that far. Where it would not pass, ref has either code of a quantized
  /// query that is near a tie.
  double error = 0;
  std::string reason; ///< empty when it passed
  /// Of each sequence, [tokens, H, V].
  std::vector<HostTensor> outputs;
};

/// The largest error that passes: 1e-5 in f32, 2e-4 with a query in fp8, which
/// a backend may multiply in f16; else 1e-2.
double getTolerance(const CacheLayout &layout);

/// Runs `plan` on an entry compiled for these inputs, page size and cache. What
/// must come out is what was recorded or, with a quantized cache, what
/// attention over the cache's rows gives. Beside the error it fails when a byte
/// of the cache changed that is no new row's, a new row isn't what it should
/// be, a row of padding isn't 0 or an input changed.
Outcome runPlan(Session &session, const Entry &entry, const Inputs &inputs,
                const Constants &constants, Reference &reference,
                int64_t pageSize, const std::string &plan);

/// ‖a − b‖ / ‖b‖ over what two plans computed of the first sequence.
double getDistance(const Outcome &a, const Outcome &b);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_RUNNER_H
