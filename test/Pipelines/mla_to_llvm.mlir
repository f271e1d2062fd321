// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The pipelines as text: their order is what the design depends on.

// RUN: mla-opt %s --mla-to-llvm --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s

// CHECK:      builtin.module(
// CHECK-NEXT:   canonicalize{
// CHECK-NEXT:   mla-prepare-entries
// CHECK-NEXT:   mla-decompose{chunk-length=-1 form=absorbed granularity=fused}
// CHECK-NEXT:   canonicalize{
// CHECK:        mla-outline-layers{max-layers=8}
// CHECK-NEXT:   mla-buffer-entries
// CHECK-NEXT:   eliminate-empty-tensors
// CHECK-NEXT:   empty-tensor-to-alloc-tensor
// CHECK-NEXT:   cse
// CHECK-NEXT:   one-shot-bufferize{{.*}}bufferize-function-boundaries=true
// CHECK-NEXT:   cse
// CHECK-NEXT:   canonicalize{
// CHECK-NEXT:   mla-verify-inplace
// CHECK-NEXT:   mla-finalize-entries
// CHECK-NEXT:   drop-equivalent-buffer-results
// CHECK-NEXT:   canonicalize
// CHECK-NEXT:   mla-plan-workspace{poison-dead=false}
// CHECK-NEXT:   mla-thread-context
// CHECK-NEXT:   convert-mla-to-runtime
// CHECK-NEXT:   expand-strided-metadata
// CHECK-NEXT:   lower-affine
// CHECK-NEXT:   canonicalize{
// CHECK-NEXT:   cse
// CHECK-NEXT:   convert-scf-to-cf
// CHECK-NEXT:   convert-to-llvm
// CHECK-NEXT:   reconcile-unrealized-casts
// CHECK-NEXT:   canonicalize{
// CHECK-NEXT:   cse
// CHECK-NEXT: )
