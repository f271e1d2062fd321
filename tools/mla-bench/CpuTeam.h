//===- CpuTeam.h - Threads that work at the same time -----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_CPUTEAM_H
#define MLA_BENCH_CPUTEAM_H

#include "Device.h"

#include <atomic>
#include <thread>

namespace mla::bench {

/// Threads that wait for work without sleeping, so that it starts at once. The
/// caller's is one of them.
class Team {
public:
  explicit Team(int threads);
  ~Team();
  Team(const Team &) = delete;

  int size() const { return static_cast<int>(others.size()) + 1; }
  /// Waits until all wait for work.
  void assemble();
  /// Lets all do work(thread), and returns when all have. From one thread.
  void run(const std::function<void(int)> &work);

private:
  void loop(int thread);

  const std::function<void(int)> *current = nullptr;
  std::atomic<int64_t> round{0}; ///< Below 0: no more.
  std::atomic<int> ready{0}, done{0};
  std::vector<std::thread> others;
};

/// Lets `threads` threads do pass(thread) again and again, at the same time,
/// and returns the seconds of the quickest round of all. A round is timed from
/// its common start to its last thread's end, so that a thread that the system
/// holds up spoils one round only.
double bestRound(int threads, double seconds,
                 const std::function<void(int)> &pass);

/// Moves thread `thread`'s part of the transfers, of `threads` about equal
/// ones.
void moveRows(const std::vector<Transfer> &transfers, int thread, int threads);

} // namespace mla::bench

#endif // MLA_BENCH_CPUTEAM_H
