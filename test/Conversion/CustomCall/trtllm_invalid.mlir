// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What TensorRT-LLM's operator does and mla doesn't: such calls stay, and say why.

// RUN: mla-opt %s --allow-unregistered-dialect -split-input-file --convert-custom-call-to-mla -verify-diagnostics -o %t.after
// RUN: mla-opt %s --allow-unregistered-dialect -split-input-file -o %t.before
// RUN: diff %t.before %t.after

// Pages behind addresses.
// expected-note @+6 {{its value is from here}}
func.func @pointers(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<1x2xi64>)
    -> (tensor<8x16x576xbf16>, tensor<1x2xi64>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: host_kv_cache_pool_pointers: expected the cache as a tensor [pages, 32, 576], got 'tensor<1x2xi64>'}}
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
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>, tensor<1x2xi64>)
      -> (tensor<8x16x576xbf16>, tensor<1x2xi64>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<1x2xi64>
}

// -----

// Pages of another size.
// expected-note @+6 {{its value is from here}}
func.func @page_size(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: host_kv_cache_pool_pointers: expected the cache as a tensor [pages, 64, 576], got 'tensor<?x32x576xbf16>'}}
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 64,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xbf16>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// -----

// A window that wraps around.
func.func @window(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: attention_window_size: expected room for the 256 keys of a row of kv_cache_block_offsets, got 128}}
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 128, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xbf16>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// -----

// More pools than the cache can be in.
// expected-note @+5 {{its value is from here}}
func.func @pools(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<2x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: kv_cache_block_offsets: expected offsets [1, sequences, 2, pages] into one pool}}
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
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<2x4x2x8xi32>,
         tensor<?x32x576xbf16>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// -----

// Context parallelism.
// expected-note @+7 {{its value is from here}}
func.func @helix(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>,
    %mla_tensor_params: tensor<8xi32>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: mla_tensor_params: expected none: positions and slots of context parallelism are operands of mla.append}}
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers, %mla_tensor_params)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers",
                   "mla_tensor_params"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xbf16>, tensor<8xi32>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// -----

// Rows of single numbers.
// expected-note @+3 {{its value is from here}}
func.func @table(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x2x32xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: rotary_cos_sin: expected pairs of f32, [positions, 64, 2]}}
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
         tensor<128x2x32xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xbf16>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// -----

// As many tokens as nobody said.
// expected-note @+2 {{its value is from here}}
func.func @tokens(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: fused_q: expected 4 tokens, predicted_tokens_per_seq of each sequence, got 8}}
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 1, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xbf16>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// -----

// A missing scale isn't 1.
func.func @no_scale(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xf8E4M3FN>,
    %quant_q_buffer: tensor<8x16x576xf8E4M3FN>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xf8E4M3FN>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: kv_scale_quant_orig: expected a tensor of one f32, the scale of an f8E4M3FN cache, got none}}
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers, %quant_q_buffer)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers", "quant_q_buffer"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xf8E4M3FN>, tensor<8x16x576xf8E4M3FN>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xf8E4M3FN>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xf8E4M3FN>
}

// -----

// Beams.
func.func @beams(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: beam_width: expected 1, got 2}}
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64,
       beam_width = 2}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xbf16>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// -----

// A dimension that must be known.
func.func @no_rank(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: kv_lora_rank: expected an integer constant, got none}}
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xbf16>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}

// -----

// A result that nothing here computes.
// expected-note @+7 {{its value is from here}}
func.func @counter(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %rotary_cos_sin: tensor<128x64x2xf32>,
    %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>,
    %fmha_scheduler_counter: tensor<1xui32>)
    -> (tensor<?x32x576xbf16>, tensor<1xui32>) {
  // expected-remark @+1 {{'trtllm.mla_rope_generation' stays: fmha_scheduler_counter: expected elements of type i32}}
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %rotary_cos_sin, %sequence_length,
      %kv_cache_block_offsets, %host_kv_cache_pool_pointers,
      %fmha_scheduler_counter)
      {name = "torch.trtllm.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers",
                   "fmha_scheduler_counter"],
       results = ["host_kv_cache_pool_pointers", "fmha_scheduler_counter"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<128x64x2xf32>, tensor<4xi32>, tensor<1x4x2x8xi32>,
         tensor<?x32x576xbf16>, tensor<1xui32>)
      -> (tensor<?x32x576xbf16>, tensor<1xui32>)
  return %r#0, %r#1
      : tensor<?x32x576xbf16>, tensor<1xui32>
}
