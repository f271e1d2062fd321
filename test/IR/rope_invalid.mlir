// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: one shape.
func.func @f(%x: tensor<?x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi32>, %y: tensor<?x3x4xbf16>) {
  // expected-error @+1 {{'mla.rope' op (C1) y: expected shape [T,*,R] with *0 = 2, got [?, 3, 4]}}
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>)
      outs(y = %y : tensor<?x3x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%x: tensor<?x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi32>, %y: memref<?x2x4xbf16>) {
  // expected-error @+1 {{'mla.rope' op (C2) expected operands to be all tensors or all memrefs, got both}}
  mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>)
      outs(y = %y : memref<?x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C3: the width of a live rope.
func.func @f(%x: tensor<?x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi32>, %y: tensor<?x2x4xbf16>) {
  // expected-error @+1 {{'mla.rope' op (C3) rope: expected head_dim = R = 4, got 6}}
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 6>}
  return
}

// -----

// C3: its table.
func.func @f(%x: tensor<?x2x4xbf16>, %positions: tensor<?xi32>,
             %y: tensor<?x2x4xbf16>) {
  // expected-error @+1 {{'mla.rope' op (C3) cos_sin: expected an operand because the rope is live, got none}}
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, positions = %positions : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C3: its positions.
func.func @f(%x: tensor<?x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
             %y: tensor<?x2x4xbf16>) {
  // expected-error @+1 {{'mla.rope' op (C3) positions: expected an operand because the rope is live, got none}}
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(y = %y : tensor<?x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C4: the type of the result.
func.func @f(%x: tensor<?x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi32>, %y: tensor<?x2x4xf16>) {
  // expected-error @+1 {{'mla.rope' op (C4) y: expected elements of type 'bf16' or 'f32', got 'f16'}}
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C5: ranks.
func.func @f(%x: tensor<?x3x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi32>, %y: tensor<?x3x2x4xbf16>) {
  // expected-error @+1 {{'mla.rope' op (C5) x: expected rank 2 or 3, got 4}}
  %r = mla.rope
      ins(x = %x : tensor<?x3x2x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>)
      outs(y = %y : tensor<?x3x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// A group of two operands.
func.func @f(%x: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.rope' op expected one operand of a name, 2 in all, got 3}}
  %0:2 = "mla.rope"(%x, %x, %x) <{operandSegmentSizes = array<i32: 1, 0, 0, 2>}> : (tensor<?x4xbf16>, tensor<?x4xbf16>, tensor<?x4xbf16>) -> (tensor<?x4xbf16>, tensor<?x4xbf16>)
  return
}

// -----

// A group of none.
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{'mla.rope' op expected operand 'x'}}
  %0 = "mla.rope"(%x, %x) <{operandSegmentSizes = array<i32: 0, 1, 0, 1>}> : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

// C4: of an f32 input.
func.func @f(%x: tensor<?x4xf32>, %y: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.rope' op (C4) y: expected elements of type 'f32', got 'bf16'}}
  %0 = mla.rope ins(x = %x : tensor<?x4xf32>) outs(y = %y : tensor<?x4xbf16>)
  return
}

// -----

// A required operand.
func.func @f(%x: tensor<?x4xbf16>) {
  // expected-error @+1 {{expected operand 'x' of mla.rope}}
  %0 = mla.rope ins() outs(y = %x : tensor<?x4xbf16>)
  return
}

// -----

// An attribute of another type isn't lost on its way to the properties.
func.func @f(%x: tensor<?x4xbf16>, %y: tensor<?x4xbf16>) {
  // expected-error @+1 {{attribute 'rope' failed to satisfy constraint}}
  %0 = mla.rope ins(x = %x : tensor<?x4xbf16>) outs(y = %y : tensor<?x4xbf16>) {rope = "interleaved"}
  return
}
