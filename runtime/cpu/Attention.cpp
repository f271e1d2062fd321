//===- Attention.cpp - Attention's tiles over the CPU's threads -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Attention.h"

#include "Rows.h"
#include "Threads.h"

#include <cmath>
#include <limits>

using namespace mla;
using namespace mla::cpu;

/// Parts for each thread, so that one that is late doesn't hold up the rest.
static const int64_t partsPerThread = 4;
/// Fewer keys than this aren't worth a state of their own.
static const int64_t leastKeys = 4 * AttentionTile::blockKeys;

/// Multiply-adds, roughly: reading a key costs as much as some rows do.
static double costOf(const AttentionTask &task,
                     const AttentionTile::Shape &shape) {
  return static_cast<double>(task.rowEnd - task.rowBegin + 8) *
         static_cast<double>(task.keyEnd - task.keyBegin) *
         static_cast<double>(shape.width() + shape.value.width);
}

mla_status Attention::run() {
  // All that can be needed, whatever the lengths are: the next step's are
  // others, and it is not to allocate.
  int64_t most = maxThreads(ctx), parts = most > 1 ? partsPerThread * most : 0;
  int64_t taskFloats = paddedWidth(
      floatsOf(maxTiles + parts, sizeof(AttentionTask) / sizeof(float)));
  int64_t stateFloats = floatsOf(parts * shape.rows, stateStride());
  int64_t tileFloats = paddedWidth(AttentionTile::scratchSize(shape));
  float *block =
      scratch(ctx, taskFloats + stateFloats + floatsOf(most, tileFloats));
  if (!block)
    return ctx.status;
  tasks = reinterpret_cast<AttentionTask *>(block);
  states = block + taskFloats;
  float *tiles = states + stateFloats;

  prepare();
  split();
  parallelFor(threads, numTasks, [&](int64_t i, int64_t thread) {
    AttentionTile tile(tiles + thread * tileFloats, shape);
    attend(tasks[i], tile);
  });
  for (int64_t i = 0; i < numTasks; ++i) {
    const AttentionTask &task = tasks[i];
    if (task.parts > 1 && task.part == 0)
      parallelFor(threads, task.rowEnd - task.rowBegin,
                  [&](int64_t row, int64_t thread) {
                    merge(task, row, tiles + thread * tileFloats);
                  });
  }
  return MLA_STATUS_OK;
}

void Attention::storeState(int64_t t, int64_t h, const float *sum,
                           float logSum) const {
  storeRow(o, o.at(t, h), sum);
  if (lse)
    floatAt(lse, t, h) = logSum;
}

void Attention::writeNothing(int64_t begin, int64_t end) const {
  for (int64_t t = begin; t < end; ++t)
    for (int64_t h = 0; h < o.dim(1); ++h) {
      zeroRow(o, o.at(t, h));
      if (lse)
        floatAt(lse, t, h) = -std::numeric_limits<float>::infinity();
    }
}

void Attention::split() {
  double work = 0;
  for (int64_t i = 0; i < numTasks; ++i)
    work += costOf(tasks[i], shape);
  threads = threadsFor(ctx, work);
  if (threads == 1)
    return;
  double share = work / static_cast<double>(partsPerThread * threads);
  auto partsOf = [&](const AttentionTask &tile) {
    auto wanted = static_cast<int64_t>(costOf(tile, shape) / share);
    int64_t possible = (tile.keyEnd - tile.keyBegin) / leastKeys;
    return std::max<int64_t>(1, std::min(wanted, possible));
  };
  int64_t total = 0;
  for (int64_t i = 0; i < numTasks; ++i)
    total += partsOf(tasks[i]);
  // From the last on: the parts need more room than the tiles have.
  int64_t place = total, state = 0;
  for (int64_t i = numTasks - 1; i >= 0; --i) {
    AttentionTask tile = tasks[i];
    int64_t parts = partsOf(tile), numRows = tile.rowEnd - tile.rowBegin;
    int64_t keys = tile.keyEnd - tile.keyBegin;
    int64_t blocks =
        (keys + AttentionTile::blockKeys - 1) / AttentionTile::blockKeys;
    place -= parts;
    for (int64_t part = 0; part < parts; ++part) {
      AttentionTask task = tile;
      task.parts = parts;
      task.part = part;
      task.keyBegin =
          tile.keyBegin + blocks * part / parts * AttentionTile::blockKeys;
      if (part + 1 < parts)
        task.keyEnd = tile.keyBegin +
                      blocks * (part + 1) / parts * AttentionTile::blockKeys;
      if (parts > 1) {
        task.state = state;
        state += numRows;
      }
      tasks[place + part] = task;
    }
  }
  numTasks = total;
}

void Attention::attend(const AttentionTask &task, AttentionTile &tile) {
  int64_t rows = task.rowEnd - task.rowBegin;
  tile.start(rows, [&](int64_t i, float *out) {
    loadQuery(task, task.rowBegin + i, out);
  });
  for (int64_t i = 0; i < rows; ++i) {
    if (task.part == 0)
      tile.setSink(i, sinkOf(task, task.rowBegin + i));
    tile.setBound(i, boundOf(task, task.rowBegin + i));
  }
  for (int64_t next = task.keyBegin; next < task.keyEnd;) {
    int64_t first = next, more = 0;
    int64_t count = loadKeys(task, next, AttentionTile::blockKeys, tile, 0);
    if (tile.takesAddresses()) {
      int64_t peek = next;
      more = loadKeys(task, peek, tile.ahead(), tile, count);
    }
    tile.addBlock(first, count, more);
  }
  for (int64_t i = 0; i < rows; ++i) {
    float *o = tile.finish(i);
    if (task.parts == 1) {
      store(task, task.rowBegin + i, o, tile.lse(i));
      continue;
    }
    float *state = stateOf(task.state + i);
    std::copy_n(o, shape.value.width, state);
    state[shape.value.width] = tile.lse(i);
  }
}

/// Adds up the states (o, lse) of the parts of a tile: they stand for the pairs
/// (exp(lse) o, exp(lse)).
void Attention::merge(const AttentionTask &first, int64_t row, float *sum) {
  const float empty = -std::numeric_limits<float>::infinity();
  const AttentionTask *parts = &first;
  float top = empty, total = 0;
  for (int64_t i = 0; i < first.parts; ++i)
    top = std::max(top, stateOf(parts[i].state + row)[shape.value.width]);
  std::fill_n(sum, shape.value.width, 0.0f);
  for (int64_t i = 0; i < first.parts; ++i) {
    const float *state = stateOf(parts[i].state + row);
    float lse = state[shape.value.width];
    if (lse == empty)
      continue;
    float weight = std::exp(lse - top);
    total += weight;
    simd().add(sum, shape.value.width, weight, state);
  }
  if (total != 0)
    simd().scale(sum, shape.value.width, 1.0f / total);
  store(first, first.rowBegin + row, sum,
        total != 0 ? top + std::log(total) : empty);
}
