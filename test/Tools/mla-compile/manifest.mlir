// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-compile %s --print-manifest | FileCheck %s

// Entries and their arguments as the caller passes them: a destination for every
// result, symbols where sizes must agree, names where the source gives none.

// CHECK: "schema": 1,
// CHECK-NEXT: "mla": "{{[0-9.]+}}",
// CHECK-NEXT: "abi": 1,
// CHECK-NEXT: "llvm": "22.1.
// CHECK-NEXT: "entries": [
// CHECK: "name": "named",
// CHECK-NEXT: "workspace": {
// CHECK-NEXT: "bytes": 0,
// CHECK-NEXT: "formula": "0"
// CHECK: "name": "o",
// CHECK-NEXT: "role": "input",
// CHECK-NEXT: "dtype": "bf16",
// CHECK-NEXT: "shape": [
// CHECK-NEXT: "T",
// CHECK-NEXT: 2,
// CHECK-NEXT: 512
// CHECK: "name": "w",
// CHECK-NEXT: "role": "constant",
// CHECK: "name": "result",
// CHECK-NEXT: "role": "output",
// CHECK-NEXT: "dtype": "bf16",
// CHECK-NEXT: "shape": [
// CHECK-NEXT: "T",
// CHECK-NEXT: 2,
// CHECK-NEXT: 128
func.func @named(
    %o: tensor<?x2x512xbf16> {mla.name = "o", mla.role = "input", mla.dims = ["T", "", ""]},
    %w: tensor<2x128x512xbf16> {mla.name = "w", mla.role = "constant"},
    %out: tensor<?x2x128xbf16> {mla.name = "result", mla.role = "output", mla.dims = ["T", "", ""]})
    -> tensor<?x2x128xbf16> {
  %r = mla.project_v
      ins(o_latent = %o : tensor<?x2x512xbf16>, w_uv = %w : tensor<2x128x512xbf16>)
      outs(out = %out : tensor<?x2x128xbf16>)
  return %r : tensor<?x2x128xbf16>
}

// CHECK: "name": "bare",
// CHECK: "name": "o_latent",
// CHECK-NEXT: "role": "input",
// CHECK-NEXT: "dtype": "f32",
// CHECK-NEXT: "shape": [
// CHECK-NEXT: "T",
// CHECK: "name": "w_uv",
// CHECK-NEXT: "role": "input",
// CHECK: "role": "output",
// CHECK-NOT: "name": "hidden"
func.func @bare(%o: tensor<?x2x512xf32>, %w: tensor<2x128x512xf32>, %n: index)
    -> tensor<?x2x128xf32> {
  %e = tensor.empty(%n) : tensor<?x2x128xf32>
  %r = mla.project_v
      ins(o_latent = %o : tensor<?x2x512xf32>, w_uv = %w : tensor<2x128x512xf32>)
      outs(out = %e : tensor<?x2x128xf32>)
  return %r : tensor<?x2x128xf32>
}

func.func private @hidden(%o: tensor<?x2x512xf32>, %w: tensor<2x128x512xf32>,
                          %e: tensor<?x2x128xf32>) -> tensor<?x2x128xf32> {
  %r = mla.project_v
      ins(o_latent = %o : tensor<?x2x512xf32>, w_uv = %w : tensor<2x128x512xf32>)
      outs(out = %e : tensor<?x2x128xf32>)
  return %r : tensor<?x2x128xf32>
}

// CHECK: "name": "caller",
// CHECK-COUNT-2: "role": "input",
// CHECK: "role": "output",
func.func @caller(%o: tensor<?x2x512xf32>, %w: tensor<2x128x512xf32>,
                  %e: tensor<?x2x128xf32>) -> tensor<?x2x128xf32> {
  %r = call @hidden(%o, %w, %e)
      : (tensor<?x2x512xf32>, tensor<2x128x512xf32>, tensor<?x2x128xf32>)
      -> tensor<?x2x128xf32>
  return %r : tensor<?x2x128xf32>
}

// Intermediates take workspace: a number where sizes are known, else an expression.
// CHECK: "name": "known",
// CHECK-NEXT: "workspace": {
// CHECK-NEXT: "bytes": 512,
// CHECK-NEXT: "formula": "512"
func.func @known(%x: tensor<3x64xbf16>, %table: tensor<9x64xf32>, %p: tensor<3xi64>,
                 %out: tensor<3x64xbf16>) -> tensor<3x64xbf16> {
  %e = tensor.empty() : tensor<3x64xbf16>
  %copy = mla.rope ins(x = %x : tensor<3x64xbf16>, cos_sin = %table : tensor<9x64xf32>,
                        positions = %p : tensor<3xi64>) outs(y = %e : tensor<3x64xbf16>)
      {rope = #mla.rope<half, head_dim = 64>}
  %r = mla.rope ins(x = %copy : tensor<3x64xbf16>, cos_sin = %table : tensor<9x64xf32>,
                     positions = %p : tensor<3xi64>) outs(y = %out : tensor<3x64xbf16>)
      {rope = #mla.rope<half, head_dim = 64>}
  return %r : tensor<3x64xbf16>
}

// CHECK: "name": "unknown",
// CHECK-NEXT: "workspace": {
// CHECK-NEXT: "bytes": null,
// CHECK-NEXT: "formula": "((T*128 + 255) // 256)*256"
func.func @unknown(%x: tensor<?x64xbf16> {mla.dims = ["T", ""]}, %table: tensor<9x64xf32>,
                   %p: tensor<?xi64>, %out: tensor<?x64xbf16> {mla.dims = ["T", ""]}) -> tensor<?x64xbf16> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x64xbf16>
  %e = tensor.empty(%t) : tensor<?x64xbf16>
  %copy = mla.rope ins(x = %x : tensor<?x64xbf16>, cos_sin = %table : tensor<9x64xf32>,
                        positions = %p : tensor<?xi64>) outs(y = %e : tensor<?x64xbf16>)
      {rope = #mla.rope<half, head_dim = 64>}
  %r = mla.rope ins(x = %copy : tensor<?x64xbf16>, cos_sin = %table : tensor<9x64xf32>,
                     positions = %p : tensor<?xi64>) outs(y = %out : tensor<?x64xbf16>)
      {rope = #mla.rope<half, head_dim = 64>}
  return %r : tensor<?x64xbf16>
}

// CHECK: "passes": [
// CHECK: "mla-prepare-entries"
// CHECK: "mla-decompose{{.*}}",
// CHECK: "one-shot-bufferize{{.*}}",
// CHECK: "convert-mla-to-runtime"
// CHECK: "notes": []
