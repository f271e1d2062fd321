// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The dialect and its passes in a stock mlir-opt, which knows the passes of a plugin
// in a textual pipeline only.

// UNSUPPORTED: sanitize
// RUN: mlir-opt %s --load-dialect-plugin=%shlibdir/MLAPlugin.so \
// RUN:     --load-pass-plugin=%shlibdir/MLAPlugin.so \
// RUN:     --pass-pipeline='builtin.module(mla-disable-rope{phase=all},canonicalize)' \
// RUN:   | FileCheck %s

// CHECK-LABEL: @rope
// CHECK: mla.rope ins(x = %{{[a-z0-9]+}} : tensor<?x4xbf16>) outs(y = %{{[a-z0-9]+}} : tensor<?x4xf32>) {mla.rope_off = "mla-disable-rope phase=all"}
func.func @rope(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                %p: tensor<?xi64>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(y = %y : tensor<?x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x4xf32>
}
