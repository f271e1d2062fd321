//===- Placement.cpp - Places of buffers in one arena ---------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workspace.h"

#include <queue>
#include <set>

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// So many slots are looked for places among each other; any further ones are
/// put behind all.
static constexpr size_t kMaxSearchedSlots = 16;

namespace {

/// A place for buffers of one size that are needed one after the other. The
/// layers of a step fill the same slots one after the other, however many they
/// are, so that what follows deals with those of one.
struct Slot {
  Size size = nullptr;
  Size offset = nullptr, end = nullptr;
  SmallVector<Buffer *> buffers;
  /// Slots with a buffer at the same time as one of this.
  llvm::BitVector conflicts;
};

using NumbersByEnd =
    std::priority_queue<std::pair<unsigned, unsigned>,
                        std::vector<std::pair<unsigned, unsigned>>,
                        std::greater<>>;

} // namespace

static std::vector<Slot> fillSlots(MutableArrayRef<Buffer *> buffers) {
  llvm::stable_sort(buffers, [](const Buffer *a, const Buffer *b) {
    return a->begin < b->begin;
  });
  std::vector<Slot> slots;
  DenseMap<Size,
           std::priority_queue<unsigned, std::vector<unsigned>, std::greater<>>>
      freeSlots;
  std::set<unsigned> taken;
  NumbersByEnd ends;
  for (Buffer *buffer : buffers) {
    while (!ends.empty() && ends.top().first < buffer->begin) {
      unsigned number = ends.top().second;
      ends.pop();
      taken.erase(number);
      freeSlots[slots[number].size].push(number);
    }
    auto &candidates = freeSlots[buffer->size];
    unsigned number = slots.size();
    if (candidates.empty()) {
      slots.emplace_back();
      slots.back().size = buffer->size;
    } else {
      // The lowest: layers that are the same get the same slots.
      number = candidates.top();
      candidates.pop();
    }
    Slot &slot = slots[number];
    slot.buffers.push_back(buffer);
    for (unsigned other : taken) {
      if (slot.conflicts.size() <= other)
        slot.conflicts.resize(other + 1);
      slot.conflicts.set(other);
      Slot &otherSlot = slots[other];
      if (otherSlot.conflicts.size() <= number)
        otherSlot.conflicts.resize(number + 1);
      otherSlot.conflicts.set(number);
    }
    taken.insert(number);
    ends.push({buffer->end, number});
  }
  return slots;
}

/// The lowest offset that can be shown not to make `slot` overlap a slot that
/// is needed at the same time: 0, or the end of one of those; behind all of
/// them where nothing can be shown.
static Size findOffset(Sizes &sizes, const Slot &slot,
                       ArrayRef<const Slot *> others) {
  auto isFree = [&](Size offset) {
    Size end = sizes.add(offset, slot.size);
    return llvm::all_of(others, [&](const Slot *other) {
      return sizes.isAtMost(other->end, offset) ||
             sizes.isAtMost(end, other->offset);
    });
  };
  Size best = nullptr;
  auto consider = [&](Size offset) {
    if ((!best || sizes.estimate(offset) < sizes.estimate(best)) &&
        isFree(offset))
      best = offset;
  };
  consider(sizes.constant(0));
  for (const Slot *other : others)
    consider(other->end);
  if (best)
    return best;
  best = others.front()->end;
  for (const Slot *other : others)
    best = sizes.max(best, other->end);
  return best;
}

Size mla::detail::placeBuffers(Sizes &sizes,
                               MutableArrayRef<Buffer *> buffers) {
  std::vector<Slot> slots = fillSlots(buffers);
  SmallVector<unsigned> order =
      llvm::to_vector(llvm::seq<unsigned>(0, slots.size()));
  llvm::stable_sort(order, [&](unsigned a, unsigned b) {
    return sizes.estimate(slots[a].size) > sizes.estimate(slots[b].size);
  });
  Size total = sizes.constant(0);
  for (auto [rank, number] : llvm::enumerate(order)) {
    Slot &slot = slots[number];
    if (rank < kMaxSearchedSlots) {
      SmallVector<const Slot *> others;
      for (unsigned other : ArrayRef(order).take_front(rank))
        if (other < slot.conflicts.size() && slot.conflicts.test(other))
          others.push_back(&slots[other]);
      slot.offset = findOffset(sizes, slot, others);
    } else {
      slot.offset = total;
    }
    slot.end = sizes.add(slot.offset, slot.size);
    total = sizes.shorten(slot.offset == total ? slot.end
                                               : sizes.max(total, slot.end));
    for (Buffer *buffer : slot.buffers)
      buffer->offset = slot.offset;
  }
  return total;
}
