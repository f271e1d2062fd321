// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// aiter's operator.

// RUN: mla-opt %s --allow-unregistered-dialect --convert-custom-call-to-mla -o %t 2>%t.remarks
// RUN: FileCheck %s --input-file=%t
// RUN: FileCheck %s --input-file=%t.remarks --check-prefix=REMARK

// The two tables become one; f32 is copied, and anything else converted.
// CHECK-LABEL: @rope(
// CHECK: %[[EMPTY:.*]] = tensor.empty(%{{.*}}) : tensor<?x64xf32>
// CHECK: %[[COS:.*]] = tensor.insert_slice %arg10 into %[[EMPTY]][0, 0] [%{{.*}}, 32] [1, 1] : tensor<?x32xf32> into tensor<?x64xf32>
// CHECK: %[[TABLE:.*]] = tensor.insert_slice %arg11 into %[[COS]][0, 32] [%{{.*}}, 32] [1, 1] : tensor<?x32xf32> into tensor<?x64xf32>
// CHECK: %[[QUERY:.*]], %[[CACHE:.*]] = mla.append ins(c_kv = %arg2 : tensor<8x512xbf16>, k_pe = %arg3 : tensor<8x64xbf16>, q_nope = %arg0 : tensor<8x16x512xbf16>, q_pe = %arg1 : tensor<8x16x64xbf16>, slots = %arg6 : tensor<8xi64>, cos_sin = %[[TABLE]] : tensor<?x64xf32>, positions = %arg9 : tensor<8xi64>) outs(query = %arg5 : tensor<8x16x576xbf16>, cache = %arg4 : tensor<?x1x576xbf16>) {rope = #mla.rope<interleaved, head_dim = 64>}
// CHECK: return %[[CACHE]], %[[QUERY]]
// REMARK: 'fused_qk_rope_concat_and_cache_mla' becomes mla.append; writes q_out of a token without a slot, too{{$}}
func.func @rope(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>, %cache: tensor<?x1x576xbf16>,
    %q: tensor<8x16x576xbf16>, %slots: tensor<8xi64>, %ks: tensor<1xf32>,
    %qs: tensor<f32>, %p: tensor<8xi64>, %cos: tensor<?x32xf32>,
    %sin: tensor<?x32xf32>)
    -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>) {
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots, %ks, %qs, %p, %cos, %sin)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {is_neox = false, is_nope_first = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xbf16>, tensor<8x16x576xbf16>,
         tensor<8xi64>, tensor<1xf32>, tensor<f32>, tensor<8xi64>, tensor<?x32xf32>,
         tensor<?x32xf32>)
      -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>)
  return %r#0, %r#1 : tensor<?x1x576xbf16>, tensor<8x16x576xbf16>
}

// Half pairing, tables of 16 bits with dimensions of 1, an fp8 query and cache with a
// scale each, quantized from f32, and all rows of the query.
// CHECK-LABEL: @rope_fp8(
// CHECK: %[[COS:.*]] = tensor.extract_slice %arg10[0, 0, 0, 0] [128, 1, 1, 32] [1, 1, 1, 1] : tensor<128x1x1x32xbf16> to tensor<128x32xbf16>
// CHECK: %[[SIN:.*]] = tensor.extract_slice %arg11[0, 0, 0, 0] [128, 1, 1, 32] [1, 1, 1, 1] : tensor<128x1x1x32xbf16> to tensor<128x32xbf16>
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<128x64xf32>
// CHECK: %[[LEFT:.*]] = tensor.extract_slice %[[EMPTY]][0, 0] [128, 32] [1, 1]
// CHECK: %[[Y0:.*]] = mla.rope ins(x = %[[COS]] : tensor<128x32xbf16>) outs(y = %[[LEFT]] : tensor<128x32xf32>)
// CHECK: %[[T0:.*]] = tensor.insert_slice %[[Y0]] into %[[EMPTY]][0, 0] [128, 32] [1, 1]
// CHECK: %[[RIGHT:.*]] = tensor.extract_slice %[[T0]][0, 32] [128, 32] [1, 1]
// CHECK: %[[Y1:.*]] = mla.rope ins(x = %[[SIN]] : tensor<128x32xbf16>) outs(y = %[[RIGHT]] : tensor<128x32xf32>)
// CHECK: %[[TABLE:.*]] = tensor.insert_slice %[[Y1]] into %[[T0]][0, 32] [128, 32] [1, 1]
// CHECK: %[[KS:.*]] = tensor.extract_slice %arg7[0] [1] [1] : tensor<1xf32> to tensor<f32>
// CHECK: mla.append {{.*}} cos_sin = %[[TABLE]] : tensor<128x64xf32>, positions = %arg9 : tensor<8xi64>, query_scale = %arg8 : tensor<f32>, latent_scale = %[[KS]] : tensor<f32>, pe_scale = %[[KS]] : tensor<f32>) outs(query = %arg5 : tensor<8x16x576xf8E4M3FN>, cache = %arg4 : tensor<?x1x576xf8E4M3FN>) {rope = #mla.rope<half, head_dim = 64>}
// REMARK: 'aiter.fused_qk_rope_concat_and_cache_mla' becomes mla.rope, mla.rope, mla.append{{$}}
func.func @rope_fp8(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>,
    %cache: tensor<?x1x576xf8E4M3FN>, %q: tensor<8x16x576xf8E4M3FN>,
    %slots: tensor<8xi64>, %ks: tensor<1xf32>, %qs: tensor<f32>,
    %p: tensor<8xi64>, %cos: tensor<128x1x1x32xbf16>,
    %sin: tensor<128x1x1x32xbf16>)
    -> (tensor<?x1x576xf8E4M3FN>, tensor<8x16x576xf8E4M3FN>) {
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots, %ks, %qs, %p, %cos, %sin)
      {call_target_name = "aiter.fused_qk_rope_concat_and_cache_mla",
       backend_config = {is_neox = true, is_nope_first = true,
                         compute_all_q_rope = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xf8E4M3FN>, tensor<8x16x576xf8E4M3FN>,
         tensor<8xi64>, tensor<1xf32>, tensor<f32>, tensor<8xi64>,
         tensor<128x1x1x32xbf16>, tensor<128x1x1x32xbf16>)
      -> (tensor<?x1x576xf8E4M3FN>, tensor<8x16x576xf8E4M3FN>)
  return %r#0, %r#1 : tensor<?x1x576xf8E4M3FN>, tensor<8x16x576xf8E4M3FN>
}

// No tables, no rope: one launch still, and no table of ones and zeros.
// CHECK-LABEL: @no_table(
// CHECK-NEXT: mla.append ins(c_kv = %arg2 : tensor<8x512xbf16>, k_pe = %arg3 : tensor<8x64xbf16>, q_nope = %arg0 : tensor<8x16x512xbf16>, q_pe = %arg1 : tensor<8x16x64xbf16>, slots = %arg6 : tensor<8xi64>) outs(query = %arg5 : tensor<8x16x576xbf16>, cache = %arg4 : tensor<?x1x576xbf16>) {mla.rope_off = "convert-custom-call-to-mla: no rotary table"}
// REMARK: 'fused_qk_rope_concat_and_cache_mla' becomes mla.append; no rope, for there is no table; writes q_out of a token without a slot, too
func.func @no_table(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>, %cache: tensor<?x1x576xbf16>,
    %q: tensor<8x16x576xbf16>, %slots: tensor<8xi64>)
    -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>) {
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {operands = ["q_nope", "q_pe", "kv_c", "k_pe", "kv_cache", "q_out", "slot_mapping"],
                         is_nope_first = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xbf16>, tensor<8x16x576xbf16>,
         tensor<8xi64>)
      -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>)
  return %r#0, %r#1 : tensor<?x1x576xbf16>, tensor<8x16x576xbf16>
}
