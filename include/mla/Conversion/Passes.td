//===- Passes.td - Conversion passes -----------------------*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_CONVERSION_PASSES_TD
#define MLA_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def MLAThreadContext : Pass<"mla-thread-context", "::mlir::ModuleOp"> {
  let summary = "Hands the runtime's context to every function that needs it";
  let description = [{
    A function needs the context when it, or a function that it calls, holds an
    operation that becomes a call of the runtime: an mla operation, an
    allocation, a copy or a fill of a buffer. Such a function gets a first
    argument `!llvm.ptr {mla.context}`, and its calls pass it on. One marked
    `{mla.host}` keeps its signature and asks the runtime for the calling
    thread's context instead.

    Before:

    ```mlir
    func.func @f(%x: memref<?x64xf32>, %y: memref<?x64xf32>) {
      mla.rope ins(x = %x : memref<?x64xf32>) outs(y = %y : memref<?x64xf32>)
      return
    }
    func.func private @shape(%x: memref<?x64xf32>) -> index {
      %zero = arith.constant 0 : index
      %t = memref.dim %x, %zero : memref<?x64xf32>
      return %t : index
    }
    ```

    After:

    ```mlir
    func.func @f(%ctx: !llvm.ptr {mla.context},
                 %x: memref<?x64xf32>, %y: memref<?x64xf32>) {
      mla.rope ins(x = %x : memref<?x64xf32>) outs(y = %y : memref<?x64xf32>)
      return
    }
    func.func private @shape(%x: memref<?x64xf32>) -> index {
      %zero = arith.constant 0 : index
      %t = memref.dim %x, %zero : memref<?x64xf32>
      return %t : index
    }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def ConvertMLAToRuntime : Pass<"convert-mla-to-runtime", "::mlir::ModuleOp"> {
  let summary = "Operations on buffers become calls of the runtime's C ABI";
  let description = [{
    Expects bufferized functions with contexts (`mla-thread-context`). Every mla
    operation becomes one call of the runtime function of its name, its operands
    and attributes the fields of that name (`mla_runtime/ops.def`). Allocations
    come from the context's arena; copies (`linalg.copy`, too, which
    converts, and `linalg.broadcast`, as a copy of a view with strides of 0) and fills
    become `mla_copy` and `mla_fill`. A public function becomes an entry of the ABI,

        mla_status NAME(mla_context *ctx, const mla_tensor *args, int64_t n)

    around its private body `NAME.body`. The entry's arguments are passed on as
    addresses of the `mla_tensor`s that it got: to the body, by that to functions of
    the module, unless a caller of one has another memref to pass, and to the
    runtime.

    Then a legality check: outside functions marked `{mla.host}` only shape
    arithmetic, views, control flow on host scalars and calls may remain, since
    buffers may be device memory.

    Before:

    ```mlir
    func.func @f(%ctx: !llvm.ptr {mla.context},
                 %x: memref<?x64xf32> {mla.name = "x", mla.role = "input"},
                 %y: memref<?x64xf32> {mla.name = "y", mla.role = "output"}) {
      mla.rope ins(x = %x : memref<?x64xf32>) outs(y = %y : memref<?x64xf32>)
      return
    }
    ```

    After, in part, the entry and its body:

    ```text
      func.func @f(%arg0: !llvm.ptr, %arg1: !llvm.ptr, %arg2: i64) -> i32 {
        ...
        %3 = llvm.call @mla_begin(%arg0, %0, %1, %2, %arg1, %arg2) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, !llvm.ptr, i64) -> i32
        ...
        %6 = llvm.getelementptr %arg1[0] : (!llvm.ptr) -> !llvm.ptr, i8
        %7 = llvm.getelementptr %arg1[152] : (!llvm.ptr) -> !llvm.ptr, i8
        call @f.body(%arg0, %6, %7) : (!llvm.ptr, !llvm.ptr, !llvm.ptr) -> ()
        %8 = llvm.call @mla_end(%arg0) : (!llvm.ptr) -> i32
        return %8 : i32
      }
      func.func private @f.body(%arg0: !llvm.ptr, %arg1: !llvm.ptr, %arg2: !llvm.ptr) attributes {llvm.linkage = #llvm.linkage<internal>} {
        ...
        %10 = llvm.call @mla_rope(%arg0, %1) : (!llvm.ptr, !llvm.ptr) -> i32
        return
      }
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"
  ];
}

def ConvertCustomCallToMLA
    : Pass<"convert-custom-call-to-mla", "::mlir::ModuleOp"> {
  let summary = "Calls of known names become operations of mla";
  let description = [{
    A call of `mla.NAME`, or of another system's operator that docs/custom-calls.md
    lists, becomes the mla operations that compute the same. A call is a `func.call`
    of a declaration, or a `stablehlo.custom_call`, `stablehlo.composite` or
    `torch.operator` in the generic form, which needs neither dialect, but
    `--allow-unregistered-dialect`.

    Every such call gets a remark: what it became, and what is rounded differently
    than by its callee; or which precondition failed, and then it stays as it is.
    An absent rotary table becomes an operation without a rope. Other calls aren't
    touched.

    Before:

    ```mlir
    func.func private @mla.rope(tensor<?x64xbf16>, tensor<?x64xf32>, tensor<?xi64>,
                                tensor<?x64xbf16>) -> tensor<?x64xbf16>
    func.func @f(%x: tensor<?x64xbf16>, %table: tensor<?x64xf32>,
                 %p: tensor<?xi64>, %y: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
      %r = call @mla.rope(%x, %table, %p, %y)
          {operands = ["x", "cos_sin", "positions", "y"],
           rope = "#mla.rope<interleaved, head_dim = 64>"}
          : (tensor<?x64xbf16>, tensor<?x64xf32>, tensor<?xi64>, tensor<?x64xbf16>)
          -> tensor<?x64xbf16>
      return %r : tensor<?x64xbf16>
    }
    ```

    After:

    ```mlir
    func.func @f(%x: tensor<?x64xbf16>, %table: tensor<?x64xf32>,
                 %p: tensor<?xi64>, %y: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
      %r = mla.rope
          ins(x = %x : tensor<?x64xbf16>, cos_sin = %table : tensor<?x64xf32>,
              positions = %p : tensor<?xi64>)
          outs(y = %y : tensor<?x64xbf16>) {rope = #mla.rope<interleaved, head_dim = 64>}
      return %r : tensor<?x64xbf16>
    }
    ```
  }];
  let options = [
    Option<"exact", "exact", "bool", /*default=*/"false",
           "Leave a call whose callee's bits differ from those of mla">,
  ];
  let dependentDialects = [
    "::mla::MLADialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
}

#endif // MLA_CONVERSION_PASSES_TD
