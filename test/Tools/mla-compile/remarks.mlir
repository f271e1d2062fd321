// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What the pipeline fused is said on request, and where; nothing else is.

// RUN: mla-compile %s --remarks --emit=llvm -o %t 2>&1 | FileCheck %s --match-full-lines
// CHECK: {{.*}}remarks.mlir:[[#@LINE+16]]:{{.*}}: remark: [Passed] fused | Category:mla-fuse-append | Remark="one launch instead of 2, saves 1"
// RUN: grep -c "call i32 @mla_append" %t | FileCheck %s --check-prefix=ONE
// ONE: {{^1$}}
// RUN: mla-compile %s --emit=llvm -o %t 2>&1 | FileCheck %s --allow-empty --check-prefix=QUIET
// QUIET-NOT: {{.}}

// Left apart, there is nothing to say.
// RUN: mla-compile %s --fuse-append=false --remarks --emit=llvm -o %t 2>&1 \
// RUN:   | FileCheck %s --allow-empty --check-prefix=APART
// APART-NOT: mla-fuse-append
// RUN: grep -c "call i32 @mla_append" %t | FileCheck %s --check-prefix=TWO
// TWO: {{^2$}}
func.func @f(%c_kv: tensor<4x512xbf16>, %q: tensor<4x16x64xbf16>, %k: tensor<4x64xbf16>,
             %slots: tensor<4xi64>, %query: tensor<4x16x576xbf16>,
             %cache: tensor<8x64x576xbf16>)
    -> (tensor<4x16x576xbf16>, tensor<8x64x576xbf16>) {
  %full = mla.append
      ins(q_pe = %q : tensor<4x16x64xbf16>)
      outs(query = %query : tensor<4x16x576xbf16>)
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x512xbf16>, k_pe = %k : tensor<4x64xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<8x64x576xbf16>)
  return %full, %new : tensor<4x16x576xbf16>, tensor<8x64x576xbf16>
}
