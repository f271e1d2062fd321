// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Shapes of results are those of the destinations.

// RUN: mla-opt %s --resolve-ranked-shaped-type-result-dims | FileCheck %s

// CHECK-LABEL: @append
// CHECK-SAME: %[[QUERY:[a-z0-9]+]]: tensor<?x2x20xbf16>, %[[CACHE:[a-z0-9]+]]: tensor<?x8x20xbf16>)
// CHECK-DAG: %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[C20:.+]] = arith.constant 20 : index
// CHECK-DAG: %[[T:.+]] = tensor.dim %[[QUERY]], %[[C0]]
// CHECK-DAG: %[[PAGES:.+]] = tensor.dim %[[CACHE]], %[[C0]]
// CHECK: return %[[T]], %[[PAGES]], %[[C20]]
func.func @append(
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>, %q_pe: tensor<?x2x4xbf16>,
    %slots: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
    %cache: tensor<?x8x20xbf16>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
  %t = tensor.dim %r#0, %c0 : tensor<?x2x20xbf16>
  %pages = tensor.dim %r#1, %c0 : tensor<?x8x20xbf16>
  %width = tensor.dim %r#1, %c2 : tensor<?x8x20xbf16>
  return %t, %pages, %width : index, index, index
}
