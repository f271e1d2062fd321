// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: not mla-opt %s --mla-disable-rope=phase=decode 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not mla-opt %s --mla-disable-rope 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not mla-opt %s --mla-disable-rope=phases=all 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: mla-opt %s --mla-disable-rope=phase=all | FileCheck %s

// WRONG: error: mla-disable-rope: phase: expected context, generation or all, got 'decode'
// NONE: error: mla-disable-rope: phase: expected context, generation or all, got ''
// NAME: no such option phases

// All is also what has no phase.
// CHECK-LABEL: @no_phase
// CHECK: {mla.rope_off = "mla-disable-rope phase=all", rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
func.func @no_phase(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                    %p: tensor<?xi64>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(y = %y : tensor<?x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x4xf32>
}
