//===- RunOp.h - The course of every operation's call -----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_RUNOP_H
#define MLA_RUNTIME_CORE_RUNOP_H

#include "core/Checker.h"
#include "core/Params.h"
#include "core/Trace.h"

/// What an op adds to the generic check. Both return false after a refusal.
template <typename Params> struct OpRules {
  /// Before it: clears fields that mean nothing, binds symbols.
  bool (*prepare)(Checker &checker, Params &params) = nullptr;
  /// After it: dims and dtypes can be relied on.
  bool (*check)(Checker &checker, const Params &params) = nullptr;
};

/// Hands a status that a backend returned without a sentence one.
inline mla_status finishOp(mla_context &ctx, const OpSpec &spec,
                           mla_status status) {
  if (status != MLA_STATUS_OK && ctx.status == MLA_STATUS_OK)
    fail(ctx, status, "mla_%s: the backend '%s' failed without a reason",
         spec.name, ctx.backend->name);
  return ctx.status;
}

/// Normalizes, checks, traces, and in RUN mode hands over to the backend.
template <typename Params, typename BackendFn>
mla_status runOp(mla_context *ctx, const Params *params, OpId op,
                 BackendFn MlaBackend::*run, BackendFn MlaBackend::*supports,
                 OpRules<Params> rules) {
  const OpSpec &spec = opSpec(op);
  if (!ctx)
    return failThread(MLA_STATUS_INVALID_ARGUMENT,
                      "mla_%s: expected a context, got null", spec.name);
  if (ctx->status != MLA_STATUS_OK)
    return ctx->status;
  // A text without a status is that of an earlier mla_context_check.
  ctx->text[0] = '\0';
  try {
    Params own = {};
    if (!readParams(*ctx, spec, params, &own))
      return ctx->status;
    Checker checker(*ctx, spec, &own);
    if ((rules.prepare && !rules.prepare(checker, own)) || !checker.run() ||
        (rules.check && !rules.check(checker, own)))
      return ctx->status;
    if (ctx->trace)
      traceCall(*ctx, spec, &own, checker.dim(Sym::R));
    const MlaBackend &backend = *ctx->backend;
    if (backend.*supports) {
      mla_status status = (backend.*supports)(*ctx, own);
      if (status != MLA_STATUS_OK)
        return finishOp(*ctx, spec, status);
    }
    if (ctx->mode != MLA_MODE_RUN)
      return MLA_STATUS_OK;
    return finishOp(*ctx, spec, (backend.*run)(*ctx, own));
  } catch (...) {
    // Only memory for a text or a backend's scratch can be missing here.
    return fail(*ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
                "mla_%s: expected host memory for the call, got none",
                spec.name);
  }
}

/// Defines the ABI's function mla_<op> with its OpRules, in braces.
#define MLA_DEFINE_OP(op, ...)                                                 \
  extern "C" mla_status mla_##op(mla_context *ctx,                             \
                                 const mla_##op##_params *params) {            \
    return runOp<mla_##op##_params>(ctx, params, OpId::op, &MlaBackend::op,    \
                                    &MlaBackend::supports_##op, __VA_ARGS__);  \
  }

#endif // MLA_RUNTIME_CORE_RUNOP_H
