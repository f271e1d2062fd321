// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What vLLM's operators do and mla doesn't: such calls stay, and say why.

// RUN: mla-opt %s --allow-unregistered-dialect -split-input-file --convert-custom-call-to-mla -verify-diagnostics -o %t.after
// RUN: mla-opt %s --allow-unregistered-dialect -split-input-file -o %t.before
// RUN: diff %t.before %t.after

// Rows with scales of another rule.
func.func @packed(%kv_c: tensor<8x512xbf16>, %k_pe: tensor<8x64xbf16>,
                  %cache: tensor<?x16x656xi8>, %slots: tensor<8xi64>,
                  %scale: tensor<1xf32>) -> tensor<?x16x656xi8> {
  // expected-remark @+1 {{'concat_and_cache_mla' stays: kv_cache_dtype: expected auto, fp8 or fp8_e4m3, got 'fp8_ds_mla'}}
  %r = "stablehlo.custom_call"(%kv_c, %k_pe, %cache, %slots, %scale)
      {call_target_name = "concat_and_cache_mla",
       backend_config = {kv_cache_dtype = "fp8_ds_mla"}}
      : (tensor<8x512xbf16>, tensor<8x64xbf16>, tensor<?x16x656xi8>,
         tensor<8xi64>, tensor<1xf32>) -> tensor<?x16x656xi8>
  return %r : tensor<?x16x656xi8>
}

// -----

// Bytes that the callee takes for fp8. The note says where they are from.
// expected-note @+2 {{its value is from here}}
func.func @bytes(%kv_c: tensor<8x512xbf16>, %k_pe: tensor<8x64xbf16>,
                 %cache: tensor<?x16x576xi8>, %slots: tensor<8xi64>,
                 %scale: tensor<1xf32>) -> tensor<?x16x576xi8> {
  // expected-remark @+1 {{'concat_and_cache_mla' stays: kv_cache: expected elements of type f8E4M3FN because kv_cache_dtype is fp8, got 'tensor<?x16x576xi8>'}}
  %r = "stablehlo.custom_call"(%kv_c, %k_pe, %cache, %slots, %scale)
      {call_target_name = "concat_and_cache_mla",
       backend_config = {kv_cache_dtype = "fp8"}}
      : (tensor<8x512xbf16>, tensor<8x64xbf16>, tensor<?x16x576xi8>,
         tensor<8xi64>, tensor<1xf32>) -> tensor<?x16x576xi8>
  return %r : tensor<?x16x576xi8>
}

// -----

func.func @no_scale(%kv_c: tensor<8x512xbf16>, %k_pe: tensor<8x64xbf16>,
                    %cache: tensor<?x16x576xf8E4M3FN>, %slots: tensor<8xi64>)
    -> tensor<?x16x576xf8E4M3FN> {
  // expected-remark @+1 {{'concat_and_cache_mla' stays: scale: expected a tensor of one f32, the scale of an f8E4M3FN cache, got none}}
  %r = "stablehlo.custom_call"(%kv_c, %k_pe, %cache, %slots)
      {call_target_name = "concat_and_cache_mla",
       backend_config = {operands = ["kv_c", "k_pe", "kv_cache", "slot_mapping"],
                         kv_cache_dtype = "fp8"}}
      : (tensor<8x512xbf16>, tensor<8x64xbf16>, tensor<?x16x576xf8E4M3FN>,
         tensor<8xi64>) -> tensor<?x16x576xf8E4M3FN>
  return %r : tensor<?x16x576xf8E4M3FN>
}

// -----

// The verifier's word, where it knows better.
func.func @slots_i32(%kv_c: tensor<8x512xbf16>, %k_pe: tensor<8x64xbf16>,
                     %cache: tensor<?x16x576xbf16>, %slots: tensor<8xi32>,
                     %scale: tensor<1xf32>) -> tensor<?x16x576xbf16> {
  // expected-remark @+1 {{'concat_and_cache_mla' stays: 'mla.append' op operand #2 must be tensor or memref of i64, but got 'tensor<8xi32>'}}
  %r = "stablehlo.custom_call"(%kv_c, %k_pe, %cache, %slots, %scale)
      {call_target_name = "concat_and_cache_mla",
       backend_config = {kv_cache_dtype = "auto"}}
      : (tensor<8x512xbf16>, tensor<8x64xbf16>, tensor<?x16x576xbf16>,
         tensor<8xi32>, tensor<1xf32>) -> tensor<?x16x576xbf16>
  return %r : tensor<?x16x576xbf16>
}

// -----

// What changes must come out, or nobody sees it.
func.func @no_result(%kv_c: tensor<8x512xbf16>, %k_pe: tensor<8x64xbf16>,
                     %cache: tensor<?x16x576xbf16>, %slots: tensor<8xi64>,
                     %scale: tensor<1xf32>) {
  // expected-remark @+1 {{'concat_and_cache_mla' stays: results: expected a result for each argument that changes (kv_cache), or their names, got 0 results}}
  "stablehlo.custom_call"(%kv_c, %k_pe, %cache, %slots, %scale)
      {call_target_name = "concat_and_cache_mla",
       backend_config = {kv_cache_dtype = "auto"}}
      : (tensor<8x512xbf16>, tensor<8x64xbf16>, tensor<?x16x576xbf16>,
         tensor<8xi64>, tensor<1xf32>) -> ()
  return
}

// -----

func.func @count(%kv_c: tensor<8x512xbf16>, %cache: tensor<?x16x512xbf16>,
                 %slots: tensor<8xi64>) -> tensor<?x16x512xbf16> {
  // expected-remark @+1 {{'concat_and_cache_mla' stays: operands: expected 6 operands, or the 5 that are tensors, or their names, got 3 operands}}
  %r = "stablehlo.custom_call"(%kv_c, %cache, %slots)
      {call_target_name = "concat_and_cache_mla",
       backend_config = {kv_cache_dtype = "auto"}}
      : (tensor<8x512xbf16>, tensor<?x16x512xbf16>, tensor<8xi64>)
      -> tensor<?x16x512xbf16>
  return %r : tensor<?x16x512xbf16>
}

// -----

// Which pairing?
func.func @style(%positions: tensor<8xi64>, %q_pe: tensor<8x16x64xf32>,
                 %k_pe: tensor<8x64xf32>, %kv_c: tensor<8x512xf32>,
                 %table: tensor<?x64xf32>, %slots: tensor<8xi64>,
                 %cache: tensor<?x16x576xf32>, %scale: tensor<1xf32>)
    -> (tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<?x16x576xf32>) {
  // expected-remark @+1 {{'concat_and_cache_mla_rope_fused' stays: is_neox: expected true or false, got none}}
  %r:3 = "stablehlo.custom_call"(%positions, %q_pe, %k_pe, %kv_c, %table, %slots,
                                 %cache, %scale)
      {call_target_name = "concat_and_cache_mla_rope_fused",
       backend_config = {kv_cache_dtype = "auto"}}
      : (tensor<8xi64>, tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<8x512xf32>,
         tensor<?x64xf32>, tensor<8xi64>, tensor<?x16x576xf32>, tensor<1xf32>)
      -> (tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<?x16x576xf32>)
  return %r#0, %r#1, %r#2 : tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<?x16x576xf32>
}

// -----

// Known only when it runs.
func.func @dynamic_style(%positions: tensor<8xi64>, %q_pe: tensor<8x16x64xf32>,
                         %k_pe: tensor<8x64xf32>, %kv_c: tensor<8x512xf32>,
                         // expected-note @+1 {{its value is from here}}
                         %table: tensor<?x64xf32>, %neox: i1, %slots: tensor<8xi64>,
                         %cache: tensor<?x16x576xf32>, %scale: tensor<1xf32>)
    -> (tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<?x16x576xf32>) {
  %auto = "torch.constant.str"() {value = "auto"} : () -> !torch.str
  // expected-remark @+1 {{'concat_and_cache_mla_rope_fused' stays: is_neox: expected a constant, got a value}}
  %r:3 = "torch.operator"(%positions, %q_pe, %k_pe, %kv_c, %table, %neox, %slots,
                          %cache, %auto, %scale)
      {name = "concat_and_cache_mla_rope_fused"}
      : (tensor<8xi64>, tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<8x512xf32>,
         tensor<?x64xf32>, i1, tensor<8xi64>, tensor<?x16x576xf32>, !torch.str,
         tensor<1xf32>)
      -> (tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<?x16x576xf32>)
  return %r#0, %r#1, %r#2 : tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<?x16x576xf32>
}

// -----

// A table of another width. What had been emitted is gone.
func.func @table_width(%positions: tensor<8xi64>, %q_pe: tensor<8x16x64xbf16>,
                       %k_pe: tensor<8x64xbf16>, %kv_c: tensor<8x512xbf16>,
                       %table: tensor<?x32xbf16>, %slots: tensor<8xi64>,
                       %cache: tensor<?x16x576xbf16>, %scale: tensor<1xf32>)
    -> (tensor<8x16x64xbf16>, tensor<8x64xbf16>, tensor<?x16x576xbf16>) {
  // expected-remark @+1 {{'concat_and_cache_mla_rope_fused' stays: 'mla.append' op (C1) }}
  %r:3 = "stablehlo.custom_call"(%positions, %q_pe, %k_pe, %kv_c, %table, %slots,
                                 %cache, %scale)
      {call_target_name = "concat_and_cache_mla_rope_fused",
       backend_config = {kv_cache_dtype = "auto", is_neox = false}}
      : (tensor<8xi64>, tensor<8x16x64xbf16>, tensor<8x64xbf16>,
         tensor<8x512xbf16>, tensor<?x32xbf16>, tensor<8xi64>,
         tensor<?x16x576xbf16>, tensor<1xf32>)
      -> (tensor<8x16x64xbf16>, tensor<8x64xbf16>, tensor<?x16x576xbf16>)
  return %r#0, %r#1, %r#2 : tensor<8x16x64xbf16>, tensor<8x64xbf16>, tensor<?x16x576xbf16>
}

// -----

// Fewer positions than tokens.
// expected-note @+1 {{its value is from here}}
func.func @positions(%positions: tensor<4xi64>, %q_pe: tensor<8x16x64xf32>,
                     %k_pe: tensor<8x64xf32>, %kv_c: tensor<8x512xf32>,
                     %table: tensor<?x64xf32>, %slots: tensor<8xi64>,
                     %cache: tensor<?x16x576xf32>, %scale: tensor<1xf32>)
    -> tensor<?x16x576xf32> {
  // expected-remark @+1 {{'concat_and_cache_mla_rope_fused' stays: positions: expected 8 rows or more, got 'tensor<4xi64>'}}
  %r:3 = "stablehlo.custom_call"(%positions, %q_pe, %k_pe, %kv_c, %table, %slots,
                                 %cache, %scale)
      {call_target_name = "concat_and_cache_mla_rope_fused",
       backend_config = {kv_cache_dtype = "auto", is_neox = false}}
      : (tensor<4xi64>, tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<8x512xf32>,
         tensor<?x64xf32>, tensor<8xi64>, tensor<?x16x576xf32>, tensor<1xf32>)
      -> (tensor<8x16x64xf32>, tensor<8x64xf32>, tensor<?x16x576xf32>)
  return %r#2 : tensor<?x16x576xf32>
}

// -----

// A width that doesn't come in pairs.
func.func @odd(%positions: tensor<8xi64>, %q_pe: tensor<8x16x63xf32>,
               %k_pe: tensor<8x63xf32>, %kv_c: tensor<8x512xf32>,
               %table: tensor<?x63xf32>, %slots: tensor<8xi64>,
               %cache: tensor<?x16x575xf32>, %scale: tensor<1xf32>)
    -> tensor<?x16x575xf32> {
  // expected-remark @+1 {{'concat_and_cache_mla_rope_fused' stays: head_dim: expected an even number of columns, got 63}}
  %r:3 = "stablehlo.custom_call"(%positions, %q_pe, %k_pe, %kv_c, %table, %slots,
                                 %cache, %scale)
      {call_target_name = "concat_and_cache_mla_rope_fused",
       backend_config = {kv_cache_dtype = "auto", is_neox = false}}
      : (tensor<8xi64>, tensor<8x16x63xf32>, tensor<8x63xf32>, tensor<8x512xf32>,
         tensor<?x63xf32>, tensor<8xi64>, tensor<?x16x575xf32>, tensor<1xf32>)
      -> (tensor<8x16x63xf32>, tensor<8x63xf32>, tensor<?x16x575xf32>)
  return %r#2 : tensor<?x16x575xf32>
}
