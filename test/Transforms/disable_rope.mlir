// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A module with both phases, of which one or both lose their rope.

// RUN: mla-opt %s --mla-disable-rope=phase=generation 2>/dev/null \
// RUN:   | FileCheck %s --check-prefixes=NOTE-GEN,CONTEXT-ON,GENERATION-OFF,OTHERS
// RUN: mla-opt %s --mla-disable-rope=phase=context 2>/dev/null \
// RUN:   | FileCheck %s --check-prefixes=NOTE-CTX,CONTEXT-OFF,GENERATION-ON,OTHERS
// RUN: mla-opt %s --mla-disable-rope=phase=all 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=NOTE-ALL,CONTEXT-ALL,GENERATION-ALL,OTHERS --implicit-check-not=warning

// After canonicalization nothing of the rotation is left; the query's shape and the
// positional part are as they were.
// RUN: mla-opt %s --mla-disable-rope=phase=generation --canonicalize 2>/dev/null \
// RUN:   | FileCheck %s --check-prefixes=CONTEXT-ON,CANONICAL

// Once is enough.
// RUN: mla-opt %s --mla-disable-rope=phase=all -o %t.once
// RUN: mla-opt %t.once --mla-disable-rope=phase=all | diff %t.once -

// NOTE-GEN: module attributes {mla.notes = ["earlier", "mla-disable-rope phase=generation"]}
// NOTE-CTX: module attributes {mla.notes = ["earlier", "mla-disable-rope phase=context"]}
// NOTE-ALL: module attributes {mla.notes = ["earlier", "mla-disable-rope phase=all"]}
module attributes {mla.notes = ["earlier"]} {

// CONTEXT-ON-LABEL: @context
// CONTEXT-ON: positions =
// CONTEXT-ON-SAME: {phase = #mla.phase<context>, rope = #mla.rope<interleaved, head_dim = 4>}
// CONTEXT-OFF-LABEL: @context
// CONTEXT-OFF: positions =
// CONTEXT-OFF-SAME: {mla.rope_off = "mla-disable-rope phase=context", phase = #mla.phase<context>, rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
// CONTEXT-ALL-LABEL: @context
// CONTEXT-ALL: {mla.rope_off = "mla-disable-rope phase=all", phase = #mla.phase<context>, rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
func.func @context(
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>, %q_pe: tensor<?x2x4xbf16>,
    %slots: tensor<?xi64>, %table: tensor<?x4xf32>, %p: tensor<?xi64>,
    %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x20xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %table : tensor<?x4xf32>, positions = %p : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {phase = #mla.phase<context>, rope = #mla.rope<interleaved, head_dim = 4>}
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xbf16>
}

// GENERATION-ON-LABEL: @generation
// GENERATION-ON: {phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 4>}
// GENERATION-OFF-LABEL: @generation
// GENERATION-OFF: {mla.rope_off = "mla-disable-rope phase=generation", phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
// GENERATION-ALL-LABEL: @generation
// GENERATION-ALL: {mla.rope_off = "mla-disable-rope phase=all", phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
// CANONICAL-LABEL: @generation
// CANONICAL: mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, q_pe = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>) outs(query = %{{[a-z0-9]+}} : tensor<?x2x20xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>) {mla.rope_off = "mla-disable-rope phase=generation", phase = #mla.phase<generation>}
func.func @generation(
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>, %q_pe: tensor<?x2x4xbf16>,
    %slots: tensor<?xi64>, %table: tensor<?x4xf32>, %p: tensor<?xi64>,
    %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x20xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %table : tensor<?x4xf32>, positions = %p : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 4>}
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xbf16>
}

// What doesn't rotate needs no phase and gets no note.
// OTHERS-LABEL: @off_before
// OTHERS: {rope = #mla.rope<half, head_dim = 4, enabled = false>}
func.func @off_before(%x: tensor<?x4xbf16>, %y: tensor<?x4xf32>)
    -> tensor<?x4xf32> {
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>) outs(y = %y : tensor<?x4xf32>)
      {rope = #mla.rope<half, head_dim = 4, enabled = false>}
  return %r : tensor<?x4xf32>
}

}
