//===- Arena.cpp - Bump allocation of intermediates -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Context.h"

#include <algorithm>
#include <new>

/// Where CHECK and PLAN pretend the arena to be: aligned, and no address of a
/// process on any machine that we know, so it overlaps no caller's tensor.
static constexpr uint64_t fakeBase = uint64_t(1) << 62;
/// Anything above is a negative size in disguise.
static constexpr uint64_t sizeLimit = uint64_t(1) << 56;
static constexpr uint64_t minBlock = uint64_t(1) << 20;

static uint64_t roundUp(uint64_t bytes) {
  return (bytes + Arena::alignment - 1) & ~(Arena::alignment - 1);
}

static unsigned long long ull(uint64_t value) { return value; }

static void *allocateFromBlocks(mla_context &ctx, Arena &arena,
                                uint64_t bytes) {
  Arena::Block *block = arena.blocks;
  if (!block || block->size - block->used < bytes) {
    uint64_t size = std::max(bytes, block ? 2 * block->size : minBlock);
    auto *fresh = new (std::nothrow) Arena::Block;
    if (fresh)
      fresh->data = static_cast<char *>(ctx.backend->alloc(ctx, size));
    if (!fresh || !fresh->data) {
      delete fresh;
      fail(ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
           "mla_arena_alloc: expected %llu bytes of device memory, got none",
           ull(size));
      return nullptr;
    }
    fresh->size = size;
    fresh->next = arena.blocks;
    arena.blocks = block = fresh;
  }
  void *piece = block->data + block->used;
  block->used += bytes;
  return piece;
}

void *Arena::allocate(mla_context &ctx, uint64_t bytes) {
  if (bytes > sizeLimit) {
    fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
         "mla_arena_alloc: bytes: expected at most 2^56, got %llu", ull(bytes));
    return nullptr;
  }
  if (used > sizeLimit) {
    fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
         "mla_arena_alloc: expected at most 2^56 bytes taken before, got %llu",
         ull(used));
    return nullptr;
  }
  uint64_t offset = used, rounded = roundUp(bytes), end = offset + rounded;
  bool grows = ctx.isDefault && !base;
  if (ctx.mode != MLA_MODE_PLAN && !grows && end > size) {
    fail(ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
         "mla_arena_alloc: workspace: expected at least %llu bytes up to here "
         "(mode PLAN counts all that the entry takes), got %llu",
         ull(end), ull(size));
    return nullptr;
  }
  if (ctx.mode != MLA_MODE_RUN) {
    used = end;
    highWater = std::max(highWater, used);
    return reinterpret_cast<void *>(fakeBase + offset);
  }
  void *piece = grows ? allocateFromBlocks(ctx, *this, rounded) : base + offset;
  if (!piece && ctx.status != MLA_STATUS_OK)
    return nullptr;
  used = end;
  highWater = std::max(highWater, used);
  return piece;
}

void Arena::reset(mla_context &ctx) {
  used = 0;
  // The newest block is the largest; keeping it makes a steady state without
  // allocation.
  while (blocks && blocks->next) {
    Block *old = blocks->next;
    blocks->next = old->next;
    ctx.backend->free(ctx, old->data);
    delete old;
  }
  if (blocks)
    blocks->used = 0;
}

mla_status Arena::setWorkspace(mla_context &ctx, void *data, uint64_t bytes) {
  if (ctx.open)
    return fail(ctx, MLA_STATUS_FAILED_PRECONDITION,
                "mla_context_set_workspace: expected no open entry, got '%s'",
                ctx.entry);
  if (reinterpret_cast<uintptr_t>(data) % alignment)
    return fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
                "mla_context_set_workspace: data: expected an address aligned "
                "to 256 bytes, got %p",
                data);
  if (bytes > sizeLimit)
    return fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
                "mla_context_set_workspace: bytes: expected at most 2^56, got "
                "%llu",
                ull(bytes));
  reset(ctx);
  if (owned)
    ctx.backend->free(ctx, base);
  owned = false;
  base = nullptr;
  size = 0;
  if (bytes == 0)
    return MLA_STATUS_OK;
  if (!data) {
    data = ctx.backend->alloc(ctx, bytes);
    if (!data)
      return fail(ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
                  "mla_context_set_workspace: expected %llu bytes of device "
                  "memory, got none",
                  ull(bytes));
    owned = true;
  }
  base = static_cast<char *>(data);
  size = bytes;
  return MLA_STATUS_OK;
}

void Arena::release(mla_context &ctx) {
  reset(ctx);
  if (blocks) {
    ctx.backend->free(ctx, blocks->data);
    delete blocks;
    blocks = nullptr;
  }
  if (owned)
    ctx.backend->free(ctx, base);
  owned = false;
  base = nullptr;
  size = 0;
}
