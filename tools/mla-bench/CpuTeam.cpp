//===- CpuTeam.cpp - Threads that work at the same time -------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuTeam.h"

#include <algorithm>
#include <chrono>
#include <cstring>

using namespace mla::bench;

//===--- Threads ----------------------------------------------------------===//

template <typename Condition> static void waitUntil(Condition condition) {
  for (int spins = 0; !condition(); ++spins)
    if (spins > 2000)
      std::this_thread::yield();
}

Team::Team(int threads) {
  for (int t = 1; t < threads; ++t)
    others.emplace_back([this, t] { loop(t); });
}

Team::~Team() {
  assemble();
  round = -1;
  for (std::thread &thread : others)
    thread.join();
}

void Team::loop(int thread) {
  for (int64_t mine = 1;; ++mine) {
    ++ready;
    waitUntil([&] { return round == mine || round < 0; });
    if (round < 0)
      return;
    (*current)(thread);
    ++done;
  }
}

void Team::assemble() {
  waitUntil([&] { return ready == size() - 1; });
}

void Team::run(const std::function<void(int)> &work) {
  assemble();
  ready = 0;
  done = 0;
  current = &work;
  ++round;
  work(0);
  waitUntil([&] { return done == size() - 1; });
}

double mla::bench::bestRound(int threads, double seconds,
                             const std::function<void(int)> &pass) {
  using Clock = std::chrono::steady_clock;
  auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  Team team(threads);
  double best = 1e30;
  auto start = Clock::now();
  for (int64_t i = 1; i <= 3 || since(start) < seconds; ++i) {
    team.assemble();
    auto begin = Clock::now();
    team.run(pass);
    best = std::min(best, since(begin));
  }
  return best;
}

//===--- Rows -------------------------------------------------------------===//

/// Rows [begin, end) of all tokens' rows.
static void moveRange(const Transfer &t, int64_t begin, int64_t end) {
  // What is read and goes nowhere goes here.
  thread_local std::vector<char> nowhere;
  auto reads = static_cast<size_t>(t.from ? t.readBytes : 0);
  auto writes = static_cast<size_t>(t.to ? t.writeBytes : 0);
  nowhere.resize(std::max(nowhere.size(), reads));
  int64_t token = begin / t.rows, row = begin % t.rows;
  for (int64_t i = begin; i < end; ++i) {
    const char *from = nullptr;
    char *to = nullptr;
    if (reads)
      from = static_cast<const char *>(t.from) +
             (t.fromIndex ? t.fromIndex[token] : token) * t.fromToken +
             row * t.fromRow;
    if (writes)
      to = static_cast<char *>(t.to) +
           (t.toIndex ? t.toIndex[token] : token) * t.toToken + row * t.toRow;
    size_t moved = std::min(reads, writes);
    if (from == to && moved) {
      std::memcpy(nowhere.data(), from, moved);
      std::memcpy(to, nowhere.data(), moved);
    } else if (moved) {
      std::memcpy(to, from, moved);
    }
    if (reads > moved)
      std::memcpy(nowhere.data(), from + moved, reads - moved);
    if (writes > moved)
      std::memset(to + moved, 0, writes - moved);
    if (++row == t.rows) {
      row = 0;
      ++token;
    }
  }
}

void mla::bench::moveRows(const std::vector<Transfer> &transfers, int thread,
                          int threads) {
  for (const Transfer &t : transfers) {
    int64_t rows = t.tokens * t.rows;
    moveRange(t, rows * thread / threads, rows * (thread + 1) / threads);
  }
}
