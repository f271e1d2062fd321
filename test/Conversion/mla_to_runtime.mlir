// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-thread-context --convert-mla-to-runtime --canonicalize --cse \
// RUN:   --split-input-file | FileCheck %s

// A tensor is a struct of 152 bytes on the stack, its fields at the C header's
// offsets, written by one function a rank; what it doesn't write is 0, and so are
// absent operands.

// CHECK-LABEL: llvm.func internal @mla.tensor.2(
// CHECK-SAME:    %[[SLOT:[^:]+]]: !llvm.ptr, %[[DATA:[^:]+]]: !llvm.ptr, %[[DTYPE:[^:]+]]: i32,
// CHECK-SAME:    %[[OFFSET:[^:]+]]: i64, %[[S0:[^:]+]]: i64, %[[S1:[^:]+]]: i64, %[[T0:[^:]+]]: i64, %[[T1:[^:]+]]: i64)
// CHECK-DAG:     %[[RANK:.+]] = llvm.mlir.constant(2 : i32) : i32
// CHECK-DAG:     %[[BYTES:.+]] = llvm.mlir.constant(152 : i64) : i64
// CHECK:         "llvm.intr.memset"(%[[SLOT]], %{{.*}}, %[[BYTES]])
// CHECK:         llvm.store %[[DATA]], %[[SLOT]]
// CHECK:         %[[AT:.+]] = llvm.getelementptr %[[SLOT]][16]
// CHECK-NEXT:    llvm.store %[[DTYPE]], %[[AT]]
// CHECK:         %[[AT:.+]] = llvm.getelementptr %[[SLOT]][20]
// CHECK-NEXT:    llvm.store %[[RANK]], %[[AT]]
// CHECK:         %[[AT:.+]] = llvm.getelementptr %[[SLOT]][120]
// CHECK-NEXT:    llvm.store %[[OFFSET]], %[[AT]]
// CHECK:         %[[AT:.+]] = llvm.getelementptr %[[SLOT]][24]
// CHECK-NEXT:    llvm.store %[[S0]], %[[AT]]
// CHECK:         %[[AT:.+]] = llvm.getelementptr %[[SLOT]][72]
// CHECK-NEXT:    llvm.store %[[T0]], %[[AT]]
// CHECK:         %[[AT:.+]] = llvm.getelementptr %[[SLOT]][32]
// CHECK-NEXT:    llvm.store %[[S1]], %[[AT]]
// CHECK:         %[[AT:.+]] = llvm.getelementptr %[[SLOT]][80]
// CHECK-NEXT:    llvm.store %[[T1]], %[[AT]]

// CHECK-LABEL: func.func private @rope(
// CHECK-SAME:    %[[CTX:[^:]+]]: !llvm.ptr, %[[X:[^:]+]]: memref<?x64xbf16
// CHECK-DAG:     %[[INTERLEAVED:.+]] = llvm.mlir.constant(1 : i64) : i64
// CHECK-DAG:     %[[GENERATION:.+]] = llvm.mlir.constant(2 : i64) : i64
// CHECK-DAG:     %[[BF16:.+]] = llvm.mlir.constant(3 : i32) : i32
// CHECK-DAG:     %[[SIZE:.+]] = llvm.mlir.constant(64 : i64) : i64
// CHECK:         "llvm.intr.memset"(%[[PARAMS:.+]], %{{.*}}, %[[SIZE]])
// CHECK-NEXT:    llvm.store %[[SIZE]], %[[PARAMS]]
// CHECK:         %[[DATA:.+]] = memref.extract_aligned_pointer_as_index %[[X]]
// CHECK:         memref.extract_strided_metadata %[[X]]
// CHECK:         llvm.call @mla.tensor.2(%[[SLOT:.+]], %{{.*}}, %[[BF16]], %{{.*}}, %{{.*}}, %[[SIZE]], %{{.*}}, %[[INTERLEAVED]])
// CHECK-NEXT:    %[[AT:.+]] = llvm.getelementptr %[[PARAMS]][8]
// CHECK-NEXT:    llvm.store %[[SLOT]], %[[AT]]
// CHECK:         %[[STYLE:.+]] = llvm.getelementptr %[[PARAMS]][40]
// CHECK-NEXT:    llvm.store %[[INTERLEAVED]], %[[STYLE]]
// CHECK:         %[[PHASE:.+]] = llvm.getelementptr %[[PARAMS]][48]
// CHECK-NEXT:    llvm.store %[[GENERATION]], %[[PHASE]]
// CHECK:         llvm.call @mla_rope(%[[CTX]], %[[PARAMS]]) : (!llvm.ptr, !llvm.ptr) -> i32
func.func private @rope(%x: memref<?x64xbf16, strided<[?, 1], offset: ?>>,
                        %table: memref<?x64xf32>, %positions: memref<?xi64>,
                        %y: memref<?x64xbf16>) {
  mla.rope
      ins(x = %x : memref<?x64xbf16, strided<[?, 1], offset: ?>>,
          cos_sin = %table : memref<?x64xf32>, positions = %positions : memref<?xi64>)
      outs(y = %y : memref<?x64xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 64>, phase = #mla.phase<generation>}
  return
}

// -----

// A rope that isn't live: neither table nor positions, no style, and the reason.

// CHECK:       llvm.mlir.global internal constant @"mla.string.disabled in the rope attribute"
// CHECK-LABEL: func.func private @dead_rope(
// CHECK-SAME:    %[[TABLE:[^:]+]]: memref<?x64xf32>, %[[POSITIONS:[^:]+]]: memref<?xi64>
// CHECK-DAG:     %[[REASON:.+]] = llvm.mlir.addressof @"mla.string.disabled in the rope attribute"
// CHECK:         "llvm.intr.memset"(%[[PARAMS:.+]], %{{.*}}, %{{.*}})
// CHECK-NOT:     %[[TABLE]]
// CHECK-NOT:     %[[POSITIONS]]
// CHECK-NOT:     llvm.getelementptr %[[PARAMS]][40]
// CHECK:         %[[OFF:.+]] = llvm.getelementptr %[[PARAMS]][56]
// CHECK-NEXT:    llvm.store %[[REASON]], %[[OFF]]
// CHECK:         llvm.call @mla_rope
func.func private @dead_rope(%x: memref<?x64xbf16>, %table: memref<?x64xf32>,
                             %positions: memref<?xi64>, %y: memref<?x64xbf16>) {
  mla.rope
      ins(x = %x : memref<?x64xbf16>, cos_sin = %table : memref<?x64xf32>,
          positions = %positions : memref<?xi64>)
      outs(y = %y : memref<?x64xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 64, enabled = false>}
  return
}

// -----

// A cache crosses as two views of one buffer, 512 and 64 columns wide, the second
// from column 512 on: 1024 bytes.

// CHECK-LABEL: func.func private @append(
// CHECK-SAME:    %[[CACHE:[^:]+]]: memref<?x16x576xf16>)
// CHECK-DAG:     %[[PE_BYTES:.+]] = llvm.mlir.constant(1024 : i64) : i64
// CHECK-DAG:     %[[PE_WIDTH:.+]] = llvm.mlir.constant(64 : i64) : i64
// CHECK-DAG:     %[[WIDTH:.+]] = llvm.mlir.constant(512 : i64) : i64
// CHECK:         memref.extract_strided_metadata %[[CACHE]]
// CHECK:         llvm.call @mla.tensor.3(%[[LATENT:[^,]+]], %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %[[WIDTH]],
// CHECK-NEXT:    %[[AT:.+]] = llvm.getelementptr %[[PARAMS:.+]][112]
// CHECK-NEXT:    llvm.store %[[LATENT]], %[[AT]]
// CHECK:         llvm.call @mla.tensor.3(%[[PE:[^,]+]], %{{[^,]+}}, %{{[^,]+}}, %[[PE_BYTES]], %{{[^,]+}}, %{{[^,]+}}, %[[PE_WIDTH]],
// CHECK-NEXT:    %[[AT:.+]] = llvm.getelementptr %[[PARAMS]][120]
// CHECK-NEXT:    llvm.store %[[PE]], %[[AT]]
// CHECK:         llvm.call @mla_append
func.func private @append(%c_kv: memref<?x512xf16>, %k_pe: memref<?x64xf16>,
                          %slots: memref<?xi64>, %cache: memref<?x16x576xf16>) {
  mla.append
      ins(c_kv = %c_kv : memref<?x512xf16>, k_pe = %k_pe : memref<?x64xf16>,
          slots = %slots : memref<?xi64>)
      outs(cache = %cache : memref<?x16x576xf16>)
  return
}

// -----

// With R = 0 there is no second view: one tensor for the cache, one for c_kv, one
// for slots, and the parameters.

// CHECK-LABEL: func.func private @append_zero_width(
// CHECK-COUNT-3: !llvm.array<152 x i8>
// CHECK-NOT:     !llvm.array<152 x i8>
// CHECK:         llvm.call @mla_append
func.func private @append_zero_width(%c_kv: memref<?x512xf16>, %slots: memref<?xi64>,
                                     %cache: memref<?x16x512xf16>) {
  mla.append ins(c_kv = %c_kv : memref<?x512xf16>, slots = %slots : memref<?xi64>)
      outs(cache = %cache : memref<?x16x512xf16>)
  return
}

// -----

// Two operations share the slots.

// CHECK-LABEL: func.func private @twice(
// CHECK-COUNT-2: !llvm.array<152 x i8>
// CHECK-NOT:     !llvm.array<152 x i8>
// CHECK:         llvm.call @mla_rope
// CHECK:         llvm.call @mla_rope
func.func private @twice(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  mla.rope ins(x = %x : memref<4x8xf32>) outs(y = %y : memref<4x8xf32>)
  mla.rope ins(x = %x : memref<4x8xf32>) outs(y = %y : memref<4x8xf32>)
  return
}

// -----

// CHECK-LABEL: func.func private @alloc_copy_fill(
// CHECK-SAME:    %[[CTX:[^:]+]]: !llvm.ptr
// CHECK:         %[[VALUE:.+]] = llvm.mlir.constant(1.500000e+00 : f64) : f64
// CHECK:         llvm.call @mla_arena_alloc(%[[CTX]], %{{.*}}) : (!llvm.ptr, i64) -> !llvm.ptr
// CHECK:         llvm.store %[[VALUE]]
// CHECK:         llvm.call @mla_fill(%[[CTX]]
// CHECK:         llvm.call @mla_copy(%[[CTX]]
// CHECK-NOT:     memref.dealloc
func.func private @alloc_copy_fill(%n: index, %dst: memref<?x8xf32>) {
  %value = arith.constant 1.5 : f32
  %buffer = memref.alloc(%n) : memref<?x8xf32>
  linalg.fill ins(%value : f32) outs(%buffer : memref<?x8xf32>)
  memref.copy %buffer, %dst : memref<?x8xf32> to memref<?x8xf32>
  memref.dealloc %buffer : memref<?x8xf32>
  return
}

// -----

// Host scalars go to the fields of their names.

// CHECK-LABEL: func.func private @gather(
// CHECK-SAME:    %[[START:[^:]+]]: index, %[[LENGTH:[^:]+]]: index)
// CHECK-DAG:     arith.index_cast %[[START]] : index to i64
// CHECK-DAG:     arith.index_cast %[[LENGTH]] : index to i64
// CHECK:         llvm.call @mla_gather_kv
func.func private @gather(%cache: memref<?x16x512xf16>, %pages: memref<?x?xi32>,
                          %lens: memref<?xi32>, %c_kv: memref<?x512xf16>,
                          %start: index, %length: index) {
  mla.gather_kv
      ins(cache = %cache : memref<?x16x512xf16>, page_table = %pages : memref<?x?xi32>,
          kv_lens = %lens : memref<?xi32>, window_start = %start : index,
          window_length = %length : index)
      outs(c_kv = %c_kv : memref<?x512xf16>)
  return
}

// -----

// Packed rows cross as three views: 512 f8E4M3FN (16 is another constant), 64 bf16
// beside f32 activations, 528 bytes from a row's start, and 4 f32 scales, 512 bytes
// from it. Strides in bytes become strides in elements.

// CHECK-DAG:   [[$PE_OFFSET:#.+]] = affine_map<()[s0] -> (s0 + 528)>
// CHECK-DAG:   [[$PE_STRIDE:#.+]] = affine_map<()[s0] -> (s0 floordiv 2)>
// CHECK-DAG:   [[$SCALES_OFFSET:#.+]] = affine_map<()[s0] -> (s0 + 512)>
// CHECK-DAG:   [[$SCALES_STRIDE:#.+]] = affine_map<()[s0] -> (s0 floordiv 4)>
// CHECK-LABEL: func.func private @append_packed(
// CHECK-SAME:    %[[CACHE:[^:]+]]: memref<?x16x656xi8
// CHECK-DAG:     %[[F32:.+]] = llvm.mlir.constant(1 : i32) : i32
// CHECK-DAG:     %[[BF16:.+]] = llvm.mlir.constant(3 : i32) : i32
// CHECK-DAG:     %[[F8:.+]] = llvm.mlir.constant(4 : i32) : i32
// CHECK-DAG:     %[[ONE:.+]] = llvm.mlir.constant(1 : i64) : i64
// CHECK-DAG:     %[[P:.+]] = llvm.mlir.constant(16 : i64) : i64
// CHECK-DAG:     %[[L:.+]] = llvm.mlir.constant(512 : i64) : i64
// CHECK-DAG:     %[[R:.+]] = llvm.mlir.constant(64 : i64) : i64
// CHECK-DAG:     %[[BLOCKS:.+]] = llvm.mlir.constant(4 : i64) : i64
// CHECK:         %{{.+}}, %[[OFFSET:.+]], %{{.+}}:3, %[[STRIDES:.+]]:3 = memref.extract_strided_metadata %[[CACHE]]
// CHECK:         %[[S0:.+]] = arith.index_cast %[[STRIDES]]#0
// CHECK:         %[[S1:.+]] = arith.index_cast %[[STRIDES]]#1
// CHECK:         llvm.call @mla.tensor.3(%[[LATENT:[^,]+]], %{{[^,]+}}, %[[F8]], %{{[^,]+}}, %{{[^,]+}}, %[[P]], %[[L]], %[[S0]], %[[S1]], %[[ONE]])
// CHECK-NEXT:    %[[AT:.+]] = llvm.getelementptr %[[PARAMS:.+]][112]
// CHECK-NEXT:    llvm.store %[[LATENT]], %[[AT]]
// CHECK:         affine.apply [[$PE_OFFSET]]()[%[[OFFSET]]]
// CHECK:         affine.apply [[$PE_STRIDE]]()[%[[STRIDES]]#0]
// CHECK:         affine.apply [[$PE_STRIDE]]()[%[[STRIDES]]#1]
// CHECK:         llvm.call @mla.tensor.3(%[[PE:[^,]+]], %{{[^,]+}}, %[[BF16]], %{{[^,]+}}, %{{[^,]+}}, %[[P]], %[[R]], %{{[^,]+}}, %{{[^,]+}}, %[[ONE]])
// CHECK-NEXT:    %[[AT:.+]] = llvm.getelementptr %[[PARAMS]][120]
// CHECK-NEXT:    llvm.store %[[PE]], %[[AT]]
// CHECK:         affine.apply [[$SCALES_OFFSET]]()[%[[OFFSET]]]
// CHECK:         affine.apply [[$SCALES_STRIDE]]()[%[[STRIDES]]#0]
// CHECK:         affine.apply [[$SCALES_STRIDE]]()[%[[STRIDES]]#1]
// CHECK:         llvm.call @mla.tensor.3(%[[SCALES:[^,]+]], %{{[^,]+}}, %[[F32]], %{{[^,]+}}, %{{[^,]+}}, %[[P]], %[[BLOCKS]], %{{[^,]+}}, %{{[^,]+}}, %[[ONE]])
// CHECK-NEXT:    %[[AT:.+]] = llvm.getelementptr %[[PARAMS]][128]
// CHECK-NEXT:    llvm.store %[[SCALES]], %[[AT]]
// CHECK:         llvm.call @mla_append
func.func private @append_packed(%c_kv: memref<?x512xf32>, %k_pe: memref<?x64xf32>,
    %slots: memref<?xi64>,
    %cache: memref<?x16x656xi8, strided<[?, ?, ?], offset: ?>>) {
  mla.append
      ins(c_kv = %c_kv : memref<?x512xf32>, k_pe = %k_pe : memref<?x64xf32>,
          slots = %slots : memref<?xi64>)
      outs(cache = %cache : memref<?x16x656xi8, strided<[?, ?, ?], offset: ?>>)
  return
}

// -----

// The pe columns of packed rows have the type of a 16-bit query.

// CHECK-LABEL: func.func private @attend_packed(
// CHECK-DAG:     %[[F16:.+]] = llvm.mlir.constant(2 : i32) : i32
// CHECK-DAG:     %[[F8:.+]] = llvm.mlir.constant(4 : i32) : i32
// CHECK:         llvm.call @mla.tensor.3(%{{[^,]+}}, %{{[^,]+}}, %[[F16]]
// CHECK:         llvm.call @mla.tensor.3(%{{[^,]+}}, %{{[^,]+}}, %[[F8]]
// CHECK:         llvm.call @mla.tensor.3(%{{[^,]+}}, %{{[^,]+}}, %[[F16]]
// CHECK:         llvm.call @mla_absorbed_attention
func.func private @attend_packed(%query: memref<?x2x132xf16>,
    %cache: memref<?x8x140xi8>, %pages: memref<?x?xi32>, %lens: memref<?xi32>,
    %cu: memref<?xi32>, %o: memref<?x2x128xf16>) {
  mla.absorbed_attention
      ins(query = %query : memref<?x2x132xf16>, cache = %cache : memref<?x8x140xi8>,
          page_table = %pages : memref<?x?xi32>, kv_lens = %lens : memref<?xi32>,
          cu_q = %cu : memref<?xi32>)
      outs(o = %o : memref<?x2x128xf16>) {softmax_scale = 1.0 : f64}
  return
}
