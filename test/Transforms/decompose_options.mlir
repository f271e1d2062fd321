// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: not mla-opt %s --mla-decompose=form=both 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not mla-opt %s --mla-decompose=granularity=1 2>&1 | FileCheck %s --check-prefix=GRANULARITY
// RUN: not mla-opt %s --mla-decompose="form=auto chunk-length=-2" 2>&1 | FileCheck %s --check-prefix=LENGTH
// RUN: not mla-opt %s --mla-decompose="chunk-length=16" 2>&1 | FileCheck %s --check-prefix=NO-CHUNKS
// RUN: not mla-opt %s --mla-to-llvm="form=none" 2>&1 | FileCheck %s --check-prefix=PIPELINE
// RUN: mla-opt %s --mla-decompose="form=absorbed granularity=fused" | FileCheck %s

// FORM: mla-decompose: form: expected one of absorbed expanded auto, got 'both'
// GRANULARITY: mla-decompose: granularity: expected one of fused fine, got '1'
// LENGTH: mla-decompose: chunk-length: expected -1 to 2147483647, got -2
// NO-CHUNKS: mla-decompose: chunk-length: expected form=expanded or form=auto with it, got form=absorbed
// PIPELINE: mla-decompose: form: expected one of absorbed expanded auto, got 'none'
// CHECK-NOT: mla.attention
// CHECK: mla.absorbed_attention

func.func @f(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}
