// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The forms of a call, whatever its name; and what isn't one.

// RUN: mla-opt %s --allow-unregistered-dialect --convert-custom-call-to-mla -o %t 2>%t.remarks
// RUN: FileCheck %s --input-file=%t
// RUN: FileCheck %s --input-file=%t.remarks --check-prefix=REMARK --implicit-check-not=remark:

// Once is enough.
// RUN: mla-opt %t --allow-unregistered-dialect --convert-custom-call-to-mla 2>/dev/null | diff %t -

// The numbers that make a symbol unique aren't part of the name; a declaration goes
// with its last call.
// CHECK-NOT: @mla.rope_7
// CHECK: func.func private @mla.rope(
func.func private @mla.rope_7(tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
func.func private @mla.rope(tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>

// CHECK-LABEL: @number(
// CHECK: mla.rope ins(x = %arg0 : tensor<?x4xf32>) outs(y = %arg1 : tensor<?x4xf32>)
// CHECK: call @mla.rope(
// REMARK: forms.mlir:[[#@LINE+4]]:{{.*}} remark: convert-custom-call-to-mla: 'mla.rope_7' becomes mla.rope
// REMARK: forms.mlir:[[#@LINE+5]]:{{.*}} remark: convert-custom-call-to-mla: 'mla.rope' stays: operands: expected the operands' names, got none
func.func @number(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>)
    -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %r = call @mla.rope_7(%x, %y) {operands = ["x", "y"]}
      : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %s = call @mla.rope(%x, %y) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %r, %s : tensor<?x4xf32>, tensor<?x4xf32>
}

// A live rope without its table is none; a string holds the attributes of a call; results
// come in the order that it names.
// CHECK-LABEL: @text(
// CHECK: %[[QUERY:.*]], %[[CACHE:.*]] = mla.append {{.*}} {mla.rope_off = "convert-custom-call-to-mla: no rotary table"}
// CHECK: return %[[CACHE]], %[[QUERY]]
// REMARK: remark: convert-custom-call-to-mla: 'mla.append' becomes mla.append; no rope, for there is no table
func.func @text(%c: tensor<?x16xbf16>, %k: tensor<?x4xbf16>, %q_pe: tensor<?x2x4xbf16>,
                %slots: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
                %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x8x20xbf16>, tensor<?x2x20xbf16>) {
  %r:2 = "stablehlo.custom_call"(%c, %k, %q_pe, %slots, %query, %cache)
      {call_target_name = "mla.append", backend_config = "{operands = [\22c_kv\22, \22k_pe\22, \22q_pe\22, \22slots\22, \22query\22, \22cache\22], results = [\22cache\22, \22query\22], rope = #mla.rope<half, head_dim = 4>}"}
      : (tensor<?x16xbf16>, tensor<?x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi64>,
         tensor<?x2x20xbf16>, tensor<?x8x20xbf16>)
      -> (tensor<?x8x20xbf16>, tensor<?x2x20xbf16>)
  return %r#0, %r#1 : tensor<?x8x20xbf16>, tensor<?x2x20xbf16>
}

// Tensors of another type system are those that they were cast from; readers cast on.
// One call's result may be the next one's operand.
// CHECK-LABEL: @torch_types(
// CHECK: %[[Y:.*]] = mla.rope ins(x = %arg0 : tensor<?x4xf32>) outs(y = %arg1 : tensor<?x4xf32>)
// CHECK: %[[CAST:.*]] = builtin.unrealized_conversion_cast %[[Y]] : tensor<?x4xf32> to !torch.vtensor<[?,4],f32>
// CHECK: %[[Z:.*]] = mla.rope ins(x = %[[Y]] : tensor<?x4xf32>) outs(y = %arg2 : tensor<?x4xf32>)
// CHECK: "torch_c.to_builtin_tensor"
// REMARK-COUNT-2: remark: convert-custom-call-to-mla: 'mla.rope' becomes mla.rope
func.func @torch_types(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>, %z: tensor<?x4xf32>)
    -> tensor<?x4xf32> {
  %a = "torch_c.from_builtin_tensor"(%x) : (tensor<?x4xf32>) -> !torch.vtensor<[?,4],f32>
  %b = "torch_c.from_builtin_tensor"(%y) : (tensor<?x4xf32>) -> !torch.vtensor<[?,4],f32>
  %c = "torch_c.from_builtin_tensor"(%z) : (tensor<?x4xf32>) -> !torch.vtensor<[?,4],f32>
  %r = "torch.operator"(%a, %b) <{name = "torch.ops.mla.rope"}> {operands = ["x", "y"]}
      : (!torch.vtensor<[?,4],f32>, !torch.vtensor<[?,4],f32>) -> !torch.vtensor<[?,4],f32>
  %s = "torch.operator"(%r, %c) <{name = "torch.mla.rope.default"}> {operands = ["x", "y"]}
      : (!torch.vtensor<[?,4],f32>, !torch.vtensor<[?,4],f32>) -> !torch.vtensor<[?,4],f32>
  %t = "torch_c.to_builtin_tensor"(%s) : (!torch.vtensor<[?,4],f32>) -> tensor<?x4xf32>
  return %t : tensor<?x4xf32>
}

// Buffers change where they are.
// CHECK-LABEL: @buffers(
// CHECK-NEXT: mla.rope ins(x = %arg0 : memref<?x4xf32>) outs(y = %arg1 : memref<?x4xf32>)
// REMARK: remark: convert-custom-call-to-mla: 'mla.rope' becomes mla.rope
func.func @buffers(%x: memref<?x4xf32>, %y: memref<?x4xf32>) {
  "stablehlo.custom_call"(%x, %y) {call_target_name = "mla.rope", backend_config = {operands = ["x", "y"]}}
      : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  return
}

// A function of that name is a function.
// CHECK-LABEL: func.func @concat_and_cache_mla(
// CHECK-LABEL: @defined(
// CHECK-NEXT: call @concat_and_cache_mla(
// REMARK: remark: convert-custom-call-to-mla: 'concat_and_cache_mla' stays: callee: expected a declaration, got a function with a body
func.func @concat_and_cache_mla(%x: i32) -> i32 {
  return %x : i32
}
func.func @defined(%x: i32) -> i32 {
  %r = call @concat_and_cache_mla(%x) : (i32) -> i32
  return %r : i32
}

// CHECK-LABEL: @wrong(
// CHECK-COUNT-6: mla.
// REMARK: remark: convert-custom-call-to-mla: 'mla.rope' stays: version: expected 0, got 1
// REMARK: remark: convert-custom-call-to-mla: 'mla.rotate' stays: expected an operation of mla
// REMARK: remark: convert-custom-call-to-mla: 'mla.rope' stays: operands: expected a name once, got 'x' twice
// REMARK: remark: convert-custom-call-to-mla: 'mla.rope' stays: operands: expected arguments of mla.rope, got 'z'
// REMARK: remark: convert-custom-call-to-mla: 'mla.rope' stays: head_dim: expected an attribute of mla.rope
// REMARK: remark: convert-custom-call-to-mla: 'mla.rope' stays: rope: expected the text of an attribute, got 'half'
func.func @wrong(%x: tensor<?x4xf32>) {
  %0 = "stablehlo.composite"(%x, %x) {name = "mla.rope", composite_attributes = {operands = ["x", "y"]}, decomposition = @none, version = 1 : i32} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = "torch.operator"(%x, %x) {name = "mla.rotate", operands = ["x", "y"]} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = "torch.operator"(%x, %x) {name = "mla.rope", operands = ["x", "x"]} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = "torch.operator"(%x, %x) {name = "mla.rope", operands = ["x", "z"]} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %4 = "torch.operator"(%x, %x) {name = "mla.rope", operands = ["x", "y"], head_dim = 4} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %5 = "torch.operator"(%x, %x) {name = "mla.rope", operands = ["x", "y"], rope = "half"} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// A result may know more of its shape than its argument, but not be of another type.
// CHECK-LABEL: @results(
// CHECK: %[[Y:.*]] = mla.rope
// CHECK: %[[CAST:.*]] = tensor.cast %[[Y]] : tensor<?x4xf32> to tensor<8x4xf32>
// CHECK: %[[OTHER:.*]] = "torch.operator"
// CHECK: return %[[CAST]], %[[OTHER]]
// REMARK: remark: convert-custom-call-to-mla: 'mla.rope' becomes mla.rope
// REMARK: remark: convert-custom-call-to-mla: 'mla.rope' stays: result #0: expected the type of its argument, 'tensor<?x4xf32>', got 'tensor<?x4xf16>'
func.func @results(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>)
    -> (tensor<8x4xf32>, tensor<?x4xf16>) {
  %r = "torch.operator"(%x, %y) {name = "mla.rope", operands = ["x", "y"]}
      : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<8x4xf32>
  %s = "torch.operator"(%x, %y) {name = "mla.rope", operands = ["x", "y"]}
      : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf16>
  return %r, %s : tensor<8x4xf32>, tensor<?x4xf16>
}

// Names, operations and dialects that aren't ours: no word of them.
// CHECK-LABEL: @foreign(
// CHECK-NEXT: call @reshape_and_cache(%arg0)
// CHECK-NEXT: "stablehlo.custom_call"(%arg0) {backend_config = "", call_target_name = "Sharding"}
// CHECK-NEXT: "stablehlo.composite"(%arg0) {name = "chlo.erf"}
// CHECK-NEXT: "torch.operator"(%arg0) {name = "torch.aten.relu"}
// CHECK-NEXT: "tosa2.custom"(%arg0) {name = "mla.rope"}
// CHECK-NEXT: "torch.operator"(%arg0) ({
func.func private @reshape_and_cache(tensor<?x4xf32>) -> tensor<?x4xf32>
func.func @foreign(%x: tensor<?x4xf32>) {
  %0 = call @reshape_and_cache(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = "stablehlo.custom_call"(%x) {call_target_name = "Sharding", backend_config = ""} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = "stablehlo.composite"(%x) {name = "chlo.erf"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = "torch.operator"(%x) {name = "torch.aten.relu"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %4 = "tosa2.custom"(%x) {name = "mla.rope"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %5 = "torch.operator"(%x) ({
  ^bb0:
  }) {name = "mla.rope"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
