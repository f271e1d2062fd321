//===- Sets.h - A case with several sets of operands ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_SETS_H
#define MLA_BENCH_SETS_H

#include "Workload.h"

#include <algorithm>
#include <memory>

namespace mla::bench {

/// The same case several times, each with its own memory.
class Sets {
public:
  Sets(mla_context *ctx, Device &device, const Case &c, double spread)
      : ctx(ctx), device(device), what(c), spread(spread) {}

  int64_t size() const { return static_cast<int64_t>(workloads.size()); }
  uint64_t bytes() const { return workloads.front()->bytes(); }
  const Workload &operator[](int64_t set) const {
    return *workloads[static_cast<size_t>(set)];
  }

  /// Makes another set, which isn't called.
  io::Status add() {
    auto workload =
        std::make_unique<Workload>(ctx, device, what, size(), spread);
    if (!workload->failure().empty())
      return io::Error{workload->failure()};
    workloads.push_back(std::move(workload));
    return {};
  }

  /// Makes sets until there are `count`, or another one would take more than
  /// half of the memory that is left, and calls each once, which does what is
  /// lazy. The status of the calls is the context's.
  void grow(int64_t count) {
    uint64_t room = device.freeBytes() / 2 / std::max<uint64_t>(bytes(), 1);
    int64_t most =
        size() + static_cast<int64_t>(std::min<uint64_t>(room, 1000));
    while (size() < std::min(count, most)) {
      if (!add()) { // those that there are will do
        mla_context_clear_error(ctx);
        break;
      }
      if (workloads.back()->call())
        break;
    }
  }

  /// One call a set, of the first `count` sets.
  Works calls(int64_t count) const {
    Works works;
    for (int64_t i = 0; i < std::min(count, size()); ++i)
      works.push_back([workload = workloads[static_cast<size_t>(i)].get()] {
        workload->call();
      });
    return works;
  }

private:
  mla_context *ctx;
  Device &device;
  const Case &what;
  double spread; ///< Of random operands.
  std::vector<std::unique_ptr<Workload>> workloads;
};

} // namespace mla::bench

#endif // MLA_BENCH_SETS_H
