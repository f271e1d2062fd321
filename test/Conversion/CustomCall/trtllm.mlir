// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// TensorRT-LLM's operator, where the cache is a tensor.

// RUN: mla-opt %s --allow-unregistered-dialect --convert-custom-call-to-mla -o %t 2>%t.remarks
// RUN: FileCheck %s --input-file=%t
// RUN: FileCheck %s --input-file=%t.remarks --check-prefix=REMARK

// The table's pairs come apart; every sequence has the same number of new tokens. The
// query's latent part is there already.
// CHECK-LABEL: @generation(
// CHECK: %[[COS:.*]] = tensor.extract_slice %arg3[0, 0, 0] [128, 32, 1] [1, 1, 1] : tensor<128x64x2xf32> to tensor<128x32xf32>
// CHECK: %[[SIN:.*]] = tensor.extract_slice %arg3[0, 0, 1] [128, 32, 1] [1, 1, 1] : tensor<128x64x2xf32> to tensor<128x32xf32>
// CHECK: %[[LEFT:.*]] = tensor.insert_slice %[[COS]] into %{{.*}}[0, 0] [128, 32] [1, 1]
// CHECK: %[[TABLE:.*]] = tensor.insert_slice %[[SIN]] into %[[LEFT]][0, 32] [128, 32] [1, 1]
// CHECK: %[[PAGES:.*]] = tensor.extract_slice %arg5[0, 0, 0, 0] [1, 4, 1, 8] [1, 1, 1, 1] : tensor<1x4x2x8xi32> to tensor<4x8xi32>
// CHECK: %[[STEP:.*]] = arith.constant 2 : i32
// CHECK: %[[CU:.*]]:2 = scf.for {{.*}} -> (tensor<5xi32>, i32)
// CHECK: arith.addi %{{.*}}, %[[STEP]] : i32
// CHECK: %[[P:.*]], %[[S:.*]] = mla.slot_mapping ins(kv_lens = %arg4 : tensor<4xi32>, cu_q = %[[CU]]#0 : tensor<5xi32>, page_table = %[[PAGES]] : tensor<4x8xi32>) outs(positions = %{{.*}} : tensor<8xi64>, slots = %{{.*}} : tensor<8xi64>) {page_size = 32 : i64}
// CHECK: %[[K:.*]] = tensor.extract_slice %arg2[0, 512] [8, 64] [1, 1]
// CHECK: %[[C:.*]] = tensor.extract_slice %arg2[0, 0] [8, 512] [1, 1]
// CHECK: %[[QUERY:.*]], %[[CACHE:.*]] = mla.append ins(c_kv = %[[C]] : tensor<8x512xbf16>, k_pe = %[[K]] : tensor<8x64xbf16>, q_pe = %arg1 : tensor<8x16x64xbf16>, slots = %[[S]] : tensor<8xi64>, cos_sin = %[[TABLE]] : tensor<128x64xf32>, positions = %[[P]] : tensor<8xi64>) outs(query = %arg0 : tensor<8x16x576xbf16>, cache = %arg6 : tensor<?x32x576xbf16>) {phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 64>}
// CHECK-NEXT: return %[[QUERY]], %[[CACHE]]
// REMARK: 'trtllm.mla_rope_generation' becomes mla.slot_mapping, mla.append{{$}}
func.func @generation(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xbf16>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// Without a table it doesn't rotate; what isn't read isn't computed.
// CHECK-LABEL: @no_table(
// CHECK: mla.slot_mapping
// CHECK-NOT: scf
// CHECK: mla.append ins(c_kv = %{{.*}} : tensor<8x512xbf16>, k_pe = %{{.*}} : tensor<8x64xbf16>, q_pe = %arg1 : tensor<8x16x64xbf16>, slots = %{{.*}} : tensor<8xi64>) outs(query = %arg0 : tensor<8x16x576xbf16>, cache = %arg5 : tensor<?x32x576xbf16>) {mla.rope_off = "convert-custom-call-to-mla: no rotary table", phase = #mla.phase<generation>}
// REMARK: 'mla_rope_generation' becomes mla.slot_mapping, mla.append; no rope, for there is no table{{$}}
func.func @no_table(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %sequence_length, %kv_cache_block_offsets,
      %host_kv_cache_pool_pointers)
      {name = "torch.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<4xi32>, tensor<1x4x2x8xi32>, tensor<?x32x576xbf16>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// A width of 0: rows are latents, and the query is what it was.
// CHECK-LABEL: @latent(
// CHECK: %[[CACHE:.*]] = mla.append ins(c_kv = %{{.*}} : tensor<8x512xbf16>, slots = %{{.*}} : tensor<8xi64>) outs(cache = %arg4 : tensor<?x32x512xbf16>) {phase = #mla.phase<generation>}
// CHECK-NEXT: return %arg0, %[[CACHE]]
func.func @latent(
    %fused_q: tensor<8x16x512xbf16>, %latent_cache: tensor<8x512xbf16>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x512xbf16>)
    -> (tensor<8x16x512xbf16>, tensor<?x32x512xbf16>) {
  %r:2 = "torch.operator"(
      %fused_q, %latent_cache, %sequence_length, %kv_cache_block_offsets,
      %host_kv_cache_pool_pointers)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "latent_cache", "sequence_length", "kv_cache_block_offsets",
                   "host_kv_cache_pool_pointers"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 0}
      : (tensor<8x16x512xbf16>, tensor<8x512xbf16>, tensor<4xi32>,
         tensor<1x4x2x8xi32>, tensor<?x32x512xbf16>)
      -> (tensor<8x16x512xbf16>, tensor<?x32x512xbf16>)
  return %r#0, %r#1
      : tensor<8x16x512xbf16>, tensor<?x32x512xbf16>
}

// All that attention there reads beside: offsets in rows of tokens and heads, sums of the
// lengths, a counter, and with fp8 the products' factors. The first 3 sequences are
// contexts.
// CHECK-LABEL: @everything(
// CHECK: %[[LENS:.*]] = tensor.extract_slice %arg4[3] [%[[B:.*]]] [1] : tensor<?xi32> to tensor<?xi32>
// CHECK: tensor.extract_slice %arg5[0, 3, 0, 0] [1, %[[B]], 1, 8] [1, 1, 1, 1] : tensor<1x?x2x8xi32> to tensor<?x8xi32>
// CHECK: mla.slot_mapping ins(kv_lens = %[[LENS]] : tensor<?xi32>
// CHECK: %[[SCALE:.*]] = tensor.extract_slice %arg8[0] [1] [1] : tensor<1xf32> to tensor<f32>
// CHECK: %[[NOPE:.*]] = tensor.extract_slice %arg0[0, 0, 0] [8, 16, 512] [1, 1, 1]
// CHECK: %[[QUERY:.*]], %[[CACHE:.*]] = mla.append {{.*}} q_nope = %[[NOPE]] : tensor<8x16x512xbf16>, q_pe = %arg1 : tensor<8x16x64xbf16>, {{.*}} query_scale = %[[SCALE]] : tensor<f32>, latent_scale = %[[SCALE]] : tensor<f32>, pe_scale = %[[SCALE]] : tensor<f32>) outs(query = %arg7 : tensor<8x16x576xf8E4M3FN>, cache = %arg6 : tensor<?x32x576xf8E4M3FN>) {phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 64>, rounding = #mla.rounding<through_input_type>}
// CHECK: %[[ROWS:.*]] = arith.constant 32 : i32
// CHECK: %[[CUQ:.*]]:2 = scf.for
// CHECK: arith.addi %{{.*}}, %[[ROWS]] : i32
// CHECK: %[[COUNTER:.*]] = arith.constant dense<0> : tensor<1xi32>
// CHECK: %[[SUMS:.*]]:2 = scf.for %[[I:.*]] = %{{.*}} to %[[B]] step %{{.*}} iter_args(%[[T:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}) -> (tensor<?xi32>, i32) {
// CHECK: %[[LEN:.*]] = tensor.extract %[[LENS]][%[[I]]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[SUM]], %[[LEN]] : i32
// CHECK: %[[AT:.*]] = arith.addi %[[I]], %{{.*}} : index
// CHECK: %[[STORED:.*]] = tensor.insert %[[NEXT]] into %[[T]][%[[AT]]]
// CHECK: scf.yield %[[STORED]], %[[NEXT]]
// CHECK: %[[F:.*]] = arith.constant 0.0721687824 : f32
// CHECK: %[[FIRST:.*]] = arith.mulf %{{.*}}, %[[F]]
// CHECK: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK: %[[SECOND:.*]] = arith.mulf %[[FIRST]], %[[LOG2E]]
// CHECK: %[[BMM1:.*]] = tensor.from_elements %[[FIRST]], %[[SECOND]]
// CHECK: %[[BMM2:.*]] = tensor.from_elements
// CHECK: return %[[QUERY]], %[[CACHE]], %[[CUQ]]#0, %[[SUMS]]#0, %[[COUNTER]], %[[BMM1]], %[[BMM2]]
// REMARK: 'trtllm.mla_rope_generation' becomes mla.slot_mapping, mla.append; multiplies by the reciprocal of kv_scale_quant_orig, where the callee multiplies by kv_scale_orig_quant{{$}}
func.func @everything(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<?xi32>,
    %kv_cache_block_offsets: tensor<1x?x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xf8E4M3FN>,
    %quant_q_buffer: tensor<8x16x576xf8E4M3FN>,
    %kv_scale_quant_orig: tensor<1xf32>, %out_scale: tensor<1xf32>,
    %cu_q_seqlens: tensor<?xi32>, %cu_kv_seqlens: tensor<?xi32>,
    %fmha_scheduler_counter: tensor<1xi32>, %mla_bmm1_scale: tensor<2xf32>,
    %mla_bmm2_scale: tensor<1xf32>)
    -> (tensor<8x16x576xf8E4M3FN>, tensor<?x32x576xf8E4M3FN>, tensor<?xi32>,
        tensor<?xi32>, tensor<1xi32>, tensor<2xf32>, tensor<1xf32>) {
  %r:7 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers, %quant_q_buffer,
      %kv_scale_quant_orig, %out_scale, %cu_q_seqlens, %cu_kv_seqlens,
      %fmha_scheduler_counter, %mla_bmm1_scale, %mla_bmm2_scale)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers", "quant_q_buffer",
                   "kv_scale_quant_orig", "out_scale", "cu_q_seqlens", "cu_kv_seqlens",
                   "fmha_scheduler_counter", "mla_bmm1_scale", "mla_bmm2_scale"],
       results = ["quant_q_buffer", "host_kv_cache_pool_pointers", "cu_q_seqlens",
                  "cu_kv_seqlens", "fmha_scheduler_counter", "mla_bmm1_scale",
                  "mla_bmm2_scale"],
       num_contexts = 3, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64,
       qk_nope_head_dim = 128, q_scaling = 1.0}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<?xi32>, tensor<1x?x2x8xi32>,
         tensor<?x32x576xf8E4M3FN>, tensor<8x16x576xf8E4M3FN>, tensor<1xf32>,
         tensor<1xf32>, tensor<?xi32>, tensor<?xi32>, tensor<1xi32>, tensor<2xf32>,
         tensor<1xf32>)
      -> (tensor<8x16x576xf8E4M3FN>, tensor<?x32x576xf8E4M3FN>, tensor<?xi32>,
          tensor<?xi32>, tensor<1xi32>, tensor<2xf32>, tensor<1xf32>)
  return %r#0, %r#1, %r#2, %r#3, %r#4, %r#5, %r#6
      : tensor<8x16x576xf8E4M3FN>, tensor<?x32x576xf8E4M3FN>, tensor<?xi32>,
        tensor<?xi32>, tensor<1xi32>, tensor<2xf32>, tensor<1xf32>
}

// Offsets that the caller has: no arithmetic on tensors, so this runs on a device.
// CHECK-LABEL: @offsets(
// CHECK-NOT: scf
// CHECK: mla.slot_mapping ins({{.*}} cu_q = %arg6 : tensor<5xi32>
// REMARK: 'mla_rope_generation' becomes mla.slot_mapping, mla.append
func.func @offsets(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>,
    %cu_q: tensor<5xi32>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %sequence_length, %kv_cache_block_offsets,
      %host_kv_cache_pool_pointers, %cu_q)
      {name = "torch.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers", "cu_q"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<4xi32>, tensor<1x4x2x8xi32>, tensor<?x32x576xbf16>, tensor<5xi32>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// By position, as the operator's own schema has them: a value where there is a tensor,
// constants, and none where there is nothing.
// CHECK-LABEL: @by_position(
// CHECK-NOT: torch
// CHECK: mla.slot_mapping
// CHECK: mla.append
// REMARK: 'trtllm.mla_rope_generation' becomes mla.slot_mapping, mla.append; no rope, for there is no table{{$}}
func.func @by_position(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>, %i32: tensor<5xi32>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  %none = "torch.constant.none"() : () -> !torch.none
  %list = "torch.prim.ListConstruct"(%none, %none)
      : (!torch.none, !torch.none) -> !torch.list<none>
  %0 = "torch.constant.int"() {value = 0 : i64} : () -> !torch.int
  %2 = "torch.constant.int"() {value = 2 : i64} : () -> !torch.int
  %16 = "torch.constant.int"() {value = 16 : i64} : () -> !torch.int
  %1 = "torch.constant.int"() {value = 1 : i64} : () -> !torch.int
  %576 = "torch.constant.int"() {value = 576 : i64} : () -> !torch.int
  %32 = "torch.constant.int"() {value = 32 : i64} : () -> !torch.int
  %4096 = "torch.constant.int"() {value = 4096 : i64} : () -> !torch.int
  %f = "torch.constant.float"() {value = 1.0 : f64} : () -> !torch.float
  %1536 = "torch.constant.int"() {value = 1536 : i64} : () -> !torch.int
  %512 = "torch.constant.int"() {value = 512 : i64} : () -> !torch.int
  %128 = "torch.constant.int"() {value = 128 : i64} : () -> !torch.int
  %64 = "torch.constant.int"() {value = 64 : i64} : () -> !torch.int
  %r:5 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %none, %i32, %i32, %i32, %none, %none,
      %none, %sequence_length, %i32, %i32, %0, %kv_cache_block_offsets,
      %host_kv_cache_pool_pointers, %i32, %none, %none, %none, %none, %list, %2,
      %0, %16, %1, %576, %32, %4096, %0, %1, %0, %f, %1536, %512, %128, %64, %128)
      {name = "torch.trtllm.mla_rope_generation",
       results = ["fused_q", "cu_q_seqlens", "cu_kv_seqlens", "fmha_scheduler_counter",
                  "host_kv_cache_pool_pointers"]}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         !torch.none, tensor<5xi32>, tensor<5xi32>, tensor<5xi32>, !torch.none,
         !torch.none, !torch.none, tensor<4xi32>, tensor<5xi32>, tensor<5xi32>,
         !torch.int, tensor<1x4x2x8xi32>, tensor<?x32x576xbf16>, tensor<5xi32>,
         !torch.none, !torch.none, !torch.none, !torch.none, !torch.list<none>,
         !torch.int, !torch.int, !torch.int, !torch.int, !torch.int, !torch.int,
         !torch.int, !torch.int, !torch.int, !torch.int, !torch.float, !torch.int,
         !torch.int, !torch.int, !torch.int, !torch.int)
      -> (tensor<8x16x576xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<5xi32>,
          tensor<?x32x576xbf16>)
  return %r#0, %r#4 : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}
