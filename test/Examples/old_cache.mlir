// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: not mla-compile %s -o %t 2>&1 | FileCheck %s
// CHECK: [[#@LINE+10]]:10: error: mla-verify-inplace: expected the cache "cache" of @step to be written in place
// RUN: sed 's/cache = %%cache \(.*>,\)/cache = %%new \1/' %s | mla-compile - -o %t

// Attends to the keys from before the new ones came in: the cache's old value is
// read after it was written, which would take a copy of the cache.
func.func @step(
    %c_kv: tensor<?x512xbf16>, %slots: tensor<?xi64>, %query: tensor<?x16x512xbf16>,
    %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
    %o: tensor<?x16x512xbf16>, %cache: tensor<?x64x512xbf16>)
    -> (tensor<?x16x512xbf16>, tensor<?x64x512xbf16>) {
  %new = mla.append ins(c_kv = %c_kv : tensor<?x512xbf16>, slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x64x512xbf16>)
  %r = mla.absorbed_attention
      ins(query = %query : tensor<?x16x512xbf16>, cache = %cache : tensor<?x64x512xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x16x512xbf16>) {softmax_scale = 0.0625 : f64}
  return %r, %new : tensor<?x16x512xbf16>, tensor<?x64x512xbf16>
}
