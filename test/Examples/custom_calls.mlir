// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Two writes to a cache, as a bridge from PyTorch leaves them and as JAX does.

// RUN: mla-opt %s --allow-unregistered-dialect --convert-custom-call-to-mla 2>/dev/null | FileCheck %s
// CHECK-LABEL: @write(
// CHECK: mla.append
// CHECK-LABEL: @write_packed(
// CHECK: stablehlo.custom_call

func.func @write(%kv_c: tensor<8x512xbf16>, %k_pe: tensor<8x64xbf16>,
                 %cache: tensor<?x64x576xbf16>, %slots: tensor<8xi64>,
                 %scale: tensor<1xf32>) -> tensor<?x64x576xbf16> {
  %auto = "torch.constant.str"() {value = "auto"} : () -> !torch.str
  %r = "torch.operator"(%kv_c, %k_pe, %cache, %slots, %auto, %scale)
      {name = "torch._C_cache_ops.concat_and_cache_mla"}
      : (tensor<8x512xbf16>, tensor<8x64xbf16>, tensor<?x64x576xbf16>,
         tensor<8xi64>, !torch.str, tensor<1xf32>) -> tensor<?x64x576xbf16>
  return %r : tensor<?x64x576xbf16>
}
func.func @write_packed(%kv_c: tensor<8x512xbf16>, %k_pe: tensor<8x64xbf16>,
                        %cache: tensor<?x64x656xi8>, %slots: tensor<8xi64>,
                        %scale: tensor<1xf32>) -> tensor<?x64x656xi8> {
  %r = "stablehlo.custom_call"(%kv_c, %k_pe, %cache, %slots, %scale)
      {call_target_name = "concat_and_cache_mla", api_version = 4 : i32,
       backend_config = {kv_cache_dtype = "fp8_ds_mla"}}
      : (tensor<8x512xbf16>, tensor<8x64xbf16>, tensor<?x64x656xi8>,
         tensor<8xi64>, tensor<1xf32>) -> tensor<?x64x656xi8>
  return %r : tensor<?x64x656xi8>
}
