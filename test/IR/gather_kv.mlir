// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: %c_kv, %k_pe = mla.gather_kv ins(cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, window_start = %{{[a-z0-9]+}} : index, window_length = %{{[a-z0-9]+}} : index)
// CHECK-SAME: outs(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>){{$}}
func.func @tensors(%cache: tensor<?x8x20xbf16>, %page_table: tensor<?x?xi32>,
                   %kv_lens: tensor<?xi32>, %window_start: index,
                   %window_length: index, %c_kv: tensor<?x16xbf16>,
                   %k_pe: tensor<?x4xbf16>)
    -> (tensor<?x16xbf16>, tensor<?x4xbf16>) {
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>)
  return %r#0, %r#1 : tensor<?x16xbf16>, tensor<?x4xbf16>
}

// CHECK-LABEL: @quantized
// CHECK: %c_kv, %k_pe = mla.gather_kv ins(cache = %{{[a-z0-9]+}} : tensor<?x8x20xf8E4M3FN>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, latent_scale = %{{[a-z0-9]+}} : tensor<f32>, pe_scale = %{{[a-z0-9]+}} : tensor<f32>, window_length = %{{[a-z0-9]+}} : index)
// CHECK-SAME: outs(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>){{$}}
func.func @quantized(%cache: tensor<?x8x20xf8E4M3FN>,
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

// R = 0.
// CHECK-LABEL: @zero_width
// CHECK: %c_kv = mla.gather_kv ins(cache = %{{[a-z0-9]+}} : tensor<?x8x16xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, window_start = %{{[a-z0-9]+}} : index, window_length = %{{[a-z0-9]+}} : index)
// CHECK-SAME: outs(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>){{$}}
func.func @zero_width(%cache: tensor<?x8x16xbf16>, %page_table: tensor<?x?xi32>,
                      %kv_lens: tensor<?xi32>, %window_start: index,
                      %window_length: index, %c_kv: tensor<?x16xbf16>)
    -> tensor<?x16xbf16> {
  %r = mla.gather_kv
      ins(cache = %cache : tensor<?x8x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>)
  return %r : tensor<?x16xbf16>
}

// CHECK-LABEL: @buffers
// CHECK: mla.gather_kv ins(cache = %{{[a-z0-9]+}} : memref<?x8x20xbf16>, page_table = %{{[a-z0-9]+}} : memref<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : memref<?xi32>, window_start = %{{[a-z0-9]+}} : index, window_length = %{{[a-z0-9]+}} : index)
// CHECK-SAME: outs(c_kv = %{{[a-z0-9]+}} : memref<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : memref<?x4xbf16>){{$}}
func.func @buffers(%cache: memref<?x8x20xbf16>, %page_table: memref<?x?xi32>,
                   %kv_lens: memref<?xi32>, %window_start: index,
                   %window_length: index, %c_kv: memref<?x16xbf16>,
                   %k_pe: memref<?x4xbf16>) {
  mla.gather_kv
      ins(cache = %cache : memref<?x8x20xbf16>,
          page_table = %page_table : memref<?x?xi32>,
          kv_lens = %kv_lens : memref<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : memref<?x16xbf16>, k_pe = %k_pe : memref<?x4xbf16>)
  return
}
