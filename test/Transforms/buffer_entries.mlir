// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-buffer-entries --split-input-file | FileCheck %s
// RUN: mla-opt %s --mla-buffer-entries --mla-buffer-entries --split-input-file | FileCheck %s
// RUN: mla-opt %s --split-input-file --mla-buffer-entries --cse --canonicalize \
// RUN:   --one-shot-bufferize=bufferize-function-boundaries --canonicalize \
// RUN:   | FileCheck %s --check-prefix=BUFFER

// Results go to the arguments that they flow from; what is no tensor stays.
// CHECK-LABEL: func.func @entry(
// CHECK-SAME:    %[[X:[^:]+]]: memref<?x64xbf16, strided<[?, ?], offset: ?>> {mla.name = "x"},
// CHECK-SAME:    %[[Y:[^:]+]]: memref<?x64xbf16, strided<[?, ?], offset: ?>>,
// CHECK-SAME:    %[[N:[^:]+]]: index) -> index {
// CHECK-DAG:     %[[TX:.+]] = bufferization.to_tensor %[[X]] restrict :
// CHECK-DAG:     %[[TY:.+]] = bufferization.to_tensor %[[Y]] restrict writable :
// CHECK:         %[[R:.+]] = mla.rope ins(x = %[[TX]] : tensor<?x64xbf16>) outs(y = %[[TY]] :
// CHECK:         bufferization.materialize_in_destination %[[R]] in writable %[[Y]]
// CHECK-NEXT:    return %[[N]] : index
func.func @entry(%x: tensor<?x64xbf16> {bufferization.writable = false, mla.name = "x"},
                 %y: tensor<?x64xbf16> {bufferization.writable = true},
                 %n: index) -> (tensor<?x64xbf16>, index) {
  %r = mla.rope ins(x = %x : tensor<?x64xbf16>) outs(y = %y : tensor<?x64xbf16>)
  return %r, %n : tensor<?x64xbf16>, index
}

// -----

// An argument that is returned as it came isn't written; one without a use has no tensor.
// CHECK-LABEL: func.func @as_it_came(
// CHECK-SAME:    memref<4xf32, strided<[?], offset: ?>>, %{{.+}}: memref<f32, strided<[], offset: ?>>) {
// CHECK-NOT:     materialize_in_destination
// CHECK-NOT:     bufferization.to_tensor %arg1
// CHECK:         return
func.func @as_it_came(%x: tensor<4xf32> {bufferization.writable = false}, %unused: tensor<f32>)
    -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// Casts of a result don't matter; two results that are the same are one.
// CHECK-LABEL: func.func @cast_result(
// CHECK-SAME:    %[[Y:[^:]+]]: memref<?x64xbf16, strided<[?, ?], offset: ?>>) {
// CHECK:         %[[T:.+]] = bufferization.to_tensor %[[Y]] restrict writable
// CHECK:         bufferization.materialize_in_destination %[[T]] in writable %[[Y]]
// CHECK-NEXT:    return
// BUFFER-LABEL: func.func @cast_result(
// BUFFER-NEXT:    return
func.func @cast_result(%y: tensor<?x64xbf16> {bufferization.writable = true})
    -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  %c = tensor.cast %y : tensor<?x64xbf16> to tensor<4x64xbf16>
  return %c, %c : tensor<4x64xbf16>, tensor<4x64xbf16>
}

// -----

// Two values in one buffer, a result in none, one in a buffer that may not be written,
// entries that the module calls or refers to, functions that are no entries: all as they
// were.
// CHECK-LABEL: func.func @two_values(
// CHECK-SAME:    tensor<4x64xbf16>
// CHECK-SAME:    -> (tensor<4x64xbf16>, tensor<4x64xbf16>)
func.func @two_values(%x: tensor<4x64xbf16>, %y: tensor<4x64xbf16> {bufferization.writable = true})
    -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  %r = mla.rope ins(x = %x : tensor<4x64xbf16>) outs(y = %y : tensor<4x64xbf16>)
  return %y, %r : tensor<4x64xbf16>, tensor<4x64xbf16>
}
// CHECK-LABEL: func.func @no_buffer(
// CHECK-SAME:    tensor<4xf32>
// CHECK-SAME:    -> tensor<4xf32>
func.func @no_buffer(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  return %e : tensor<4xf32>
}
// CHECK-LABEL: func.func @read_only(
// CHECK-SAME:    tensor<4x64xbf16>
// CHECK-SAME:    -> tensor<4x64xbf16>
func.func @read_only(%x: tensor<4x64xbf16>, %y: tensor<4x64xbf16> {bufferization.writable = false})
    -> tensor<4x64xbf16> {
  %r = mla.rope ins(x = %x : tensor<4x64xbf16>) outs(y = %y : tensor<4x64xbf16>)
  return %r : tensor<4x64xbf16>
}
// CHECK-LABEL: func.func @called(
// CHECK-SAME:    tensor<4xf32>) -> tensor<4xf32>
func.func @called(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
// CHECK-LABEL: func.func private @caller(
// CHECK-SAME:    tensor<4xf32>) -> tensor<4xf32>
func.func private @caller(%x: tensor<4xf32>) -> tensor<4xf32> {
  %r = call @called(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
// CHECK-LABEL: func.func @referred_to(
// CHECK-SAME:    tensor<4xf32>) -> tensor<4xf32>
func.func @referred_to(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func private @reference() attributes {other = @referred_to} {
  return
}
// CHECK-LABEL: func.func @host(
// CHECK-SAME:    tensor<4xf32>) -> tensor<4xf32>
func.func @host(%x: tensor<4xf32>) -> tensor<4xf32> attributes {mla.host} {
  return %x : tensor<4xf32>
}

// -----

// Nothing is moved where a result is in place; what is read too late for its buffer to be
// overwritten is copied.
// BUFFER-LABEL: func.func @in_place(
// BUFFER-NEXT:    mla.absorb_q ins(q_nope = %arg0 : {{.+}}) outs(query = %arg2 :
// BUFFER-NEXT:    return
func.func @in_place(%q: tensor<4x2x8xf32> {bufferization.writable = false},
                    %w: tensor<2x8x8xf32> {bufferization.writable = false},
                    %y: tensor<4x2x8xf32> {bufferization.writable = true}) -> tensor<4x2x8xf32> {
  %r = mla.absorb_q ins(q_nope = %q : tensor<4x2x8xf32>, w_uk = %w : tensor<2x8x8xf32>)
      outs(query = %y : tensor<4x2x8xf32>)
  return %r : tensor<4x2x8xf32>
}
// BUFFER-LABEL: func.func @read_late(
// BUFFER:         %[[A:.+]] = memref.alloc
// BUFFER:         mla.absorb_q ins(q_nope = %arg0 : {{.+}}) outs(query = %[[A]] :
// BUFFER-NEXT:    mla.absorb_q ins(q_nope = %arg2 : {{.+}}) outs(query = %arg3 :
// BUFFER-NEXT:    memref.copy %[[A]], %arg2
// BUFFER-NEXT:    return
func.func @read_late(%q: tensor<4x2x8xf32> {bufferization.writable = false},
                     %w: tensor<2x8x8xf32> {bufferization.writable = false},
                     %y: tensor<4x2x8xf32> {bufferization.writable = true},
                     %z: tensor<4x2x8xf32> {bufferization.writable = true})
    -> (tensor<4x2x8xf32>, tensor<4x2x8xf32>) {
  %r = mla.absorb_q ins(q_nope = %q : tensor<4x2x8xf32>, w_uk = %w : tensor<2x8x8xf32>)
      outs(query = %y : tensor<4x2x8xf32>)
  %s = mla.absorb_q ins(q_nope = %y : tensor<4x2x8xf32>, w_uk = %w : tensor<2x8x8xf32>)
      outs(query = %z : tensor<4x2x8xf32>)
  return %r, %s : tensor<4x2x8xf32>, tensor<4x2x8xf32>
}

// -----

// A call passes memrefs on that nobody writes (q, w), and those that nobody else uses (y);
// what it returns of the latter goes there inside. A tensor of one that the caller reads
// later stays (z).
// CHECK-LABEL: func.func @caller_of_layer(
// CHECK-SAME:    %[[Q:[^:]+]]: memref<{{[^%]+}}, %[[W:[^:]+]]: memref<{{[^%]+}}, %[[Y:[^:]+]]: memref<{{[^%]+}}, %[[Z:[^:]+]]: memref<
// CHECK:         %[[TZ:.+]] = bufferization.to_tensor %[[Z]] restrict writable
// CHECK-NOT:     bufferization.to_tensor %[[Y]]
// CHECK:         %[[R:.+]] = call @layer(%[[Q]], %[[W]], %[[Y]], %[[TZ]])
// CHECK-SAME:      -> tensor<4x2x8xf32>
// CHECK:         %[[R1:.+]] = call @one_of_two(%[[Q]], %{{.+}}, %[[R]])
// CHECK-NEXT:    bufferization.materialize_in_destination %[[R1]] in writable %[[Z]]
// CHECK-NEXT:    return
func.func @caller_of_layer(%q: tensor<4x2x8xf32> {bufferization.writable = false},
                           %w: tensor<2x8x8xf32> {bufferization.writable = false},
                           %y: tensor<4x2x8xf32> {bufferization.writable = true},
                           %z: tensor<4x2x8xf32> {bufferization.writable = true})
    -> (tensor<4x2x8xf32>, tensor<4x2x8xf32>) {
  %r:2 = call @layer(%q, %w, %y, %z)
      : (tensor<4x2x8xf32>, tensor<2x8x8xf32>, tensor<4x2x8xf32>, tensor<4x2x8xf32>)
      -> (tensor<4x2x8xf32>, tensor<4x2x8xf32>)
  %e = tensor.empty() : tensor<2x8x8xf32>
  %s = call @one_of_two(%q, %e, %r#1)
      : (tensor<4x2x8xf32>, tensor<2x8x8xf32>, tensor<4x2x8xf32>) -> tensor<4x2x8xf32>
  return %r#0, %s : tensor<4x2x8xf32>, tensor<4x2x8xf32>
}
// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    %[[Q:[^:]+]]: memref<{{[^%]+}}, %[[W:[^:]+]]: memref<{{[^%]+}}, %[[Y:[^:]+]]: memref<{{[^%]+}}, %[[Z:[^:]+]]: tensor<4x2x8xf32>) -> tensor<4x2x8xf32>
// CHECK-DAG:     bufferization.to_tensor %[[Q]] restrict :
// CHECK-DAG:     bufferization.to_tensor %[[Y]] restrict writable :
// CHECK:         %[[R:.+]] = mla.absorb_q
// CHECK:         %[[S:.+]] = mla.absorb_q {{.+}} outs(query = %[[Z]] :
// CHECK-NEXT:    bufferization.materialize_in_destination %[[R]] in writable %[[Y]]
// CHECK-NEXT:    return %[[S]]
func.func private @layer(%q: tensor<4x2x8xf32>, %w: tensor<2x8x8xf32>, %y: tensor<4x2x8xf32>,
                         %z: tensor<4x2x8xf32>) -> (tensor<4x2x8xf32>, tensor<4x2x8xf32>) {
  %r = mla.absorb_q ins(q_nope = %q : tensor<4x2x8xf32>, w_uk = %w : tensor<2x8x8xf32>)
      outs(query = %y : tensor<4x2x8xf32>)
  %s = mla.absorb_q ins(q_nope = %q : tensor<4x2x8xf32>, w_uk = %w : tensor<2x8x8xf32>)
      outs(query = %z : tensor<4x2x8xf32>)
  return %r, %s : tensor<4x2x8xf32>, tensor<4x2x8xf32>
}
// One that one of the calls has only a tensor for stays, too.
// CHECK-LABEL: func.func private @one_of_two(
// CHECK-SAME:    %{{[^:]+}}: memref<4x2x8xf32, {{[^%]+}}, %{{[^:]+}}: tensor<2x8x8xf32>, %{{[^:]+}}: tensor<4x2x8xf32>) -> tensor<4x2x8xf32>
func.func private @one_of_two(%q: tensor<4x2x8xf32>, %w: tensor<2x8x8xf32>,
                              %z: tensor<4x2x8xf32>) -> tensor<4x2x8xf32> {
  %s = mla.absorb_q ins(q_nope = %q : tensor<4x2x8xf32>, w_uk = %w : tensor<2x8x8xf32>)
      outs(query = %z : tensor<4x2x8xf32>)
  return %s : tensor<4x2x8xf32>
}

// -----

// What a loop calls again gets a tensor of what is written: each iteration reads the same.
// Nobody writes the others.
// CHECK-LABEL: func.func @loop_of_calls(
// CHECK-SAME:    %[[Q:[^:]+]]: memref<{{[^%]+}}, %[[Y:[^:]+]]: memref<
// CHECK:         %[[TY:.+]] = bufferization.to_tensor %[[Y]] restrict writable
// CHECK:         scf.for
// CHECK:           func.call @iteration(%[[Q]], %[[TY]], %{{.+}}) :
// CHECK-SAME:        (memref<{{.+}}>, tensor<4xf32>, tensor<4xf32>)
// BUFFER-LABEL: func.func @loop_of_calls(
// BUFFER:         scf.for
// BUFFER:           memref.copy %arg1, %[[COPY:.+]] :
// BUFFER:           func.call @iteration(%arg0, %{{.+}}, %{{.+}})
func.func @loop_of_calls(%q: tensor<4xf32> {bufferization.writable = false},
                         %y: tensor<4xf32> {bufferization.writable = true},
                         %z: tensor<4xf32> {bufferization.writable = true}, %n: index)
    -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%now = %z) -> tensor<4xf32> {
    %s:2 = func.call @iteration(%q, %y, %now)
        : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
    scf.yield %s#1 : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}
func.func private @iteration(%q: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>) {
  %s = linalg.copy ins(%y : tensor<4xf32>) outs(%z : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.copy ins(%q : tensor<4xf32>) outs(%y : tensor<4xf32>) -> tensor<4xf32>
  return %r, %s : tensor<4xf32>, tensor<4xf32>
}

// -----

// A part of an argument that is returned is that of before: the result isn't put there
// inside, but in the caller.
// CHECK-LABEL: func.func @caller_of_view(
// CHECK:         call @view(%{{.+}}, %{{.+}}) : (memref<{{.+}}>, tensor<4xf32>) ->
// CHECK-SAME:      (tensor<4xf32>, tensor<2xf32>)
func.func @caller_of_view(%q: tensor<4xf32> {bufferization.writable = false},
                          %y: tensor<4xf32> {bufferization.writable = true},
                          %z: tensor<2xf32> {bufferization.writable = true})
    -> (tensor<4xf32>, tensor<2xf32>) {
  %r:2 = call @view(%q, %y)
      : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<2xf32>)
  %s = linalg.copy ins(%r#1 : tensor<2xf32>) outs(%z : tensor<2xf32>) -> tensor<2xf32>
  return %r#0, %s : tensor<4xf32>, tensor<2xf32>
}
func.func private @view(%q: tensor<4xf32>, %y: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<2xf32>) {
  %old = tensor.extract_slice %y[1] [2] [1] : tensor<4xf32> to tensor<2xf32>
  %r = linalg.copy ins(%q : tensor<4xf32>) outs(%y : tensor<4xf32>) -> tensor<4xf32>
  return %r, %old : tensor<4xf32>, tensor<2xf32>
}

// -----

// Recursive functions keep their tensors.
// CHECK-LABEL: func.func @caller_of_recursive(
// CHECK-SAME:    %[[Q:[^:]+]]: memref<
// CHECK:         %[[TQ:.+]] = bufferization.to_tensor %[[Q]]
// CHECK:         call @recursive(%[[TQ]], %{{.+}}) : (tensor<4xf32>, tensor<4xf32>) ->
func.func @caller_of_recursive(%q: tensor<4xf32> {bufferization.writable = false},
                               %y: tensor<4xf32> {bufferization.writable = true})
    -> tensor<4xf32> {
  %r = call @recursive(%q, %y) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %s = linalg.copy ins(%r : tensor<4xf32>) outs(%y : tensor<4xf32>) -> tensor<4xf32>
  return %s : tensor<4xf32>
}
func.func private @recursive(%q: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %r = call @recursive(%q, %y) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
