//===- Arena.h - Bump allocation of intermediates -------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_ARENA_H
#define MLA_RUNTIME_CORE_ARENA_H

#include "mla_runtime/tensor.h"

/// Hands out 256-byte aligned pieces of the workspace, all freed at once.
struct Arena {
  static constexpr uint64_t alignment = 256;

  char *base = nullptr; ///< The workspace.
  uint64_t size = 0;    ///< Of it, in bytes.
  bool owned = false;   ///< The runtime allocated it.
  uint64_t used = 0;    ///< Since the last reset; in PLAN and CHECK too.
  uint64_t highWater = 0;

  /// A default context has no workspace but a list of blocks, newest first, the
  /// first of which is being filled.
  struct Block {
    Block *next = nullptr;
    char *data = nullptr;
    uint64_t size = 0;
    uint64_t used = 0;
  };
  Block *blocks = nullptr;

  /// Null with a sticky error when the workspace is too small. In CHECK and
  /// PLAN an address that is aligned, distinct, and not to be dereferenced.
  void *allocate(mla_context &ctx, uint64_t bytes);
  /// Frees everything handed out.
  void reset(mla_context &ctx);
  /// Gives back everything owned, at the context's end.
  void release(mla_context &ctx);
  /// Replaces the workspace; see mla_context_set_workspace.
  mla_status setWorkspace(mla_context &ctx, void *data, uint64_t bytes);
};

#endif // MLA_RUNTIME_CORE_ARENA_H
