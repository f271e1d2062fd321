// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Bytecode of every version is read. Inputs/v1.mlirbc was written from this file when
// version 1 was current, and is never written again: what it says must stay what this
// file says. Inputs/v99.mlirbc is the same with a version that is yet to come.

// RUN: mla-opt %s > %t.text
// RUN: mla-opt %S/Inputs/v1.mlirbc | diff %t.text -
// RUN: mla-opt %s --emit-bytecode | mla-opt | diff %t.text -
// RUN: not mla-opt %S/Inputs/v99.mlirbc 2>&1 | FileCheck %s
// CHECK: error: expected mla bytecode of version 2 or earlier, got 99

func.func @attention(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
                     %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
                     %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                     %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
                     %positions: tensor<?xi32>, %query_scale: tensor<f32>,
                     %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
                     %sinks: tensor<2xf32>, %indices: tensor<?x?xi32>,
                     %max_kv: index, %num_generation_seqs: index,
                     %num_generation_tokens: index, %out: tensor<?x2x8xbf16>,
                     %cache: tensor<?x8x20xf8E4M3FN>)
    -> (tensor<?x2x8xbf16>, tensor<?x8x20xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x?xi32>, max_kv = %max_kv : index,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<?x2x8xbf16>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {mla.rope_off = "a reason", phase = #mla.phase<context>, rope = #mla.rope<half, head_dim = 4, enabled = false>, rounding = #mla.rounding<through_input_type>, softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x20xf8E4M3FN>
}

func.func @append(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
                  %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
                  %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
                  %positions: tensor<?xi64>, %cu_q: tensor<?xi32>,
                  %query_scale: tensor<f32>, %latent_scale: tensor<f32>,
                  %pe_scale: tensor<f32>, %query: tensor<?x2x20xf8E4M3FN>,
                  %k_pe_out: tensor<?x4xbf16>, %cache: tensor<?x8x20xf8E4M3FN>)
    -> (tensor<?x2x20xf8E4M3FN>, tensor<?x4xbf16>, tensor<?x8x20xf8E4M3FN>) {
  %r:3 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>, cu_q = %cu_q : tensor<?xi32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(query = %query : tensor<?x2x20xf8E4M3FN>,
           k_pe_out = %k_pe_out : tensor<?x4xbf16>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {phase = #mla.phase<generation>, rope = #mla.rope<half, head_dim = 4>, rounding = #mla.rounding<direct>}
  return %r#0, %r#1, %r#2 : tensor<?x2x20xf8E4M3FN>, tensor<?x4xbf16>, tensor<?x8x20xf8E4M3FN>
}

func.func @only_cache(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
                      %slots: tensor<?xi64>, %cache: tensor<?x8x20xbf16>)
    -> tensor<?x8x20xbf16> {
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x8x20xbf16>)
  return %r : tensor<?x8x20xbf16>
}

func.func @rope(%x: tensor<?x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
                %positions: tensor<?xi32>, %y: tensor<?x2x4xbf16>)
    -> tensor<?x2x4xbf16> {
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xbf16>
}

func.func @absorb_q(%q_nope: tensor<?x2x8xbf16>, %w_uk: tensor<2x8x16xbf16>,
                    %query: tensor<?x2x16xbf16>)
    -> tensor<?x2x16xbf16> {
  %r = mla.absorb_q
      ins(q_nope = %q_nope : tensor<?x2x8xbf16>,
          w_uk = %w_uk : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<?x2x16xbf16>)
  return %r : tensor<?x2x16xbf16>
}

func.func @project_v(%o_latent: tensor<?x2x16xbf16>, %w_uv: tensor<2x8x16xbf16>,
                     %out: tensor<?x2x8xbf16>)
    -> tensor<?x2x8xbf16> {
  %r = mla.project_v
      ins(o_latent = %o_latent : tensor<?x2x16xbf16>,
          w_uv = %w_uv : tensor<2x8x16xbf16>)
      outs(out = %out : tensor<?x2x8xbf16>)
  return %r : tensor<?x2x8xbf16>
}

func.func @expand_kv(%c_kv: tensor<?x16xbf16>, %w_kv_b: tensor<2x24x16xbf16>,
                     %kv: tensor<?x2x24xbf16>)
    -> tensor<?x2x24xbf16> {
  %r = mla.expand_kv
      ins(c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x24x16xbf16>)
      outs(kv = %kv : tensor<?x2x24xbf16>)
  return %r : tensor<?x2x24xbf16>
}

func.func @schedule(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
                    %schedule: tensor<?xi32>)
    -> tensor<?xi32> {
  %r = mla.schedule
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(schedule = %schedule : tensor<?xi32>)
      {num_heads = 2 : i64, page_size = 8 : i64}
  return %r : tensor<?xi32>
}

func.func @slot_mapping(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
                        %page_table: tensor<?x?xi32>, %cp_rank: index,
                        %positions: tensor<?xi64>, %slots: tensor<?xi64>,
                        %local_kv_lens: tensor<?xi32>, %kv_bounds: tensor<?xi32>)
    -> (tensor<?xi64>, tensor<?xi64>, tensor<?xi32>, tensor<?xi32>) {
  %r:4 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>, cp_rank = %cp_rank : index)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>,
           local_kv_lens = %local_kv_lens : tensor<?xi32>,
           kv_bounds = %kv_bounds : tensor<?xi32>)
      {cp_interleave = 1 : i64, cp_size = 4 : i64, page_size = 8 : i64}
  return %r#0, %r#1, %r#2, %r#3 : tensor<?xi64>, tensor<?xi64>, tensor<?xi32>, tensor<?xi32>
}

func.func @absorbed_attention(%query: tensor<?x2x20xf8E4M3FN>,
                              %cache: tensor<?x8x20xf8E4M3FN>,
                              %page_table: tensor<?x?xi32>,
                              %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
                              %kv_bounds: tensor<?xi32>,
                              %schedule: tensor<?xi32>,
                              %query_scale: tensor<f32>,
                              %latent_scale: tensor<f32>,
                              %pe_scale: tensor<f32>, %sinks: tensor<2xf32>,
                              %indices: tensor<?x?xi32>, %max_kv: index,
                              %o: tensor<?x2x16xbf16>, %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xbf16>, tensor<?x2xf32>) {
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xf8E4M3FN>,
          cache = %cache : tensor<?x8x20xf8E4M3FN>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          kv_bounds = %kv_bounds : tensor<?xi32>,
          schedule = %schedule : tensor<?xi32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x?xi32>, max_kv = %max_kv : index)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x16xbf16>, tensor<?x2xf32>
}

func.func @expanded_attention(%q: tensor<?x2x12xbf16>,
                              %k_nope: tensor<?x2x8xbf16>,
                              %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x6xbf16>,
                              %cu_q: tensor<?xi32>, %kv_lens: tensor<?xi32>,
                              %sinks: tensor<2xf32>, %indices: tensor<?x?xi32>,
                              %window_start: index, %window_length: index,
                              %o: tensor<?x2x6xbf16>, %lse: tensor<?x2xf32>)
    -> (tensor<?x2x6xbf16>, tensor<?x2xf32>) {
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>, kv_lens = %kv_lens : tensor<?xi32>,
          sinks = %sinks : tensor<2xf32>, indices = %indices : tensor<?x?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {causal, softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x6xbf16>, tensor<?x2xf32>
}

func.func @gather_kv(%cache: tensor<?x8x20xf8E4M3FN>,
                     %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                     %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
                     %window_length: index, %c_kv: tensor<?x16xbf16>,
                     %k_pe: tensor<?x4xbf16>)
    -> (tensor<?x16xbf16>, tensor<?x4xbf16>) {
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xf8E4M3FN>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>)
  return %r#0, %r#1 : tensor<?x16xbf16>, tensor<?x4xbf16>
}

func.func @merge_states(%o_states: tensor<?x?x2x16xbf16>,
                        %lse_states: tensor<?x?x2xf32>, %o: tensor<?x2x16xf32>,
                        %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xf32>, tensor<?x2xf32>) {
  %r:2 = mla.merge_states
      ins(o_states = %o_states : tensor<?x?x2x16xbf16>,
          lse_states = %lse_states : tensor<?x?x2xf32>)
      outs(o = %o : tensor<?x2x16xf32>, lse = %lse : tensor<?x2xf32>)
  return %r#0, %r#1 : tensor<?x2x16xf32>, tensor<?x2xf32>
}

func.func @buffers(%c_kv: memref<?x16xbf16>, %k_pe: memref<?x4xbf16>,
                   %q_nope: memref<?x2x16xbf16>, %q_pe: memref<?x2x4xbf16>,
                   %slots: memref<?xi64>, %cos_sin: memref<?x4xf32>,
                   %positions: memref<?xi64>, %query: memref<?x2x20xbf16>,
                   %cache: memref<?x8x20xbf16>) {
  mla.append
      ins(c_kv = %c_kv : memref<?x16xbf16>, k_pe = %k_pe : memref<?x4xbf16>,
          q_nope = %q_nope : memref<?x2x16xbf16>,
          q_pe = %q_pe : memref<?x2x4xbf16>, slots = %slots : memref<?xi64>,
          cos_sin = %cos_sin : memref<?x4xf32>,
          positions = %positions : memref<?xi64>)
      outs(query = %query : memref<?x2x20xbf16>,
           cache = %cache : memref<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}
