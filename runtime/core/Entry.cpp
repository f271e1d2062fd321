//===- Entry.cpp - What an entry of a compiled module begins and ends -----===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/TensorChecks.h"

#include <cstdio>
#include <cstring>
#include <string>

static bool mayWrite(uint32_t role) {
  return role == MLA_ROLE_OUTPUT || role == MLA_ROLE_INOUT;
}

namespace {
/// The check of one entry's arguments.
struct EntryChecker {
  mla_context &ctx;
  const char *entry;
  const mla_arg_spec *specs;
  const mla_tensor *args;
  int64_t count;

  bool checkSpec(const mla_arg_spec &spec) const;
  bool checkShape(int64_t index) const;
  bool checkPackedRows(int64_t index) const;
  bool checkOverlaps() const;
  bool run() const;

  /// Where an earlier argument has the same symbol as dimension `dim` of
  /// argument `index`; false when it is the first.
  bool findEarlier(int64_t index, int dim, int64_t &otherIndex,
                   int &otherDim) const;
};
} // namespace

bool EntryChecker::checkSpec(const mla_arg_spec &spec) const {
  if (spec.name && spec.rank >= 0 && spec.rank <= MLA_MAX_RANK &&
      spec.role >= MLA_ROLE_INPUT && spec.role <= MLA_ROLE_SCALAR &&
      !(spec.flags & ~MLA_ARG_PACKED_ROWS) && mla_dtype_bits(spec.dtype))
    return true;
  fail(ctx, MLA_STATUS_FAILED_PRECONDITION,
       "%s: %s: expected an argument specification of ABI %d, got another",
       entry, spec.name ? spec.name : "(unnamed)", MLA_ABI_VERSION);
  return false;
}

bool EntryChecker::findEarlier(int64_t index, int dim, int64_t &otherIndex,
                               int &otherDim) const {
  int64_t symbol = specs[index].dims[dim];
  if (symbol >= -1)
    return false;
  for (otherIndex = 0; otherIndex <= index; ++otherIndex) {
    int end = otherIndex == index ? dim : specs[otherIndex].rank;
    for (otherDim = 0; otherDim < end; ++otherDim)
      if (specs[otherIndex].dims[otherDim] == symbol)
        return true;
  }
  return false;
}

bool EntryChecker::checkShape(int64_t index) const {
  const mla_arg_spec &spec = specs[index];
  const mla_tensor &arg = args[index];
  bool matches = arg.rank == spec.rank;
  std::string expected, reason;
  for (int dim = 0; dim < spec.rank; ++dim) {
    int64_t size = spec.dims[dim], otherIndex = 0;
    int otherDim = 0;
    bool shared = size < 0 && findEarlier(index, dim, otherIndex, otherDim);
    if (shared)
      size = args[otherIndex].shape[otherDim];
    bool fits = size < 0 || arg.rank != spec.rank || arg.shape[dim] == size;
    if (!fits && shared && reason.empty())
      reason = std::string(" (dimension ") + std::to_string(dim) +
               " is dimension " + std::to_string(otherDim) + " of " +
               specs[otherIndex].name + ")";
    matches &= fits;
    expected += (dim ? ", " : "") + (size < 0 ? "?" : std::to_string(size));
  }
  if (matches)
    return true;
  char got[192];
  fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
       "%s: %s: expected shape [%s], got %s%s", entry, spec.name,
       expected.c_str(), shapeText(arg, got, sizeof(got)), reason.c_str());
  return false;
}

bool EntryChecker::checkPackedRows(int64_t index) const {
  const mla_tensor &arg = args[index];
  if (!(specs[index].flags & MLA_ARG_PACKED_ROWS))
    return true;
  for (int dim = 0; dim < arg.rank; ++dim) {
    bool isByte = dim + 1 == arg.rank;
    int64_t stride = arg.strides[dim];
    if (arg.shape[dim] <= 1 || (isByte ? stride == 1 : stride % 4 == 0))
      continue;
    fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
         isByte ? "%s: %s: expected the bytes of a row side by side, got "
                  "stride %lld"
                : "%s: %s: expected rows at multiples of 4 bytes, got stride "
                  "%lld in dimension %d",
         entry, specs[index].name, static_cast<long long>(stride), dim);
    return false;
  }
  // The views in the body would refuse it too, by names that the caller hasn't
  // given.
  Extent extent = extentOf(arg);
  if (ctx.mode == MLA_MODE_PLAN || extent.empty() || extent.begin % 4 == 0)
    return true;
  fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
       "%s: %s: expected rows at multiples of 4 bytes, got address %p with "
       "byte_offset %llu",
       entry, specs[index].name, arg.data,
       static_cast<unsigned long long>(arg.byte_offset));
  return false;
}

bool EntryChecker::checkOverlaps() const {
  for (int64_t i = 0; i < count; ++i)
    for (int64_t j = 0; mayWrite(specs[i].role) && j < count; ++j)
      if (i != j && certainlyOverlap(args[i], args[j])) {
        fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
             "%s: %s: expected memory apart from the other arguments, got an "
             "overlap with %s",
             entry, specs[i].name, specs[j].name);
        return false;
      }
  return true;
}

bool EntryChecker::run() const {
  for (int64_t i = 0; i < count; ++i) {
    const mla_arg_spec &spec = specs[i];
    const mla_tensor &arg = args[i];
    if (!checkSpec(spec))
      return false;
    if (arg.dtype != spec.dtype) {
      fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
           "%s: %s: expected dtype %s, got %s", entry, spec.name,
           mla_dtype_name(spec.dtype), mla_dtype_name(arg.dtype));
      return false;
    }
    TensorUse use;
    use.written = mayWrite(spec.role);
    use.onHost = spec.role == MLA_ROLE_SCALAR;
    if (!checkTensor(ctx, entry, spec.name, arg, use) || !checkShape(i) ||
        !checkPackedRows(i))
      return false;
  }
  return ctx.mode == MLA_MODE_PLAN || checkOverlaps();
}

static mla_status begin(mla_context &ctx, const char *entry,
                        const mla_arg_spec *specs, int64_t numSpecs,
                        const mla_tensor *args, int64_t numArgs) {
  if (ctx.open)
    return fail(ctx, MLA_STATUS_FAILED_PRECONDITION,
                "mla_begin: expected no open entry, got '%s' while '%s' begins",
                ctx.entry, entry);
  mla_context_clear_error(&ctx);
  ctx.arena.reset(ctx);
  if (numArgs < 0)
    return fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
                "%s: num_args: expected a non-negative value, got %lld", entry,
                static_cast<long long>(numArgs));
  if (numArgs != numSpecs)
    return fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
                "%s: expected %lld arguments, got %lld", entry,
                static_cast<long long>(numSpecs),
                static_cast<long long>(numArgs));
  if (numArgs > 0 && (!args || !specs))
    return fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
                "%s: expected %lld %s, got null", entry,
                static_cast<long long>(numArgs),
                args ? "specifications" : "arguments");
  if (!EntryChecker{ctx, entry, specs, args, numArgs}.run())
    return ctx.status;
  ctx.open = true;
  std::snprintf(ctx.entry, sizeof(ctx.entry), "%s", entry);
  if (ctx.trace)
    std::fprintf(stderr, "mla: begin %s\n", ctx.entry);
  return MLA_STATUS_OK;
}

extern "C" mla_status mla_begin(mla_context *ctx, const char *entry,
                                const mla_arg_spec *specs, int64_t num_specs,
                                const mla_tensor *args, int64_t num_args) {
  if (!ctx)
    return failThread(MLA_STATUS_INVALID_ARGUMENT,
                      "mla_begin: expected a context, got null");
  try {
    return begin(*ctx, entry ? entry : "mla_begin", specs, num_specs, args,
                 num_args);
  } catch (...) {
    return fail(*ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
                "mla_begin: expected host memory for the call, got none");
  }
}

extern "C" mla_status mla_end(mla_context *ctx) {
  if (!ctx)
    return failThread(MLA_STATUS_INVALID_ARGUMENT,
                      "mla_end: expected a context, got null");
  bool wasOpen = ctx->open;
  ctx->open = false;
  if (!wasOpen && ctx->status == MLA_STATUS_OK)
    return fail(*ctx, MLA_STATUS_FAILED_PRECONDITION,
                "mla_end: expected an open entry, got none");
  return ctx->status;
}

extern "C" void *mla_arena_alloc(mla_context *ctx, uint64_t bytes) {
  if (!ctx) {
    failThread(MLA_STATUS_INVALID_ARGUMENT,
               "mla_arena_alloc: expected a context, got null");
    return nullptr;
  }
  if (ctx->status != MLA_STATUS_OK)
    return nullptr;
  return ctx->arena.allocate(*ctx, bytes);
}
