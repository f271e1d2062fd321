// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-prepare-entries --split-input-file --verify-diagnostics

// The new argument would have to come from the caller.
// expected-error @+1 {{mla-prepare-entries: result 0: expected it to flow from an argument, because the module calls the function}}
func.func @called() -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  return %e : tensor<4xf32>
}
func.func @caller() -> tensor<4xf32> {
  %r = func.call @called() : () -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// expected-error @+1 {{mla-prepare-entries: expected one block}}
func.func @blocks(%a: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %a : tensor<4xf32>
}

// -----

// expected-error @+1 {{mla-prepare-entries: mla.name of argument #2: expected a name that no other argument has, got "a"}}
func.func @names(%a: tensor<4xf32> {mla.name = "a"}, %b: tensor<4xf32>,
                 %c: tensor<4xf32> {mla.name = "a"}) {
  return
}
