// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// On buffers every operand is read, and a destination is also written: it is
// read-modify-write. On tensors there are no effects, so what isn't used may go.

// UNSUPPORTED: sanitize
// RUN: mlir-opt %s --load-dialect-plugin=%shlibdir/MLAPlugin.so --test-side-effects \
// RUN:     -verify-diagnostics -o %t

func.func @attention_on_buffers(%q: memref<?x2x12xbf16>,
                                %c_kv: memref<?x16xbf16>,
                                %k_pe: memref<?x4xbf16>,
                                %w_kv_b: memref<2x16x16xbf16>,
                                %page_table: memref<?x?xi32>,
                                %kv_lens: memref<?xi32>, %cu_q: memref<?xi32>,
                                %cos_sin: memref<?x4xf32>, %max_kv: index,
                                %out: memref<?x2x8xbf16>,
                                %cache: memref<?x8x20xbf16>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 3, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 4, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 5, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 6, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 7, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 9, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 9, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 10, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 10, on resource '<Default>'}}
  mla.attention
      ins(q = %q : memref<?x2x12xbf16>, c_kv = %c_kv : memref<?x16xbf16>,
          k_pe = %k_pe : memref<?x4xbf16>,
          w_kv_b = %w_kv_b : memref<2x16x16xbf16>,
          page_table = %page_table : memref<?x?xi32>,
          kv_lens = %kv_lens : memref<?xi32>, cu_q = %cu_q : memref<?xi32>,
          cos_sin = %cos_sin : memref<?x4xf32>, max_kv = %max_kv : index)
      outs(out = %out : memref<?x2x8xbf16>, cache = %cache : memref<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

func.func @append_on_buffers(%c_kv: memref<?x16xbf16>, %k_pe: memref<?x4xbf16>,
                             %q_nope: memref<?x2x16xbf16>,
                             %q_pe: memref<?x2x4xbf16>, %slots: memref<?xi64>,
                             %cos_sin: memref<?x4xf32>,
                             %positions: memref<?xi64>,
                             %query: memref<?x2x20xbf16>,
                             %cache: memref<?x8x20xbf16>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 3, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 4, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 5, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 6, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 7, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 7, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 8, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 8, on resource '<Default>'}}
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

func.func @rope_on_buffers(%x: memref<?x2x4xbf16>, %cos_sin: memref<?x4xf32>,
                           %positions: memref<?xi32>, %y: memref<?x2x4xbf16>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 3, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 3, on resource '<Default>'}}
  mla.rope
      ins(x = %x : memref<?x2x4xbf16>, cos_sin = %cos_sin : memref<?x4xf32>,
          positions = %positions : memref<?xi32>)
      outs(y = %y : memref<?x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

func.func @absorb_q_on_buffers(%q_nope: memref<?x2x8xbf16>,
                               %w_uk: memref<2x8x16xbf16>,
                               %query: memref<?x2x16xbf16>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 2, on resource '<Default>'}}
  mla.absorb_q
      ins(q_nope = %q_nope : memref<?x2x8xbf16>,
          w_uk = %w_uk : memref<2x8x16xbf16>)
      outs(query = %query : memref<?x2x16xbf16>)
  return
}

func.func @project_v_on_buffers(%o_latent: memref<?x2x16xbf16>,
                                %w_uv: memref<2x8x16xbf16>,
                                %out: memref<?x2x8xbf16>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 2, on resource '<Default>'}}
  mla.project_v
      ins(o_latent = %o_latent : memref<?x2x16xbf16>,
          w_uv = %w_uv : memref<2x8x16xbf16>)
      outs(out = %out : memref<?x2x8xbf16>)
  return
}

func.func @expand_kv_on_buffers(%c_kv: memref<?x16xbf16>,
                                %w_kv_b: memref<2x24x16xbf16>,
                                %kv: memref<?x2x24xbf16>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 2, on resource '<Default>'}}
  mla.expand_kv
      ins(c_kv = %c_kv : memref<?x16xbf16>,
          w_kv_b = %w_kv_b : memref<2x24x16xbf16>)
      outs(kv = %kv : memref<?x2x24xbf16>)
  return
}

func.func @schedule_on_buffers(%kv_lens: memref<?xi32>, %cu_q: memref<?xi32>,
                               %schedule: memref<?xi32>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 2, on resource '<Default>'}}
  mla.schedule
      ins(kv_lens = %kv_lens : memref<?xi32>, cu_q = %cu_q : memref<?xi32>)
      outs(schedule = %schedule : memref<?xi32>)
      {num_heads = 2 : i64, page_size = 8 : i64}
  return
}

func.func @slot_mapping_on_buffers(%kv_lens: memref<?xi32>,
                                   %cu_q: memref<?xi32>,
                                   %page_table: memref<?x?xi32>,
                                   %cp_rank: index, %positions: memref<?xi64>,
                                   %slots: memref<?xi64>,
                                   %local_kv_lens: memref<?xi32>,
                                   %kv_bounds: memref<?xi32>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 4, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 4, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 5, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 5, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 6, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 6, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 7, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 7, on resource '<Default>'}}
  mla.slot_mapping
      ins(kv_lens = %kv_lens : memref<?xi32>, cu_q = %cu_q : memref<?xi32>,
          page_table = %page_table : memref<?x?xi32>, cp_rank = %cp_rank : index)
      outs(positions = %positions : memref<?xi64>,
           slots = %slots : memref<?xi64>,
           local_kv_lens = %local_kv_lens : memref<?xi32>,
           kv_bounds = %kv_bounds : memref<?xi32>)
      {cp_interleave = 1 : i64, cp_size = 4 : i64, page_size = 8 : i64}
  return
}

func.func @absorbed_attention_on_buffers(%query: memref<?x2x20xf8E4M3FN>,
                                         %cache: memref<?x8x20xf8E4M3FN>,
                                         %page_table: memref<?x?xi32>,
                                         %kv_lens: memref<?xi32>,
                                         %cu_q: memref<?xi32>,
                                         %kv_bounds: memref<?xi32>,
                                         %schedule: memref<?xi32>,
                                         %query_scale: memref<f32>,
                                         %latent_scale: memref<f32>,
                                         %pe_scale: memref<f32>,
                                         %sinks: memref<2xf32>,
                                         %indices: memref<?x?xi32>,
                                         %max_kv: index,
                                         %o: memref<?x2x16xbf16>,
                                         %lse: memref<?x2xf32>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 3, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 4, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 5, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 6, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 7, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 8, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 9, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 10, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 11, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 13, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 13, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 14, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 14, on resource '<Default>'}}
  mla.absorbed_attention
      ins(query = %query : memref<?x2x20xf8E4M3FN>,
          cache = %cache : memref<?x8x20xf8E4M3FN>,
          page_table = %page_table : memref<?x?xi32>,
          kv_lens = %kv_lens : memref<?xi32>, cu_q = %cu_q : memref<?xi32>,
          kv_bounds = %kv_bounds : memref<?xi32>,
          schedule = %schedule : memref<?xi32>,
          query_scale = %query_scale : memref<f32>,
          latent_scale = %latent_scale : memref<f32>,
          pe_scale = %pe_scale : memref<f32>, sinks = %sinks : memref<2xf32>,
          indices = %indices : memref<?x?xi32>, max_kv = %max_kv : index)
      outs(o = %o : memref<?x2x16xbf16>, lse = %lse : memref<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

func.func @expanded_attention_on_buffers(%q: memref<?x2x12xbf16>,
                                         %k_nope: memref<?x2x8xbf16>,
                                         %k_pe: memref<?x4xbf16>,
                                         %v: memref<?x2x6xbf16>,
                                         %cu_q: memref<?xi32>,
                                         %kv_lens: memref<?xi32>,
                                         %sinks: memref<2xf32>,
                                         %indices: memref<?x?xi32>,
                                         %window_start: index,
                                         %window_length: index,
                                         %o: memref<?x2x6xbf16>,
                                         %lse: memref<?x2xf32>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 3, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 4, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 5, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 6, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 7, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 10, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 10, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 11, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 11, on resource '<Default>'}}
  mla.expanded_attention
      ins(q = %q : memref<?x2x12xbf16>, k_nope = %k_nope : memref<?x2x8xbf16>,
          k_pe = %k_pe : memref<?x4xbf16>, v = %v : memref<?x2x6xbf16>,
          cu_q = %cu_q : memref<?xi32>, kv_lens = %kv_lens : memref<?xi32>,
          sinks = %sinks : memref<2xf32>, indices = %indices : memref<?x?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(o = %o : memref<?x2x6xbf16>, lse = %lse : memref<?x2xf32>)
      {causal, softmax_scale = 2.500000e-01 : f64}
  return
}

func.func @gather_kv_on_buffers(%cache: memref<?x8x20xbf16>,
                                %page_table: memref<?x?xi32>,
                                %kv_lens: memref<?xi32>, %window_start: index,
                                %window_length: index, %c_kv: memref<?x16xbf16>,
                                %k_pe: memref<?x4xbf16>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 5, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 5, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 6, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 6, on resource '<Default>'}}
  mla.gather_kv
      ins(cache = %cache : memref<?x8x20xbf16>,
          page_table = %page_table : memref<?x?xi32>,
          kv_lens = %kv_lens : memref<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : memref<?x16xbf16>, k_pe = %k_pe : memref<?x4xbf16>)
  return
}

func.func @merge_states_on_buffers(%o_states: memref<?x?x2x16xbf16>,
                                   %lse_states: memref<?x?x2xf32>,
                                   %o: memref<?x2x16xf32>, %lse: memref<?x2xf32>) {
  // expected-remark @below {{found an instance of 'read' on op operand 0, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 1, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 2, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'read' on op operand 3, on resource '<Default>'}}
  // expected-remark @below {{found an instance of 'write' on op operand 3, on resource '<Default>'}}
  mla.merge_states
      ins(o_states = %o_states : memref<?x?x2x16xbf16>,
          lse_states = %lse_states : memref<?x?x2xf32>)
      outs(o = %o : memref<?x2x16xf32>, lse = %lse : memref<?x2xf32>)
  return
}

func.func @attention_on_tensors(%q: tensor<?x2x12xbf16>,
                                %c_kv: tensor<?x16xbf16>,
                                %k_pe: tensor<?x4xbf16>,
                                %w_kv_b: tensor<2x16x16xbf16>,
                                %page_table: tensor<?x?xi32>,
                                %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
                                %cos_sin: tensor<?x4xf32>, %max_kv: index,
                                %out: tensor<?x2x8xbf16>,
                                %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x8xbf16>, tensor<?x8x20xbf16>) {
  // expected-remark @below {{operation has no memory effects}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>, max_kv = %max_kv : index)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x20xbf16>
}

func.func @append_on_tensors(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
                             %q_nope: tensor<?x2x16xbf16>,
                             %q_pe: tensor<?x2x4xbf16>, %slots: tensor<?xi64>,
                             %cos_sin: tensor<?x4xf32>,
                             %positions: tensor<?xi64>,
                             %query: tensor<?x2x20xbf16>,
                             %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x20xbf16>, tensor<?x8x20xbf16>) {
  // expected-remark @below {{operation has no memory effects}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xbf16>
}

func.func @rope_on_tensors(%x: tensor<?x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
                           %positions: tensor<?xi32>, %y: tensor<?x2x4xbf16>)
    -> tensor<?x2x4xbf16> {
  // expected-remark @below {{operation has no memory effects}}
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xbf16>
}

func.func @absorb_q_on_tensors(%q_nope: tensor<?x2x8xbf16>,
                               %w_uk: tensor<2x8x16xbf16>,
                               %query: tensor<?x2x16xbf16>)
    -> tensor<?x2x16xbf16> {
  // expected-remark @below {{operation has no memory effects}}
  %r = mla.absorb_q
      ins(q_nope = %q_nope : tensor<?x2x8xbf16>,
          w_uk = %w_uk : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<?x2x16xbf16>)
  return %r : tensor<?x2x16xbf16>
}

func.func @project_v_on_tensors(%o_latent: tensor<?x2x16xbf16>,
                                %w_uv: tensor<2x8x16xbf16>,
                                %out: tensor<?x2x8xbf16>)
    -> tensor<?x2x8xbf16> {
  // expected-remark @below {{operation has no memory effects}}
  %r = mla.project_v
      ins(o_latent = %o_latent : tensor<?x2x16xbf16>,
          w_uv = %w_uv : tensor<2x8x16xbf16>)
      outs(out = %out : tensor<?x2x8xbf16>)
  return %r : tensor<?x2x8xbf16>
}

func.func @expand_kv_on_tensors(%c_kv: tensor<?x16xbf16>,
                                %w_kv_b: tensor<2x24x16xbf16>,
                                %kv: tensor<?x2x24xbf16>)
    -> tensor<?x2x24xbf16> {
  // expected-remark @below {{operation has no memory effects}}
  %r = mla.expand_kv
      ins(c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x24x16xbf16>)
      outs(kv = %kv : tensor<?x2x24xbf16>)
  return %r : tensor<?x2x24xbf16>
}

func.func @schedule_on_tensors(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
                               %schedule: tensor<?xi32>)
    -> tensor<?xi32> {
  // expected-remark @below {{operation has no memory effects}}
  %r = mla.schedule
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(schedule = %schedule : tensor<?xi32>)
      {num_heads = 2 : i64, page_size = 8 : i64}
  return %r : tensor<?xi32>
}

func.func @slot_mapping_on_tensors(%kv_lens: tensor<?xi32>,
                                   %cu_q: tensor<?xi32>,
                                   %page_table: tensor<?x?xi32>,
                                   %cp_rank: index, %positions: tensor<?xi64>,
                                   %slots: tensor<?xi64>,
                                   %local_kv_lens: tensor<?xi32>,
                                   %kv_bounds: tensor<?xi32>)
    -> (tensor<?xi64>, tensor<?xi64>, tensor<?xi32>, tensor<?xi32>) {
  // expected-remark @below {{operation has no memory effects}}
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

func.func @absorbed_attention_on_tensors(%query: tensor<?x2x20xf8E4M3FN>,
                                         %cache: tensor<?x8x20xf8E4M3FN>,
                                         %page_table: tensor<?x?xi32>,
                                         %kv_lens: tensor<?xi32>,
                                         %cu_q: tensor<?xi32>,
                                         %kv_bounds: tensor<?xi32>,
                                         %schedule: tensor<?xi32>,
                                         %query_scale: tensor<f32>,
                                         %latent_scale: tensor<f32>,
                                         %pe_scale: tensor<f32>,
                                         %sinks: tensor<2xf32>,
                                         %indices: tensor<?x?xi32>,
                                         %max_kv: index,
                                         %o: tensor<?x2x16xbf16>,
                                         %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xbf16>, tensor<?x2xf32>) {
  // expected-remark @below {{operation has no memory effects}}
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

func.func @expanded_attention_on_tensors(%q: tensor<?x2x12xbf16>,
                                         %k_nope: tensor<?x2x8xbf16>,
                                         %k_pe: tensor<?x4xbf16>,
                                         %v: tensor<?x2x6xbf16>,
                                         %cu_q: tensor<?xi32>,
                                         %kv_lens: tensor<?xi32>,
                                         %sinks: tensor<2xf32>,
                                         %indices: tensor<?x?xi32>,
                                         %window_start: index,
                                         %window_length: index,
                                         %o: tensor<?x2x6xbf16>,
                                         %lse: tensor<?x2xf32>)
    -> (tensor<?x2x6xbf16>, tensor<?x2xf32>) {
  // expected-remark @below {{operation has no memory effects}}
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

func.func @gather_kv_on_tensors(%cache: tensor<?x8x20xbf16>,
                                %page_table: tensor<?x?xi32>,
                                %kv_lens: tensor<?xi32>, %window_start: index,
                                %window_length: index, %c_kv: tensor<?x16xbf16>,
                                %k_pe: tensor<?x4xbf16>)
    -> (tensor<?x16xbf16>, tensor<?x4xbf16>) {
  // expected-remark @below {{operation has no memory effects}}
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>)
  return %r#0, %r#1 : tensor<?x16xbf16>, tensor<?x4xbf16>
}

func.func @merge_states_on_tensors(%o_states: tensor<?x?x2x16xbf16>,
                                   %lse_states: tensor<?x?x2xf32>,
                                   %o: tensor<?x2x16xf32>, %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xf32>, tensor<?x2xf32>) {
  // expected-remark @below {{operation has no memory effects}}
  %r:2 = mla.merge_states
      ins(o_states = %o_states : tensor<?x?x2x16xbf16>,
          lse_states = %lse_states : tensor<?x?x2xf32>)
      outs(o = %o : tensor<?x2x16xf32>, lse = %lse : tensor<?x2xf32>)
  return %r#0, %r#1 : tensor<?x2x16xf32>, tensor<?x2xf32>
}
