// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @attributes
// CHECK-SAME: a = #mla.rope<interleaved, head_dim = 64>
// CHECK-SAME: b = #mla.rope<half, head_dim = 0>
// CHECK-SAME: c = #mla.rope<interleaved, head_dim = 64>
// CHECK-SAME: d = #mla.rope<half, head_dim = 32, enabled = false>
// CHECK-SAME: e = #mla.phase<context>
// CHECK-SAME: f = #mla.phase<generation>
// CHECK-SAME: g = #mla.rounding<direct>
// CHECK-SAME: h = #mla.rounding<through_input_type>
func.func private @attributes() attributes {
  a = #mla.rope<interleaved, head_dim = 64>,
  b = #mla.rope<half, head_dim = 0>,
  c = #mla.rope<interleaved, head_dim = 64, enabled = true>,
  d = #mla.rope<half, enabled = false, head_dim = 32>,
  e = #mla.phase<context>,
  f = #mla.phase<generation>,
  g = #mla.rounding<direct>,
  h = #mla.rounding<through_input_type>
}

// CHECK-LABEL: @entry
// CHECK-SAME: {mla.dims = ["T", ""], mla.name = "q", mla.role = "input"}
// CHECK-SAME: attributes {mla.host}
func.func @entry(%q: tensor<?x64xf32> {mla.name = "q", mla.role = "input",
                                       mla.dims = ["T", ""]})
    attributes {mla.host} {
  return
}
