// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-verify-inplace --split-input-file --verify-diagnostics

// In place: nothing to say. A copy of something else, and a copy of a part of the
// cache to the caller's buffer, are fine.
func.func @in_place(%c_kv: memref<?x8xbf16> {mla.role = "input"},
    %slots: memref<?xi64>, %rows: memref<1x16x8xbf16>,
    %cache: memref<?x16x8xbf16> {mla.role = "inout"}) {
  %m = memref.alloc() : memref<4x8xbf16>
  %s = memref.subview %c_kv[0, 0] [4, 8] [1, 1]
      : memref<?x8xbf16> to memref<4x8xbf16, strided<[8, 1]>>
  memref.copy %s, %m : memref<4x8xbf16, strided<[8, 1]>> to memref<4x8xbf16>
  mla.append ins(c_kv = %m : memref<4x8xbf16>, slots = %slots : memref<?xi64>)
      outs(cache = %cache : memref<?x16x8xbf16>)
  %page = memref.subview %cache[3, 0, 0] [1, 16, 8] [1, 1, 1]
      : memref<?x16x8xbf16>
      to memref<1x16x8xbf16, strided<[128, 8, 1], offset: 384>>
  memref.copy %page, %rows
      : memref<1x16x8xbf16, strided<[128, 8, 1], offset: 384>>
      to memref<1x16x8xbf16>
  return
}

// -----

func.func @reader(%c_kv: memref<?x8xbf16>, %slots: memref<?xi64>,
    %q: memref<?x2x8xbf16>, %pages: memref<?x?xi32>, %lens: memref<?xi32>,
    %cu: memref<?xi32>, %o: memref<?x2x8xbf16>,
    %cache: memref<7x16x8xbf16> {mla.name = "kv", mla.role = "inout"}) {
  %new = memref.alloc() : memref<7x16x8xbf16>
  // expected-error @+1 {{mla-verify-inplace: expected the cache "kv" of @reader to be written in place, got a copy of it, because 'mla.absorbed_attention' reads its value from before the write}}
  memref.copy %cache, %new : memref<7x16x8xbf16> to memref<7x16x8xbf16>
  mla.append ins(c_kv = %c_kv : memref<?x8xbf16>, slots = %slots : memref<?xi64>)
      outs(cache = %new : memref<7x16x8xbf16>)
  // expected-note @+1 {{the old value's reader}}
  mla.absorbed_attention
      ins(query = %q : memref<?x2x8xbf16>, cache = %cache : memref<7x16x8xbf16>,
          page_table = %pages : memref<?x?xi32>, kv_lens = %lens : memref<?xi32>,
          cu_q = %cu : memref<?xi32>)
      outs(o = %o : memref<?x2x8xbf16>) {softmax_scale = 0.5 : f64}
  return
}

// -----

// Nothing reads it later: the buffer must have been read-only.
func.func @read_only(%c_kv: memref<?x8xbf16>, %slots: memref<?xi64>,
    %cache: memref<7x16x8xbf16> {mla.role = "inout"}) {
  %new = memref.alloc() : memref<7x16x8xbf16>
  // expected-error @+1 {{expected the cache #2 of @read_only to be written in place, got a copy of it, because it isn't writable}}
  memref.copy %cache, %new : memref<7x16x8xbf16> to memref<7x16x8xbf16>
  mla.append ins(c_kv = %c_kv : memref<?x8xbf16>, slots = %slots : memref<?xi64>)
      outs(cache = %new : memref<7x16x8xbf16>)
  return
}

// -----

// Through a view of one layer, a cast, a call and a view of the allocation; the
// cache is known by the operand that it becomes.
func.func @views(%c_kv: memref<?x8xbf16>, %slots: memref<?xi64>,
    %caches: memref<2x7x16x8xbf16> {mla.name = "caches", mla.role = "inout"}) {
  %layer = memref.subview %caches[1, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
      : memref<2x7x16x8xbf16>
      to memref<7x16x8xbf16, strided<[128, 8, 1], offset: 896>>
  %cast = memref.cast %layer
      : memref<7x16x8xbf16, strided<[128, 8, 1], offset: 896>>
      to memref<?x16x8xbf16, strided<[128, 8, 1], offset: 896>>
  func.call @layer(%c_kv, %slots, %cast)
      : (memref<?x8xbf16>, memref<?xi64>,
         memref<?x16x8xbf16, strided<[128, 8, 1], offset: 896>>) -> ()
  return
}
func.func private @layer(%c_kv: memref<?x8xbf16>, %slots: memref<?xi64>,
    %cache: memref<?x16x8xbf16, strided<[128, 8, 1], offset: 896>>) {
  %c0 = arith.constant 0 : index
  %pages = memref.dim %cache, %c0
      : memref<?x16x8xbf16, strided<[128, 8, 1], offset: 896>>
  %new = memref.alloc(%pages) : memref<?x16x8xbf16>
  %view = memref.cast %new : memref<?x16x8xbf16>
      to memref<?x16x8xbf16, strided<[?, ?, 1]>>
  // expected-error @+1 {{to be written in place, got a copy of it}}
  memref.copy %cache, %view
      : memref<?x16x8xbf16, strided<[128, 8, 1], offset: 896>>
      to memref<?x16x8xbf16, strided<[?, ?, 1]>>
  return
}

// -----

// The operand `cache` of an operation is a cache, whatever the argument's role. The
// reader is in the loop's next round.
func.func private @loop(%c_kv: memref<?x8xbf16>, %slots: memref<?xi64>,
    %cache: memref<7x16x8xbf16>, %lens: memref<?xi32>, %pages: memref<?x?xi32>,
    %n: index, %o: memref<?x8xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    // expected-note @+1 {{the old value's reader}}
    mla.gather_kv
        ins(cache = %cache : memref<7x16x8xbf16>,
            page_table = %pages : memref<?x?xi32>, kv_lens = %lens : memref<?xi32>,
            window_length = %n : index)
        outs(c_kv = %o : memref<?x8xbf16>)
    %new = memref.alloc() : memref<7x16x8xbf16>
    // expected-error @+1 {{expected the cache #2 of @loop to be written in place, got a copy of it, because 'mla.gather_kv' reads its value from before the write}}
    memref.copy %cache, %new : memref<7x16x8xbf16> to memref<7x16x8xbf16>
    mla.append
        ins(c_kv = %c_kv : memref<?x8xbf16>, slots = %slots : memref<?xi64>)
        outs(cache = %new : memref<7x16x8xbf16>)
  }
  return
}
