// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-fuse-append -split-input-file -verify-diagnostics \
// RUN:   --remark-format=emitRemark --remarks-filter=mla-fuse-append -o %t
// RUN: FileCheck %s < %t

// What isn't fused stays as it is, and a remark at the operation that is in the way
// says why.

// All that there is: four launches become one.
// CHECK-LABEL: func.func @fused(
// CHECK-NEXT:    mla.append
// CHECK-NEXT:    return
func.func @fused(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %k_pe_init = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  %q_pe_init = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %q_pe_init : tensor<4x2x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  // expected-remark @+1 {{one launch instead of 4, saves 3}}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  %full = mla.append
      ins(q_pe = %q_pe : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// -----

// No site: nothing to rotate and no query, so nothing is said.
// CHECK-LABEL: func.func @no_site(
func.func @no_site(%c_kv: tensor<4x8xbf16>, %slots: tensor<4xi64>,
                   %cache: tensor<4x16x8xbf16>) -> tensor<4x16x8xbf16> {
  %new = mla.append ins(c_kv = %c_kv : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x8xbf16>)
  return %new : tensor<4x16x8xbf16>
}

// -----

// (F1) A query of another block; its append is no half of this one's.
// CHECK-LABEL: func.func @blocks(
// CHECK:         mla.append
// CHECK:         scf.if
// CHECK:         mla.append
func.func @blocks(
    %c_kv: tensor<4x8xbf16>, %q: tensor<4x2x8xbf16>, %slots: tensor<4xi64>,
    %condition: i1, %query: tensor<4x2x8xbf16>, %cache: tensor<4x16x8xbf16>)
    -> (tensor<4x2x8xbf16>, tensor<4x16x8xbf16>) {
  %new = mla.append ins(c_kv = %c_kv : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x8xbf16>)
  %full = scf.if %condition -> tensor<4x2x8xbf16> {
    %there = mla.append ins(q_nope = %q : tensor<4x2x8xbf16>)
        outs(query = %query : tensor<4x2x8xbf16>)
    scf.yield %there : tensor<4x2x8xbf16>
  } else {
    scf.yield %query : tensor<4x2x8xbf16>
  }
  return %full, %new : tensor<4x2x8xbf16>, tensor<4x16x8xbf16>
}

// -----

// (F2) The rotated key is returned too. The query is fused by itself.
// CHECK-LABEL: func.func @used_elsewhere(
// CHECK:         mla.rope ins
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @used_elsewhere(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<4x2xbf16>) {
  %k_pe_init = tensor.empty() : tensor<4x2xbf16>
  // expected-remark @+1 {{(F2) expected the append as the only user of what is rotated or converted, got 2 uses}}
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  %q_pe_init = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %q_pe_init : tensor<4x2x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  // expected-remark @+1 {{one launch instead of 2, saves 1}}
  %full = mla.append
      ins(q_pe = %q_pe : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new, %k_pe
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<4x2xbf16>
}

// -----

// (F3) A rotation, and an append that rotates.
// CHECK-LABEL: func.func @rotated_twice(
// CHECK:         mla.rope ins
// CHECK:         mla.append {{.*}}rope = #mla.rope
func.func @rotated_twice(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x16x10xbf16>) {
  %k_pe_init = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  // expected-remark @+1 {{(F3) expected rows that are rotated once, got an append that rotates what is rotated}}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>,
          cos_sin = %table : tensor<?x2xf32>, positions = %p : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  return %new
      : tensor<4x16x10xbf16>
}

// -----

// (F3) Key and query at other positions. Each is fused by itself.
// CHECK-LABEL: func.func @other_positions(
// CHECK-NOT:     mla.rope ins
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @other_positions(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %other: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %k_pe_init = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  %q_pe_init = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %other : tensor<4xi64>)
      outs(y = %q_pe_init : tensor<4x2x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  // expected-remark @+1 {{one launch instead of 2, saves 1}}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  // expected-remark @+2 {{(F3) expected key and query to be rotated alike, got a query with another table or other positions}}
  // expected-remark @+1 {{one launch instead of 2, saves 1}}
  %full = mla.append
      ins(q_pe = %q_pe : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// -----

// (F3) Another pairing.
// CHECK-LABEL: func.func @other_rope(
// CHECK-NOT:     mla.rope ins
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @other_rope(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %k_pe_init = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  %q_pe_init = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %q_pe_init : tensor<4x2x2xbf16>)
      {rope = #mla.rope<half, head_dim = 2>}
  // expected-remark @+1 {{one launch instead of 2, saves 1}}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  // expected-remark @+2 {{(F3) expected key and query to be rotated alike, got a query with another rope attribute}}
  // expected-remark @+1 {{one launch instead of 2, saves 1}}
  %full = mla.append
      ins(q_pe = %q_pe : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// -----

// (F3) A query that nothing rotates.
// CHECK-LABEL: func.func @query_not_rotated(
// CHECK-NOT:     mla.rope ins
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @query_not_rotated(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %k_pe_init = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  // expected-remark @+1 {{one launch instead of 2, saves 1}}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  // expected-remark @+1 {{(F3) expected key and query to be rotated alike, got a query with no rotation}}
  %full = mla.append
      ins(q_pe = %q : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// -----

// (F3) One append would rotate the columns that this query has already.
// CHECK-LABEL: func.func @without_q_pe(
// CHECK-NOT:     mla.rope ins
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @without_q_pe(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %nope: tensor<4x2x8xbf16>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %k_pe_init = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  // expected-remark @+1 {{one launch instead of 2, saves 1}}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  // expected-remark @+1 {{(F3) expected a query that is rotated as the key is, got one without q_pe}}
  %full = mla.append
      ins(q_nope = %nope : tensor<4x2x8xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// -----

// (F4) The key is rounded to bf16 on its way to fp8, the query is not.
// CHECK-LABEL: func.func @rounding(
// CHECK-NOT:     mla.rope ins
// CHECK:         mla.append {{.*}} outs(cache{{.*}}rounding = #mla.rounding<through_input_type>
// CHECK:         mla.append {{.*}} outs(query
func.func @rounding(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %nope: tensor<4x2x8xbf16>, %scale: tensor<f32>,
    %query: tensor<4x2x10xf8E4M3FN>, %cache: tensor<4x16x10xf8E4M3FN>)
    -> (tensor<4x2x10xf8E4M3FN>, tensor<4x16x10xf8E4M3FN>) {
  %k_pe_init = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  %q_pe_init = tensor.empty() : tensor<4x2x2xf32>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %q_pe_init : tensor<4x2x2xf32>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  %wide = arith.extf %nope : tensor<4x2x8xbf16> to tensor<4x2x8xf32>
  // expected-remark @+1 {{one launch instead of 2, saves 1}}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>,
          latent_scale = %scale : tensor<f32>, pe_scale = %scale : tensor<f32>)
      outs(cache = %cache : tensor<4x16x10xf8E4M3FN>)
  // expected-remark @+2 {{(F4) expected key and query to be rounded alike, got one that is rounded to the input type between rotation and quantization}}
  // expected-remark @+1 {{one launch instead of 3, saves 2}}
  %full = mla.append
      ins(q_nope = %wide : tensor<4x2x8xf32>, q_pe = %q_pe : tensor<4x2x2xf32>,
          query_scale = %scale : tensor<f32>)
      outs(query = %query : tensor<4x2x10xf8E4M3FN>)
  return %full, %new
      : tensor<4x2x10xf8E4M3FN>, tensor<4x16x10xf8E4M3FN>
}

// -----

// (F5) Rows of f32, but for the key before its rotation.
// CHECK-LABEL: func.func @types(
// CHECK:         mla.rope ins
func.func @types(
    %c_kv: tensor<4x8xf32>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xf32>)
    -> (tensor<4x16x10xf32>) {
  %k_pe_init = tensor.empty() : tensor<4x2xf32>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xf32>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  // expected-remark @+1 {{(F5) expected inputs of one type, got k_pe of another before it is rotated or converted}}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xf32>, k_pe = %k_pe : tensor<4x2xf32>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xf32>)
  return %new
      : tensor<4x16x10xf32>
}

// -----

// (F5) A query of f32 from rows of bf16.
// CHECK-LABEL: func.func @destination_type(
// CHECK:         mla.rope ins
func.func @destination_type(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xf32>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xf32>) {
  %q_pe_init = tensor.empty() : tensor<4x2x2xf32>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %q_pe_init : tensor<4x2x2xf32>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  // expected-remark @+1 {{(F5) expected destinations of the inputs' type or quantized, got another type}}
  %full = mla.append
      ins(q_pe = %q_pe : tensor<4x2x2xf32>)
      outs(query = %query : tensor<4x2x10xf32>)
  return %full
      : tensor<4x2x10xf32>
}

// -----

// (F5) From f32 the pe columns of bytes are bf16, from f16 they would be f16.
// CHECK-LABEL: func.func @block_scaled_types(
// CHECK:         mla.rope ins
func.func @block_scaled_types(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %k16: tensor<4x2xf16>, %c16: tensor<4x128xf16>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x136xi8>)
    -> (tensor<4x16x136xi8>) {
  %k_pe_init = tensor.empty() : tensor<4x2xf32>
  %k_pe = mla.rope
      ins(x = %k16 : tensor<4x2xf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %k_pe_init : tensor<4x2xf32>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  %wide = arith.extf %c16 : tensor<4x128xf16> to tensor<4x128xf32>
  // expected-remark @+1 {{(F5) expected block-scaled rows to keep the type of their pe columns, got another}}
  %new = mla.append
      ins(c_kv = %wide : tensor<4x128xf32>, k_pe = %k_pe : tensor<4x2xf32>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x136xi8>)
  return %new
      : tensor<4x16x136xi8>
}

// -----

// (F5) A query without positional columns.
// CHECK-LABEL: func.func @widths(
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @widths(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %nope: tensor<4x2x8xbf16>,
    %query: tensor<4x2x8xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x8xbf16>, tensor<4x16x10xbf16>) {
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  // expected-remark @+1 {{(F5) expected query and cache of shapes that agree, got others}}
  %full = mla.append
      ins(q_nope = %nope : tensor<4x2x8xbf16>)
      outs(query = %query : tensor<4x2x8xbf16>)
  return %full, %new
      : tensor<4x2x8xbf16>, tensor<4x16x10xbf16>
}

// -----

// (F5) A quantized query beside block-scaled rows.
// CHECK-LABEL: func.func @block_scaled_query(
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @block_scaled_query(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %c128: tensor<4x128xbf16>, %nope: tensor<4x2x8xbf16>, %scale: tensor<f32>,
    %query: tensor<4x2x10xf8E4M3FN>, %cache: tensor<4x16x136xi8>)
    -> (tensor<4x2x10xf8E4M3FN>, tensor<4x16x136xi8>) {
  %new = mla.append
      ins(c_kv = %c128 : tensor<4x128xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x136xi8>)
  // expected-remark @+1 {{(F5) expected a query that isn't quantized beside block-scaled rows, got one that is}}
  %full = mla.append
      ins(q_nope = %nope : tensor<4x2x8xbf16>, q_pe = %q : tensor<4x2x2xbf16>,
          query_scale = %scale : tensor<f32>)
      outs(query = %query : tensor<4x2x10xf8E4M3FN>)
  return %full, %new
      : tensor<4x2x10xf8E4M3FN>, tensor<4x16x136xi8>
}

// -----

// (F6) Two numbers of tokens that nothing says are the same.
// CHECK-LABEL: func.func @tokens(
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @tokens(
    %c_kv: tensor<?x8xbf16>, %q: tensor<?x2x8xbf16>, %slots: tensor<?xi64>,
    %query: tensor<?x2x8xbf16>, %cache: tensor<4x16x8xbf16>)
    -> (tensor<?x2x8xbf16>, tensor<4x16x8xbf16>) {
  %new = mla.append ins(c_kv = %c_kv : tensor<?x8xbf16>, slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<4x16x8xbf16>)
  // expected-remark @+1 {{(F6) expected the cache and the query to be of the same tokens, got numbers that aren't known to be equal}}
  %full = mla.append ins(q_nope = %q : tensor<?x2x8xbf16>)
      outs(query = %query : tensor<?x2x8xbf16>)
  return %full, %new : tensor<?x2x8xbf16>, tensor<4x16x8xbf16>
}

// -----

// (F6) Slots and query of two batches.
// CHECK-LABEL: func.func @cu_q(
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @cu_q(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %lens: tensor<1xi32>, %cu: tensor<2xi32>, %other: tensor<2xi32>,
    %pages: tensor<1x4xi32>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %p0 = tensor.empty() : tensor<4xi64>
  %s0 = tensor.empty() : tensor<4xi64>
  %there:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %p0 : tensor<4xi64>, slots = %s0 : tensor<4xi64>)
      {page_size = 16 : i64}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %there#1 : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  // expected-remark @+1 {{(F6) expected cu_q to be that of the slots, got another}}
  %full = mla.append
      ins(q_pe = %q : tensor<4x2x2xbf16>, cu_q = %other : tensor<2xi32>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// -----

// (F6) Padding's rows of k_pe_out keep their key, those of the query become 0.
// CHECK-LABEL: func.func @k_pe_out(
// CHECK:         mla.append {{.*}} outs(k_pe_out
// CHECK:         mla.append {{.*}} outs(query
func.func @k_pe_out(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %cu: tensor<2xi32>, %key_init: tensor<4x2xbf16>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<4x2xbf16>) {
  // expected-remark @+1 {{(F6) expected k_pe_out and the query to have one cu_q, got another}}
  %key, %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(k_pe_out = %key_init : tensor<4x2xbf16>, cache = %cache : tensor<4x16x10xbf16>)
  %full = mla.append
      ins(q_pe = %q : tensor<4x2x2xbf16>, cu_q = %cu : tensor<2xi32>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new, %key
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<4x2xbf16>
}

// -----

// (F7) Of two phases.
// CHECK-LABEL: func.func @phases(
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @phases(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
      {phase = #mla.phase<context>}
  // expected-remark @+1 {{(F7) expected operations of one phase, got two}}
  %full = mla.append
      ins(q_pe = %q : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
      {phase = #mla.phase<generation>}
  return %full, %new
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// -----

// (F7) Of two layers.
// CHECK-LABEL: func.func @attributes(
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @attributes(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
      {model.layer = 1 : i64}
  // expected-remark @+1 {{(F7) expected attributes that agree, got two values of 'model.layer'}}
  %full = mla.append
      ins(q_pe = %q : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
      {model.layer = 2 : i64}
  return %full, %new
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// -----

// (F8) A query from what the cache holds.
// CHECK-LABEL: func.func @circular(
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @circular(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %length: index,
    %rows: tensor<64x8xbf16>, %pe: tensor<64x2xbf16>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  %read:2 = mla.gather_kv
      ins(cache = %new : tensor<4x16x10xbf16>, page_table = %pages : tensor<1x4xi32>,
          kv_lens = %lens : tensor<1xi32>, window_length = %length : index)
      outs(c_kv = %rows : tensor<64x8xbf16>, k_pe = %pe : tensor<64x2xbf16>)
  %q_pe = tensor.extract_slice %read#0[0, 0] [4, 4] [1, 1]
      : tensor<64x8xbf16> to tensor<4x4xbf16>
  // expected-remark @+1 {{(F8) expected every operand before the first use of a result, got one that can't be moved there}}
  %q_3d = tensor.expand_shape %q_pe [[0], [1, 2]] output_shape [4, 2, 2]
      : tensor<4x4xbf16> into tensor<4x2x2xbf16>
  %full = mla.append
      ins(q_pe = %q_3d : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// -----

// (F8) A call can't be moved.
func.func private @other(tensor<4x2x2xbf16>) -> tensor<4x2x2xbf16>

// CHECK-LABEL: func.func @side_effect(
// CHECK:         mla.append {{.*}} outs(cache
// CHECK:         mla.append {{.*}} outs(query
func.func @side_effect(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %length: index,
    %rows: tensor<64x8xbf16>, %pe: tensor<64x2xbf16>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<64x8xbf16>) {
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  %read:2 = mla.gather_kv
      ins(cache = %new : tensor<4x16x10xbf16>, page_table = %pages : tensor<1x4xi32>,
          kv_lens = %lens : tensor<1xi32>, window_length = %length : index)
      outs(c_kv = %rows : tensor<64x8xbf16>, k_pe = %pe : tensor<64x2xbf16>)
  // expected-remark @+1 {{(F8) expected every operand before the first use of a result, got one that can't be moved there}}
  %q_pe = call @other(%q) : (tensor<4x2x2xbf16>) -> tensor<4x2x2xbf16>
  %full = mla.append
      ins(q_pe = %q_pe : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new, %read#0
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<64x8xbf16>
}

// -----

// (F8) The old cache is read before it is written, after the query is used.
// CHECK-LABEL: func.func @old_value(
// CHECK:         mla.append {{.*}} outs(query
// CHECK:         mla.append {{.*}} outs(cache
func.func @old_value(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %length: index,
    %rows: tensor<64x8xbf16>, %pe: tensor<64x2xbf16>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<64x8xbf16>) {
  %full = mla.append
      ins(q_pe = %q : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  %doubled = arith.addf %full, %full : tensor<4x2x10xbf16>
  // expected-remark @+1 {{(F8) expected destinations to be written in place, got a reader of the old value in between}}
  %read:2 = mla.gather_kv
      ins(cache = %cache : tensor<4x16x10xbf16>, page_table = %pages : tensor<1x4xi32>,
          kv_lens = %lens : tensor<1xi32>, window_length = %length : index)
      outs(c_kv = %rows : tensor<64x8xbf16>, k_pe = %pe : tensor<64x2xbf16>)
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  return %doubled, %new, %read#0
      : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<64x8xbf16>
}
