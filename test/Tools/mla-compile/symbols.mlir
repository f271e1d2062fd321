// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a compiled module shows and what it asks for: its entries, the manifest,
// the table of entries and the ABI's version; the runtime's functions.

// RUN: mla-compile %s -o %t.so
// RUN: llvm-nm -D --defined-only --format=just-symbols %t.so | sort | FileCheck %s --check-prefix=DEFINED
// RUN: llvm-nm -D --undefined-only --format=just-symbols %t.so | FileCheck %s --check-prefix=UNDEFINED

// DEFINED-NOT: {{.}}
// DEFINED: first
// DEFINED-NEXT: mla_manifest
// DEFINED-NEXT: mla_module_abi
// DEFINED-NEXT: mla_module_entries
// DEFINED-NEXT: second
// DEFINED-NOT: {{.}}

// UNDEFINED-DAG: mla_begin
// UNDEFINED-DAG: mla_end
// UNDEFINED-DAG: mla_project_v

// The same module gives the same bytes, whatever the output is called.
// RUN: mla-compile %s -o %t.again.so
// RUN: cmp %t.so %t.again.so
// RUN: mla-compile - < %s -o - | cmp - %t.so

// RUN: mla-compile %s --emit=obj -o %t.o
// RUN: llvm-nm --defined-only --extern-only --format=just-symbols %t.o | sort | FileCheck %s --check-prefix=DEFINED

// Text goes to stdout where no file is named.
// RUN: mla-compile %s --emit=llvm | FileCheck %s --check-prefix=LLVM
// LLVM-DAG: @mla_manifest = constant [{{[0-9]+}} x i8] c"{\22schema\22:1,{{.*}}}\00"
// LLVM-DAG: @mla_module_abi = constant i32 1
// LLVM-DAG: @mla_module_entries = constant [3 x { ptr, ptr, i64 }] [{{{.*}} { ptr @first.name, ptr @first.args, i64 3 }, {{.*}} { ptr @second.name, ptr @second.args, i64 3 }, {{.*}} zeroinitializer], align 8
// LLVM-DAG: define {{.*}}i32 @first(ptr
// LLVM-DAG: declare {{.*}}@mla_project_v(ptr

// RUN: mla-compile %s --emit=mlir | FileCheck %s --check-prefix=MLIR
// MLIR-DAG: llvm.mlir.global external constant @mla_manifest("{\22schema\22:1,
// MLIR-DAG: llvm.func @first(
// MLIR-DAG: llvm.func internal @first.body(
// MLIR-NOT: mla.project_v

func.func @first(%o: tensor<?x2x512xf32>, %w: tensor<2x128x512xf32>,
                 %out: tensor<?x2x128xf32>) -> tensor<?x2x128xf32> {
  %r = mla.project_v
      ins(o_latent = %o : tensor<?x2x512xf32>, w_uv = %w : tensor<2x128x512xf32>)
      outs(out = %out : tensor<?x2x128xf32>)
  return %r : tensor<?x2x128xf32>
}

func.func @second(%o: tensor<?x2x512xf32>, %w: tensor<2x128x512xf32>,
                  %out: tensor<?x2x128xf32>) -> tensor<?x2x128xf32> {
  %r = call @first(%o, %w, %out)
      : (tensor<?x2x512xf32>, tensor<2x128x512xf32>, tensor<?x2x128xf32>)
      -> tensor<?x2x128xf32>
  return %r : tensor<?x2x128xf32>
}
