// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// vLLM's operators.

// RUN: mla-opt %s --allow-unregistered-dialect --convert-custom-call-to-mla -o %t 2>%t.remarks
// RUN: FileCheck %s --input-file=%t
// RUN: FileCheck %s --input-file=%t.remarks --check-prefix=REMARK

// Whoever wants the callee's bits gets fewer conversions.
// RUN: mla-opt %s --allow-unregistered-dialect --convert-custom-call-to-mla=exact 2>%t.remarks | FileCheck %s --check-prefix=EXACT
// RUN: FileCheck %s --input-file=%t.remarks --check-prefix=EXACT-REMARK

// As many slots as rows: nothing to cut off. An unquantized cache needs no scale.
// CHECK-LABEL: @concat(
// CHECK-NEXT: %[[CACHE:.*]] = mla.append ins(c_kv = %arg0 : tensor<8x512xbf16>, k_pe = %arg1 : tensor<8x64xbf16>, slots = %arg3 : tensor<8xi64>) outs(cache = %arg2 : tensor<?x16x576xbf16>)
// CHECK-NEXT: return %[[CACHE]]
// REMARK: remark: convert-custom-call-to-mla: '_C_cache_ops.concat_and_cache_mla' becomes mla.append{{$}}
// EXACT-LABEL: @concat(
// EXACT: mla.append
func.func @concat(%kv_c: tensor<8x512xbf16>, %k_pe: tensor<8x64xbf16>,
                  %cache: tensor<?x16x576xbf16>, %slots: tensor<8xi64>,
                  %scale: tensor<1xf32>) -> tensor<?x16x576xbf16> {
  %auto = "torch.constant.str"() {value = "auto"} : () -> !torch.str
  %r = "torch.operator"(%kv_c, %k_pe, %cache, %slots, %auto, %scale)
      <{name = "torch._C_cache_ops.concat_and_cache_mla"}>
      : (tensor<8x512xbf16>, tensor<8x64xbf16>, tensor<?x16x576xbf16>,
         tensor<8xi64>, !torch.str, tensor<1xf32>) -> tensor<?x16x576xbf16>
  return %r : tensor<?x16x576xbf16>
}

// The rows that have a slot; one scale for both parts.
// CHECK-LABEL: @concat_fp8(
// CHECK: %[[SCALE:.*]] = tensor.extract_slice %arg4[0] [1] [1] : tensor<1xf32> to tensor<f32>
// CHECK: %[[T:.*]] = tensor.dim %arg3
// CHECK: %[[C:.*]] = tensor.extract_slice %arg0[0, 0] [%[[T]], 512] [1, 1]
// CHECK: %[[K:.*]] = tensor.extract_slice %arg1[0, 0] [%[[T]], 64] [1, 1]
// CHECK: mla.append ins(c_kv = %[[C]] : tensor<?x512xbf16>, k_pe = %[[K]] : tensor<?x64xbf16>, slots = %arg3 : tensor<?xi64>, latent_scale = %[[SCALE]] : tensor<f32>, pe_scale = %[[SCALE]] : tensor<f32>) outs(cache = %arg2 : tensor<?x16x576xf8E4M3FN>)
// CHECK-NOT: rope
// REMARK: 'concat_and_cache_mla' becomes mla.append; multiplies by the reciprocal of the scale, where the callee divides by it{{$}}
// EXACT-LABEL: @concat_fp8(
// EXACT: stablehlo.custom_call
// EXACT-REMARK: 'concat_and_cache_mla' stays: exact: multiplies by the reciprocal of the scale, where the callee divides by it
func.func @concat_fp8(%kv_c: tensor<?x512xbf16>, %k_pe: tensor<?x64xbf16>,
                      %cache: tensor<?x16x576xf8E4M3FN>, %slots: tensor<?xi64>,
                      %scale: tensor<1xf32>) -> tensor<?x16x576xf8E4M3FN> {
  %r = "stablehlo.custom_call"(%kv_c, %k_pe, %cache, %slots, %scale)
      {call_target_name = "concat_and_cache_mla", api_version = 4 : i32,
       backend_config = {kv_cache_dtype = "fp8"}}
      : (tensor<?x512xbf16>, tensor<?x64xbf16>, tensor<?x16x576xf8E4M3FN>,
         tensor<?xi64>, tensor<1xf32>) -> tensor<?x16x576xf8E4M3FN>
  return %r : tensor<?x16x576xf8E4M3FN>
}

// Without a positional part rows are latents.
// CHECK-LABEL: @concat_latent(
// CHECK: mla.append ins(c_kv = %arg0 : tensor<8x512xf16>, slots = %arg2 : tensor<8xi64>) outs(cache = %arg1 : tensor<?x1x512xf16>)
func.func private @concat_and_cache_mla_0(tensor<8x512xf16>, tensor<?x1x512xf16>,
                                          tensor<8xi64>) -> tensor<?x1x512xf16>
func.func @concat_latent(%kv_c: tensor<8x512xf16>, %cache: tensor<?x1x512xf16>,
                         %slots: tensor<8xi64>) -> tensor<?x1x512xf16> {
  %r = call @concat_and_cache_mla_0(%kv_c, %cache, %slots)
      {operands = ["kv_c", "kv_cache", "slot_mapping"], kv_cache_dtype = "auto"}
      : (tensor<8x512xf16>, tensor<?x1x512xf16>, tensor<8xi64>) -> tensor<?x1x512xf16>
  return %r : tensor<?x1x512xf16>
}

// In f32 all bits are the callee's. The query rotates in place; k_pe isn't read.
// CHECK-LABEL: @rope(
// CHECK: %[[R:.*]], %[[CACHE:.*]] = mla.append ins(c_kv = %arg3 : tensor<8x512xf32>, k_pe = %arg2 : tensor<8x64xf32>, slots = %arg5 : tensor<8xi64>, cos_sin = %arg4 : tensor<?x64xf32>, positions = %arg0 : tensor<8xi64>) outs(query = %arg1 : tensor<8x16x64xf32>, cache = %arg6 : tensor<?x16x576xf32>) {rope = #mla.rope<half, head_dim = 64>}
// CHECK-NEXT: return %[[R]], %[[CACHE]]
// REMARK: '_C_cache_ops.concat_and_cache_mla_rope_fused' becomes mla.append{{$}}
// EXACT-LABEL: @rope(
// EXACT: mla.append
func.func @rope(%positions: tensor<8xi64>, %q_pe: tensor<8x16x64xf32>,
                %k_pe: tensor<8x64xf32>, %kv_c: tensor<8x512xf32>,
                %table: tensor<?x64xf32>, %slots: tensor<8xi64>,
                %cache: tensor<?x16x576xf32>, %scale: tensor<1xf32>)
    -> (tensor<8x16x64xf32>, tensor<?x16x576xf32>) {
  %neox = "torch.constant.bool"() {value = true} : () -> !torch.bool
  %auto = "torch.constant.str"() {value = "auto"} : () -> !torch.str
  %r:3 = "torch.operator"(%positions, %q_pe, %k_pe, %kv_c, %table, %neox, %slots,
                          %cache, %auto, %scale)
      {name = "torch._C_cache_ops.concat_and_cache_mla_rope_fused"}
      : (tensor<8xi64>, tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<8x512xf32>,
         tensor<?x64xf32>, !torch.bool, tensor<8xi64>, tensor<?x16x576xf32>,
         !torch.str, tensor<1xf32>)
      -> (tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<?x16x576xf32>)
  return %r#0, %r#2 : tensor<8x16x64xf32>, tensor<?x16x576xf32>
}

// The table becomes f32, positions beyond the tokens are cut off, and what is
// quantized was 16 bits wide before.
// CHECK-LABEL: @rope_fp8(
// CHECK: %[[P:.*]] = tensor.extract_slice %arg0[0] [8] [1] : tensor<16xi64> to tensor<8xi64>
// CHECK: %[[EMPTY:.*]] = tensor.empty({{.*}}) : tensor<?x64xf32>
// CHECK: %[[TABLE:.*]] = mla.rope ins(x = %arg4 : tensor<?x64xbf16>) outs(y = %[[EMPTY]] : tensor<?x64xf32>)
// CHECK: %[[KEY:.*]] = tensor.empty() : tensor<8x64xbf16>
// CHECK: %[[R:.*]], %[[K:.*]], %[[CACHE:.*]] = mla.append ins(c_kv = %arg3 : tensor<8x512xbf16>, k_pe = %arg2 : tensor<8x64xbf16>, slots = %arg5 : tensor<8xi64>, cos_sin = %[[TABLE]] : tensor<?x64xf32>, positions = %[[P]] : tensor<8xi64>, latent_scale = %{{.*}}, pe_scale = %{{.*}}) outs(query = %arg1 : tensor<8x16x64xbf16>, k_pe_out = %[[KEY]] : tensor<8x64xbf16>, cache = %arg6 : tensor<?x16x576xf8E4M3FN>) {rope = #mla.rope<interleaved, head_dim = 64>, rounding = #mla.rounding<through_input_type>}
// CHECK: return %[[R]], %[[K]], %[[CACHE]]
// REMARK: 'concat_and_cache_mla_rope_fused' becomes mla.rope, mla.append; multiplies by the reciprocal of the scale, where the callee divides by it; rotates in f32, where the callee rounds each product to the 16-bit type; rotates k_pe of a token without a slot, too
// EXACT-LABEL: @rope_fp8(
// EXACT-NEXT: stablehlo.composite
// EXACT-REMARK: 'concat_and_cache_mla_rope_fused' stays: exact: {{.*}}
func.func @rope_fp8(%positions: tensor<16xi64>, %q_pe: tensor<8x16x64xbf16>,
                    %k_pe: tensor<8x64xbf16>, %kv_c: tensor<8x512xbf16>,
                    %table: tensor<?x64xbf16>, %slots: tensor<8xi64>,
                    %cache: tensor<?x16x576xf8E4M3FN>, %scale: tensor<f32>)
    -> (tensor<8x16x64xbf16>, tensor<8x64xbf16>, tensor<?x16x576xf8E4M3FN>) {
  %r:3 = "stablehlo.composite"(%positions, %q_pe, %k_pe, %kv_c, %table, %slots,
                               %cache, %scale)
      {name = "concat_and_cache_mla_rope_fused", version = 0 : i32,
       composite_attributes = {is_neox = false, kv_cache_dtype = "fp8_e4m3"},
       decomposition = @none}
      : (tensor<16xi64>, tensor<8x16x64xbf16>, tensor<8x64xbf16>,
         tensor<8x512xbf16>, tensor<?x64xbf16>, tensor<8xi64>,
         tensor<?x16x576xf8E4M3FN>, tensor<f32>)
      -> (tensor<8x16x64xbf16>, tensor<8x64xbf16>, tensor<?x16x576xf8E4M3FN>)
  return %r#0, %r#1, %r#2 : tensor<8x16x64xbf16>, tensor<8x64xbf16>,
                            tensor<?x16x576xf8E4M3FN>
}

// No table, no rope: the cache is written, and the rest is what it was.
// CHECK-LABEL: @no_table(
// CHECK: %[[CACHE:.*]] = mla.append ins(c_kv = %arg3 : tensor<8x512xbf16>, k_pe = %arg2 : tensor<8x64xbf16>, slots = %arg4 : tensor<8xi64>) outs(cache = %arg5 : tensor<?x16x576xbf16>) {mla.rope_off = "convert-custom-call-to-mla: no rotary table"}
// CHECK-NEXT: return %arg1, %arg2, %[[CACHE]]
// REMARK: '_C_cache_ops.concat_and_cache_mla_rope_fused' becomes mla.append; no rope, for there is no table{{$}}
// EXACT-LABEL: @no_table(
// EXACT: mla.append
func.func @no_table(%positions: tensor<8xi64>, %q_pe: tensor<8x16x64xbf16>,
                    %k_pe: tensor<8x64xbf16>, %kv_c: tensor<8x512xbf16>,
                    %slots: tensor<8xi64>, %cache: tensor<?x16x576xbf16>,
                    %scale: tensor<1xf32>)
    -> (tensor<8x16x64xbf16>, tensor<8x64xbf16>, tensor<?x16x576xbf16>) {
  %none = "torch.constant.none"() : () -> !torch.none
  %neox = "torch.constant.bool"() {value = false} : () -> !torch.bool
  %auto = "torch.constant.str"() {value = "auto"} : () -> !torch.str
  %r:3 = "torch.operator"(%positions, %q_pe, %k_pe, %kv_c, %none, %neox, %slots,
                          %cache, %auto, %scale)
      {name = "_C_cache_ops::concat_and_cache_mla_rope_fused.default"}
      : (tensor<8xi64>, tensor<8x16x64xbf16>, tensor<8x64xbf16>,
         tensor<8x512xbf16>, !torch.none, !torch.bool, tensor<8xi64>,
         tensor<?x16x576xbf16>, !torch.str, tensor<1xf32>)
      -> (tensor<8x16x64xbf16>, tensor<8x64xbf16>, tensor<?x16x576xbf16>)
  return %r#0, %r#1, %r#2 : tensor<8x16x64xbf16>, tensor<8x64xbf16>,
                            tensor<?x16x576xbf16>
}
