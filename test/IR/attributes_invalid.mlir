// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{head_dim: expected an even number of columns, got 63}}
func.func private @odd() attributes {a = #mla.rope<interleaved, head_dim = 63>}

// -----

// expected-error @+1 {{head_dim: expected an even number of columns, got -2}}
func.func private @negative() attributes {a = #mla.rope<half, head_dim = -2>}

// -----

// expected-error @+2 {{expected one of [interleaved, half] for pairing of a rotation's columns, got: neox}}
// expected-error @+1 {{failed to parse MLA_RopeAttr parameter 'style'}}
func.func private @style() attributes {a = #mla.rope<neox, head_dim = 64>}

// -----

// expected-error @+1 {{struct is missing required parameter: head_dim}}
func.func private @missing() attributes {a = #mla.rope<half, enabled = false>}

// -----

// expected-error @+2 {{expected one of [context, generation] for phase of serving, got: decode}}
// expected-error @+1 {{failed to parse MLA_PhaseAttr parameter 'value'}}
func.func private @phase() attributes {a = #mla.phase<decode>}

// -----

// expected-error @+1 {{'func.func' op mla.host: expected a unit attribute, got true}}
func.func private @host() attributes {mla.host = true}

// -----

// expected-error @+1 {{'builtin.module' op mla.notes: expected an array of strings, got [1]}}
module attributes {mla.notes = [1]} {
}

// -----

// expected-error @+1 {{'func.func' op mla.rope_off: expected a string, got unit}}
func.func private @reason() attributes {mla.rope_off}

// -----

// expected-error @+1 {{'func.func' op mla.role of argument #1: expected one of "input", "output", "inout", "constant" and "scalar", got "in"}}
func.func private @role(index, tensor<?xf32> {mla.role = "in"})

// -----

// expected-error @+1 {{'func.func' op mla.role of argument #0: expected a role of tensors, for it is one, got "scalar"}}
func.func private @scalar(tensor<4xf32> {mla.role = "scalar"})

// -----

// expected-error @+1 {{'func.func' op mla.role of argument #0: expected "scalar", for it is an index, got "input"}}
func.func private @index(index {mla.role = "input"})

// -----

// expected-error @+1 {{'func.func' op mla.name of argument #0: expected a string that is not empty, got ""}}
func.func private @name(index {mla.name = ""})

// -----

// expected-error @+1 {{'func.func' op mla.dims of argument #0: expected an array of strings, got "T"}}
func.func private @dims(tensor<?xf32> {mla.dims = "T"})

// -----

// expected-error @+1 {{'func.func' op mla.dims of argument #0: expected 1 names, one for each dimension, got ["T", "H"]}}
func.func private @rank(tensor<?xf32> {mla.dims = ["T", "H"]})

// -----

// expected-error @+1 {{'func.func' op mla.workspace: expected a string, got 512 : i64}}
func.func @f() attributes {mla.workspace = 512} {
  return
}
