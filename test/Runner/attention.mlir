// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A whole attention core under the stock mlir-runner: a query of zero weighs all
// keys alike, so each token's output is the mean of the latents that it sees.

// RUN: mla-opt %s --mla-to-llvm \
// RUN:   | %mlir_runner -e main --entry-point-result=void \
// RUN:     --shared-libs=%mla_runtime,%mlir_libdir/libmlir_runner_utils.so \
// RUN:   | FileCheck %s
// RUN: mla-opt %s --mla-to-llvm=form=expanded \
// RUN:   | %mlir_runner -e main --entry-point-result=void \
// RUN:     --shared-libs=%mla_runtime,%mlir_libdir/libmlir_runner_utils.so \
// RUN:   | FileCheck %s
// RUN: mla-opt %s --mla-to-llvm="form=expanded chunk-length=1" \
// RUN:   | %mlir_runner -e main --entry-point-result=void \
// RUN:     --shared-libs=%mla_runtime,%mlir_libdir/libmlir_runner_utils.so \
// RUN:   | FileCheck %s

// CHECK: rank = 3 offset = 0 sizes = [2, 1, 1]
// CHECK: 2
// CHECK: 3
// CHECK: mla: OK

func.func private @printMemrefF32(%tensor: tensor<*xf32>)
    attributes {llvm.emit_c_interface}

func.func @main() attributes {mla.host} {
  %q = arith.constant dense<0.0> : tensor<2x1x1xf32>
  %c_kv = arith.constant dense<[[2.0], [4.0]]> : tensor<2x1xf32>
  %w_kv_b = arith.constant dense<1.0> : tensor<1x2x1xf32>
  %page_table = arith.constant dense<[[2]]> : tensor<1x1xi32>
  %kv_lens = arith.constant dense<[2]> : tensor<1xi32>
  %cu_q = arith.constant dense<[0, 2]> : tensor<2xi32>
  %out_init = tensor.empty() : tensor<2x1x1xf32>
  %cache_init = tensor.empty() : tensor<3x4x1xf32>
  %out, %cache = mla.attention
      ins(q = %q : tensor<2x1x1xf32>, c_kv = %c_kv : tensor<2x1xf32>,
          w_kv_b = %w_kv_b : tensor<1x2x1xf32>,
          page_table = %page_table : tensor<1x1xi32>,
          kv_lens = %kv_lens : tensor<1xi32>, cu_q = %cu_q : tensor<2xi32>)
      outs(out = %out_init : tensor<2x1x1xf32>,
           cache = %cache_init : tensor<3x4x1xf32>)
      {softmax_scale = 1.0 : f64}
  %any = tensor.cast %out : tensor<2x1x1xf32> to tensor<*xf32>
  call @printMemrefF32(%any) : (tensor<*xf32>) -> ()
  return
}
