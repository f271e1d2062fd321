// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-disable-rope=phase=generation -split-input-file -verify-diagnostics -o %t

// One warning for all layers, which names an operation that keeps its rope.
func.func @context(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                   %p: tensor<?xi64>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // expected-note @+1 {{this operation of phase context keeps its rope}}
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(y = %y : tensor<?x4xf32>)
      {phase = #mla.phase<context>, rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x4xf32>
}

func.func @generation(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                      %p: tensor<?xi64>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // expected-warning @+1 {{mla-disable-rope phase=generation: no longer rotates keys, nor do 1 others of its phase, but 'mla.rope' of phase context does: keys in one cache disagree}}
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(y = %y : tensor<?x4xf32>)
      {phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x4xf32>
}

func.func @second_layer(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                        %p: tensor<?xi64>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(y = %y : tensor<?x4xf32>)
      {phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x4xf32>
}

// -----

// Both phases agree: the other one never rotated.
func.func @context(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                   %p: tensor<?xi64>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(y = %y : tensor<?x4xf32>)
      {phase = #mla.phase<context>, rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
  return %r : tensor<?x4xf32>
}

func.func @generation(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                      %p: tensor<?xi64>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(y = %y : tensor<?x4xf32>)
      {phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x4xf32>
}

// -----

// Which phase is this?
func.func @no_phase(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                    %p: tensor<?xi64>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // expected-error @+1 {{'mla.rope' op mla-disable-rope phase=generation: expected a phase attribute beside a live rope, got none}}
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(y = %y : tensor<?x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x4xf32>
}

func.func @neither(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                   %p: tensor<?xi64>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // expected-error @+1 {{'mla.rope' op mla-disable-rope phase=generation: expected a phase attribute beside a live rope, got none}}
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(y = %y : tensor<?x4xf32>)
      {rope = #mla.rope<half, head_dim = 4>}
  return %r : tensor<?x4xf32>
}
