// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Other systems' operators compute here what they compute there: a table that turns
// by nothing at position 0 and by a right angle at position 1, (a, b) -> (-b, a).

// RUN: mla-opt %s --convert-custom-call-to-mla --mla-to-llvm 2>/dev/null \
// RUN:   | %mlir_runner -e main --entry-point-result=void \
// RUN:     --shared-libs=%mla_runtime,%mlir_libdir/libmlir_runner_utils.so \
// RUN:   | FileCheck %s

func.func private @printMemrefF32(%tensor: tensor<*xf32>)
    attributes {llvm.emit_c_interface}
func.func private @concat_and_cache_mla_rope_fused(
    tensor<2xi64>, tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<2x1xf32>, tensor<2x2xf32>,
    tensor<2xi64>, tensor<2x2x3xf32>, tensor<1xf32>)
    -> (tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<2x2x3xf32>)
func.func private @fused_qk_rope_concat_and_cache_mla(
    tensor<2x1x1xf32>, tensor<2x1x2xf32>, tensor<2x1xf32>, tensor<2x2xf32>,
    tensor<2x2x3xf32>, tensor<2x1x3xf32>, tensor<2xi64>, tensor<1xf32>, tensor<1xf32>,
    tensor<2xi64>, tensor<2x1xf32>, tensor<2x1xf32>)
    -> (tensor<2x2x3xf32>, tensor<2x1x3xf32>)

func.func @main() attributes {mla.host} {
  %positions = arith.constant dense<[1, 0]> : tensor<2xi64>
  %slots = arith.constant dense<[3, -1]> : tensor<2xi64>
  %q_nope = arith.constant dense<[[[30.0]], [[40.0]]]> : tensor<2x1x1xf32>
  %q_pe = arith.constant dense<[[[3.0, 4.0]], [[5.0, 6.0]]]> : tensor<2x1x2xf32>
  %k_pe = arith.constant dense<[[1.0, 2.0], [7.0, 8.0]]> : tensor<2x2xf32>
  %kv_c = arith.constant dense<[[10.0], [20.0]]> : tensor<2x1xf32>
  %table = arith.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %cos = arith.constant dense<[[1.0], [0.0]]> : tensor<2x1xf32>
  %sin = arith.constant dense<[[0.0], [1.0]]> : tensor<2x1xf32>
  %scale = arith.constant dense<1.0> : tensor<1xf32>
  %cache = arith.constant dense<0.0> : tensor<2x2x3xf32>
  %q_out = arith.constant dense<0.0> : tensor<2x1x3xf32>

  // CHECK: sizes = [2, 1, 2]
  // CHECK: -4, 3
  // CHECK: 5, 6
  // CHECK: sizes = [2, 2]
  // CHECK: -2, 1
  // CHECK: 7, 8
  // CHECK: sizes = [2, 2, 3]
  // CHECK: 0, 0, 0
  // CHECK: 0, 0, 0
  // CHECK: 0, 0, 0
  // CHECK: 10, -2, 1
  %r:3 = call @concat_and_cache_mla_rope_fused(
      %positions, %q_pe, %k_pe, %kv_c, %table, %slots, %cache, %scale)
      {is_neox = false, kv_cache_dtype = "auto"}
      : (tensor<2xi64>, tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<2x1xf32>,
         tensor<2x2xf32>, tensor<2xi64>, tensor<2x2x3xf32>, tensor<1xf32>)
      -> (tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<2x2x3xf32>)
  %0 = tensor.cast %r#0 : tensor<2x1x2xf32> to tensor<*xf32>
  call @printMemrefF32(%0) : (tensor<*xf32>) -> ()
  %1 = tensor.cast %r#1 : tensor<2x2xf32> to tensor<*xf32>
  call @printMemrefF32(%1) : (tensor<*xf32>) -> ()
  %2 = tensor.cast %r#2 : tensor<2x2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%2) : (tensor<*xf32>) -> ()

  // CHECK: sizes = [2, 2, 3]
  // CHECK: 0, 0, 0
  // CHECK: 0, 0, 0
  // CHECK: 0, 0, 0
  // CHECK: 10, -2, 1
  // CHECK: sizes = [2, 1, 3]
  // CHECK: 30, -4, 3
  // CHECK: 40, 5, 6
  // CHECK: mla: OK
  %s:2 = call @fused_qk_rope_concat_and_cache_mla(
      %q_nope, %q_pe, %kv_c, %k_pe, %cache, %q_out, %slots, %scale, %scale, %positions,
      %cos, %sin)
      {is_neox = true, is_nope_first = true, compute_all_q_rope = true}
      : (tensor<2x1x1xf32>, tensor<2x1x2xf32>, tensor<2x1xf32>, tensor<2x2xf32>,
         tensor<2x2x3xf32>, tensor<2x1x3xf32>, tensor<2xi64>, tensor<1xf32>,
         tensor<1xf32>, tensor<2xi64>, tensor<2x1xf32>, tensor<2x1xf32>)
      -> (tensor<2x2x3xf32>, tensor<2x1x3xf32>)
  %3 = tensor.cast %s#0 : tensor<2x2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%3) : (tensor<*xf32>) -> ()
  %4 = tensor.cast %s#1 : tensor<2x1x3xf32> to tensor<*xf32>
  call @printMemrefF32(%4) : (tensor<*xf32>) -> ()
  return
}
