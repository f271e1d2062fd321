// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// TensorRT-LLM's operator computes here what it computes there, the offsets and the
// counter included: one context, then sequences of 2 and 4 keys with one new token each.
// The table turns by nothing but at position 1: (a, b) -> (-b, a).

// RUN: mla-opt %s --convert-custom-call-to-mla 2>/dev/null \
// RUN:   | mla-opt --mla-to-llvm \
// RUN:   | %mlir_runner -e main --entry-point-result=void \
// RUN:     --shared-libs=%mla_runtime,%mlir_libdir/libmlir_runner_utils.so \
// RUN:   | FileCheck %s

func.func private @printMemrefF32(%tensor: tensor<*xf32>)
    attributes {llvm.emit_c_interface}
func.func private @printMemrefI32(%tensor: tensor<*xi32>)
    attributes {llvm.emit_c_interface}
func.func private @mla_rope_generation(
    tensor<2x2x3xf32>, tensor<2x2x2xf32>, tensor<2x3xf32>, tensor<4x2x2xf32>,
    tensor<3xi32>, tensor<1x3x2x2xi32>, tensor<4x2x3xf32>, tensor<3xi32>, tensor<3xi32>,
    tensor<1xi32>)
    -> (tensor<2x2x3xf32>, tensor<4x2x3xf32>, tensor<3xi32>, tensor<3xi32>, tensor<1xi32>)

func.func @main() attributes {mla.host} {
  %fused_q = arith.constant dense<[[[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]],
                                   [[3.0, 0.0, 0.0], [4.0, 0.0, 0.0]]]> : tensor<2x2x3xf32>
  %q_pe = arith.constant dense<[[[5.0, 6.0], [7.0, 8.0]],
                                [[5.0, 6.0], [7.0, 8.0]]]> : tensor<2x2x2xf32>
  %latent = arith.constant dense<[[10.0, 1.0, 2.0], [20.0, 3.0, 4.0]]> : tensor<2x3xf32>
  // The second pair of a row is never read.
  %table = arith.constant dense<[[[1.0, 0.0], [9.0, 9.0]], [[0.0, 1.0], [9.0, 9.0]],
                                 [[1.0, 0.0], [9.0, 9.0]], [[1.0, 0.0], [9.0, 9.0]]]>
      : tensor<4x2x2xf32>
  %lens = arith.constant dense<[7, 2, 4]> : tensor<3xi32>
  // Pages of keys, then of values, which there are none of.
  %offsets = arith.constant dense<[[[[9, 9], [9, 9]], [[3, 9], [9, 9]],
                                    [[2, 1], [9, 9]]]]> : tensor<1x3x2x2xi32>
  %cache = arith.constant dense<0.0> : tensor<4x2x3xf32>
  %three = arith.constant dense<-1> : tensor<3xi32>
  %one = arith.constant dense<-1> : tensor<1xi32>

  // CHECK: sizes = [2, 2, 3]
  // CHECK: 1, -6, 5
  // CHECK: 2, -8, 7
  // CHECK: 3, 5, 6
  // CHECK: 4, 7, 8
  // CHECK: sizes = [4, 2, 3]
  // CHECK: {{\[\[\[}}0, 0, 0
  // CHECK: 0, 0, 0
  // CHECK: 0, 0, 0
  // CHECK: 20, 3, 4
  // CHECK: 0, 0, 0
  // CHECK: 0, 0, 0
  // CHECK: 0, 0, 0
  // CHECK: 10, -2, 1
  // CHECK: [0, 2, 4]
  // CHECK: [0, 2, 6]
  // CHECK: [0]
  // CHECK: mla: OK
  %r:5 = call @mla_rope_generation(%fused_q, %q_pe, %latent, %table, %lens, %offsets,
                                   %cache, %three, %three, %one)
      {operands = ["fused_q", "q_pe", "latent_cache", "rotary_cos_sin", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers",
                   "cu_q_seqlens", "cu_kv_seqlens", "fmha_scheduler_counter"],
       results = ["fused_q", "host_kv_cache_pool_pointers", "cu_q_seqlens",
                  "cu_kv_seqlens", "fmha_scheduler_counter"],
       num_contexts = 1, predicted_tokens_per_seq = 1, tokens_per_block = 2,
       attention_window_size = 4, kv_lora_rank = 1, qk_rope_head_dim = 2}
      : (tensor<2x2x3xf32>, tensor<2x2x2xf32>, tensor<2x3xf32>, tensor<4x2x2xf32>,
         tensor<3xi32>, tensor<1x3x2x2xi32>, tensor<4x2x3xf32>, tensor<3xi32>,
         tensor<3xi32>, tensor<1xi32>)
      -> (tensor<2x2x3xf32>, tensor<4x2x3xf32>, tensor<3xi32>, tensor<3xi32>, tensor<1xi32>)
  %0 = tensor.cast %r#0 : tensor<2x2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%0) : (tensor<*xf32>) -> ()
  %1 = tensor.cast %r#1 : tensor<4x2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%1) : (tensor<*xf32>) -> ()
  %2 = tensor.cast %r#2 : tensor<3xi32> to tensor<*xi32>
  call @printMemrefI32(%2) : (tensor<*xi32>) -> ()
  %3 = tensor.cast %r#3 : tensor<3xi32> to tensor<*xi32>
  call @printMemrefI32(%3) : (tensor<*xi32>) -> ()
  %4 = tensor.cast %r#4 : tensor<1xi32> to tensor<*xi32>
  call @printMemrefI32(%4) : (tensor<*xi32>) -> ()
  return
}
