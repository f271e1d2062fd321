// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

func.func @layer(
    %q: tensor<?x4x24xf32>,
    %kv: tensor<?x40xf32> {mla.name = "kv", mla.dims = ["T", ""]},
    %kv_b: tensor<4x32x32xf32>,
    %table: tensor<?x8xf32>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %starts: tensor<?xi32>, %cache: tensor<?x16x40xf32>)
    -> (tensor<?x4x16xf32>, tensor<?x16x40xf32>) {
  %out, %new_cache = acme.cached_attention %q, %kv, %kv_b, %table
      at %pages, %lens, %starts into %cache
      {scale = 0.2041 : f64, rope = #mla.rope<interleaved, head_dim = 8>}
      : (tensor<?x4x24xf32>, tensor<?x40xf32>, tensor<4x32x32xf32>,
         tensor<?x8xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>,
         tensor<?x16x40xf32>) -> (tensor<?x4x16xf32>, tensor<?x16x40xf32>)
  return %out, %new_cache : tensor<?x4x16xf32>, tensor<?x16x40xf32>
}
