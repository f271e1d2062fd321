// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-thread-context --convert-mla-to-runtime --split-input-file \
// RUN:   --verify-diagnostics

// What would touch device memory from the host.

func.func private @load(%x: memref<4x8xf32>, %i: index) -> f32 {
  mla.rope ins(x = %x : memref<4x8xf32>) outs(y = %x : memref<4x8xf32>)
  // expected-error @below {{expected only shape arithmetic, views, control flow on host scalars and calls of the runtime, got 'memref.load'}}
  %v = memref.load %x[%i, %i] : memref<4x8xf32>
  return %v : f32
}

// -----

memref.global "private" constant @table : memref<4x8xf32> = dense<0.0>

func.func private @constant(%y: memref<4x8xf32>) {
  // expected-error @below {{got 'memref.get_global': make the constant an entry argument with mla.role = "constant"}}
  %x = memref.get_global @table : memref<4x8xf32>
  mla.rope ins(x = %x : memref<4x8xf32>) outs(y = %y : memref<4x8xf32>)
  return
}

// -----

// expected-error @below {{entry 'result': expected every result to be a destination argument, got 1 other results; run mla-prepare-entries and mla-finalize-entries first}}
func.func @result(%x: memref<4x8xf32> {mla.name = "x", mla.role = "inout"}) -> memref<4x8xf32> {
  mla.rope ins(x = %x : memref<4x8xf32>) outs(y = %x : memref<4x8xf32>)
  return %x : memref<4x8xf32>
}

// -----

// expected-error @below {{entry 'unnamed': expected argument 0 to have mla.name and a valid mla.role; run mla-prepare-entries first}}
func.func @unnamed(%x: memref<4x8xf32>) {
  mla.rope ins(x = %x : memref<4x8xf32>) outs(y = %x : memref<4x8xf32>)
  return
}

// -----

// expected-error @below {{argument 'n': expected an index or a tensor of an element type that the ABI has and rank up to 6, got 'i32'}}
func.func @type(%x: memref<4x8xf32> {mla.name = "x", mla.role = "inout"},
                %n: i32 {mla.name = "n", mla.role = "scalar"}) {
  mla.rope ins(x = %x : memref<4x8xf32>) outs(y = %x : memref<4x8xf32>)
  return
}

// -----

func.func private @step.args(%x: memref<4x8xf32>) {
  return
}

// expected-error @below {{expected no other symbol 'step.args'}}
func.func @step(%x: memref<4x8xf32> {mla.name = "x", mla.role = "inout"}) {
  mla.rope ins(x = %x : memref<4x8xf32>) outs(y = %x : memref<4x8xf32>)
  return
}

// -----

func.func private @fill(%x: memref<4x8xf32>, %v: f32) {
  // expected-error @below {{expected a constant value to fill a buffer with}}
  linalg.fill ins(%v : f32) outs(%x : memref<4x8xf32>)
  return
}

// -----

func.func private @attention(%q: memref<?x2x8xf32>, %c_kv: memref<?x4xf32>,
    %w: memref<2x16x4xf32>, %pages: memref<?x?xi32>, %lens: memref<?xi32>,
    %cu: memref<?xi32>, %out: memref<?x2x8xf32>, %cache: memref<?x16x4xf32>) {
  // expected-error @below {{expected an operation that the runtime has; run mla-decompose first}}
  mla.attention
      ins(q = %q : memref<?x2x8xf32>, c_kv = %c_kv : memref<?x4xf32>,
          w_kv_b = %w : memref<2x16x4xf32>, page_table = %pages : memref<?x?xi32>,
          kv_lens = %lens : memref<?xi32>, cu_q = %cu : memref<?xi32>)
      outs(out = %out : memref<?x2x8xf32>, cache = %cache : memref<?x16x4xf32>)
      {softmax_scale = 1.0 : f64}
  return
}
