// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// From tensors to buffers: a decode step of each variant has no copy, and the only
// allocations are its intermediate values.

// RUN: mla-opt %s --mla-bufferize | FileCheck %s --implicit-check-not=memref.copy

// CHECK-LABEL: func.func @rotated(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = [{{[^]]*}}], mla.name = "out", mla.role = "output"}, %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = ["pages", "", ""], mla.name = "cache", mla.role = "inout"}) {
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         mla.slot_mapping
// CHECK:         %[[QUERY:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x10xbf16>
// CHECK:         mla.absorb_q
// CHECK:         mla.append {{.*}}cache = %[[CACHE]] : memref
// CHECK:         %[[O:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x8xbf16>
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] : {{.*}} cache = %[[CACHE]] : {{.*}} outs(o = %[[O]] :
// CHECK:         mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK-NEXT:    return{{$}}
func.func @rotated(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %cos_sin: tensor<?x2xf32>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, phase = #mla.phase<generation>,
       model.layer = 7 : i64, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// CHECK-LABEL: func.func @half(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = [{{[^]]*}}], mla.name = "out", mla.role = "output"}, %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = ["pages", "", ""], mla.name = "cache", mla.role = "inout"}) {
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         mla.slot_mapping
// CHECK:         %[[QUERY:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x10xbf16>
// CHECK:         mla.absorb_q
// CHECK:         mla.append {{.*}}cache = %[[CACHE]] : memref
// CHECK:         %[[O:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x8xbf16>
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] : {{.*}} cache = %[[CACHE]] : {{.*}} outs(o = %[[O]] :
// CHECK:         mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK-NEXT:    return{{$}}
func.func @half(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %cos_sin: tensor<?x2xf32>, %positions: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %cos_sin : tensor<?x2xf32>,
          positions = %positions : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<half, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// CHECK-LABEL: func.func @unrotated(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = [{{[^]]*}}], mla.name = "out", mla.role = "output"}, %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = ["pages", "", ""], mla.name = "cache", mla.role = "inout"}) {
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         mla.slot_mapping
// CHECK:         %[[QUERY:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x10xbf16>
// CHECK:         mla.absorb_q
// CHECK:         mla.append {{.*}}cache = %[[CACHE]] : memref
// CHECK:         %[[O:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x8xbf16>
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] : {{.*}} cache = %[[CACHE]] : {{.*}} outs(o = %[[O]] :
// CHECK:         mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK-NEXT:    return{{$}}
func.func @unrotated(
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

// CHECK-LABEL: func.func @zero_width(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = [{{[^]]*}}], mla.name = "out", mla.role = "output"}, %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = ["pages", "", ""], mla.name = "cache", mla.role = "inout"}) {
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         mla.slot_mapping
// CHECK:         %[[QUERY:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x8xbf16>
// CHECK:         mla.absorb_q
// CHECK:         mla.append {{.*}}cache = %[[CACHE]] : memref
// CHECK:         %[[O:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x8xbf16>
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] : {{.*}} cache = %[[CACHE]] : {{.*}} outs(o = %[[O]] :
// CHECK:         mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK-NEXT:    return{{$}}
func.func @zero_width(
    %q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>, %w: tensor<2x8x8xbf16>,
    %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x8xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x8xbf16>
}

// CHECK-LABEL: func.func @topk_sinks(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = [{{[^]]*}}], mla.name = "out", mla.role = "output"}, %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = ["pages", "", ""], mla.name = "cache", mla.role = "inout"}) {
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         mla.slot_mapping
// CHECK:         %[[QUERY:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x10xbf16>
// CHECK:         mla.absorb_q
// CHECK:         mla.append {{.*}}cache = %[[CACHE]] : memref
// CHECK:         %[[O:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x8xbf16>
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] : {{.*}} cache = %[[CACHE]] : {{.*}} outs(o = %[[O]] :
// CHECK:         mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK-NEXT:    return{{$}}
func.func @topk_sinks(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %sinks: tensor<2xf32>, %indices: tensor<?x3xi32>,
    %max_kv: index, %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x3xi32>, max_kv = %max_kv : index)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// CHECK-LABEL: func.func @fp8_cache(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = [{{[^]]*}}], mla.name = "out", mla.role = "output"}, %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = ["pages", "", ""], mla.name = "cache", mla.role = "inout"}) {
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         mla.slot_mapping
// CHECK:         %[[QUERY:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x10xbf16>
// CHECK:         mla.absorb_q
// CHECK:         mla.append {{.*}}cache = %[[CACHE]] : memref
// CHECK:         %[[O:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x8xbf16>
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] : {{.*}} cache = %[[CACHE]] : {{.*}} outs(o = %[[O]] :
// CHECK:         mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK-NEXT:    return{{$}}
func.func @fp8_cache(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xf8E4M3FN>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xf8E4M3FN>)
      {rounding = #mla.rounding<through_input_type>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>
}

// CHECK-LABEL: func.func @fp8_query(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = [{{[^]]*}}], mla.name = "out", mla.role = "output"}, %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = ["pages", "", ""], mla.name = "cache", mla.role = "inout"}) {
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<?xi64>
// CHECK:         mla.slot_mapping
// CHECK:         %[[QUERY:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x8xbf16>
// CHECK:         mla.absorb_q
// CHECK:         %[[QUANTIZED:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x10xf8E4M3FN>
// CHECK:         mla.append {{.*}}cache = %[[CACHE]] : memref
// CHECK:         %[[O:.*]] = memref.alloc({{.*}}) {{.*}} : memref<?x2x8xbf16>
// CHECK:         mla.absorbed_attention ins(query = %[[QUANTIZED]] : {{.*}} cache = %[[CACHE]] : {{.*}} outs(o = %[[O]] :
// CHECK:         mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK-NEXT:    return{{$}}
func.func @fp8_query(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %cos_sin: tensor<?x2xf32>, %query_scale: tensor<f32>,
    %latent_scale: tensor<f32>, %pe_scale: tensor<f32>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xf8E4M3FN>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %cos_sin : tensor<?x2xf32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>
}

// CHECK-LABEL: func.func @static_tokens(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = [{{[^]]*}}], mla.name = "out", mla.role = "output"}, %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = ["pages", "", ""], mla.name = "cache", mla.role = "inout"}) {
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<3xi64>
// CHECK:         memref.alloc({{.*}}) {{.*}} : memref<3xi64>
// CHECK:         mla.slot_mapping
// CHECK:         %[[QUERY:.*]] = memref.alloc({{.*}}) {{.*}} : memref<3x2x10xbf16>
// CHECK:         mla.absorb_q
// CHECK:         mla.append {{.*}}cache = %[[CACHE]] : memref
// CHECK:         %[[O:.*]] = memref.alloc({{.*}}) {{.*}} : memref<3x2x8xbf16>
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] : {{.*}} cache = %[[CACHE]] : {{.*}} outs(o = %[[O]] :
// CHECK:         mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK-NEXT:    return{{$}}
func.func @static_tokens(
    %q: tensor<3x2x6xbf16>, %c_kv: tensor<3x8xbf16>, %k_pe: tensor<3x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %out: tensor<3x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<3x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<3x2x6xbf16>, c_kv = %c_kv : tensor<3x8xbf16>,
          k_pe = %k_pe : tensor<3x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<3x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<3x2x4xbf16>, tensor<?x16x10xbf16>
}

// Two layers that write one cache, one after the other, with one schedule.
// CHECK-LABEL: func.func @two_layers(
// CHECK-SAME:    %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.name = "cache"
// CHECK-COUNT-5: memref.alloc
// CHECK:         mla.project_v
// CHECK-COUNT-2: memref.alloc
// CHECK-NOT:     memref.alloc
// CHECK:         mla.absorbed_attention {{.*}} cache = %[[CACHE]] :
// CHECK:         mla.project_v
// CHECK-NEXT:    return{{$}}
func.func @two_layers(%q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>,
    %out0: tensor<?x2x4xbf16>, %out1: tensor<?x2x4xbf16>, %cache: tensor<?x16x8xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r0:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %out0 : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  %r1:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %out1 : tensor<?x2x4xbf16>, cache = %r0#1 : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r0#0, %r1#0, %r1#1 : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?x16x8xbf16>
}

// A layer in a private function, which gets slots and schedule.
// CHECK-LABEL: func.func @calls(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.name = "arg6", mla.role = "output"}, %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.name = "arg7", mla.role = "inout"}) {
// CHECK:         mla.slot_mapping
// CHECK:         mla.schedule
// CHECK:         call @layer({{.*}}, %[[OUT]], %[[CACHE]], %[[SLOTS:[^,]*]], %[[PLAN:[^,]*]])
// CHECK-NEXT:    call @layer({{.*}}, %[[OUT]], %[[CACHE]], %[[SLOTS]], %[[PLAN]])
// CHECK-NEXT:    return{{$}}
func.func @calls(%q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x8xbf16>) -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r0:2 = func.call @layer(%q, %c_kv, %w, %pages, %lens, %cu, %out, %cache)
      : (tensor<?x2x4xbf16>, tensor<?x8xbf16>, tensor<2x8x8xbf16>,
         tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?x2x4xbf16>,
         tensor<?x16x8xbf16>) -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>)
  %r1:2 = func.call @layer(%q, %c_kv, %w, %pages, %lens, %cu, %r0#0, %r0#1)
      : (tensor<?x2x4xbf16>, tensor<?x8xbf16>, tensor<2x8x8xbf16>,
         tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?x2x4xbf16>,
         tensor<?x16x8xbf16>) -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>)
  return %r1#0, %r1#1 : tensor<?x2x4xbf16>, tensor<?x16x8xbf16>
}
// CHECK-LABEL: func.func private @layer(
// CHECK-COUNT-2: memref.alloc
// CHECK-NOT:     memref.alloc
// CHECK:         return{{$}}
func.func private @layer(%q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x8xbf16>) -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x8xbf16>
}

// A loop over the layers of one buffer.
// CHECK-LABEL: func.func @loop(
// CHECK-SAME:    %[[OUT:[^: ]*]]: memref<{{[^>]*>}}> {mla.name = "arg6", mla.role = "output"}, %[[CACHES:[^: ]*]]: memref<3x7x16x8xbf16, {{[^>]*>}}> {mla.name = "arg7", mla.role = "inout"}) {
// CHECK:         scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{[^ ]*}} {
// CHECK:           %[[CACHE:.*]] = memref.subview %[[CACHES]][%[[I]], 0, 0, 0]
// CHECK:           mla.append {{.*}} outs(cache = %[[CACHE]] :
// CHECK:           mla.project_v
// CHECK-NEXT:    }
// CHECK-NEXT:    return{{$}}
func.func @loop(%q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>,
    %out: tensor<?x2x4xbf16> {mla.role = "output"}, %caches: tensor<3x7x16x8xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<3x7x16x8xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r:2 = scf.for %i = %c0 to %c3 step %c1
      iter_args(%o = %out, %all = %caches)
      -> (tensor<?x2x4xbf16>, tensor<3x7x16x8xbf16>) {
    %c = tensor.extract_slice %all[%i, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
        : tensor<3x7x16x8xbf16> to tensor<7x16x8xbf16>
    %a:2 = mla.attention
        ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
            w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
            kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
        outs(out = %o : tensor<?x2x4xbf16>, cache = %c : tensor<7x16x8xbf16>)
        {softmax_scale = 0.5 : f64}
    %new = tensor.insert_slice %a#1 into %all[%i, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
        : tensor<7x16x8xbf16> into tensor<3x7x16x8xbf16>
    scf.yield %a#0, %new : tensor<?x2x4xbf16>, tensor<3x7x16x8xbf16>
  }
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<3x7x16x8xbf16>
}

// A result without a destination is computed in the argument that it gets.
// CHECK-LABEL: func.func @result(
// CHECK-SAME:    %[[R:[^: ]*]]: memref<{{[^>]*>}}> {mla.dims = ["", "", ""], mla.name = "out", mla.role = "output"}) {
// CHECK:         mla.project_v {{.*}} outs(out = %[[R]] :
// CHECK-NEXT:    return{{$}}
func.func @result(%o: tensor<4x2x8xbf16>, %w: tensor<2x4x8xbf16>)
    -> tensor<4x2x4xbf16> {
  %e = tensor.empty() : tensor<4x2x4xbf16>
  %r = mla.project_v
      ins(o_latent = %o : tensor<4x2x8xbf16>, w_uv = %w : tensor<2x4x8xbf16>)
      outs(out = %e : tensor<4x2x4xbf16>)
  return %r : tensor<4x2x4xbf16>
}
