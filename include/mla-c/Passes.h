//===- Passes.h - Creates the project's passes --------------------*- C -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For each pass a function that creates it, to be handed to
// mlirPassManagerAddOwnedPass or mlirOpPassManagerAddOwnedPass, and one that
// makes it known by name:
//
//   mlirCreateMLATransformsMLADecompose, mlirRegisterMLATransformsMLADecompose
//   mlirCreateMLAConversionConvertMLAToRuntime, ...
//
// Passes are created with the options' defaults. With others a pass comes from
// the text of a pipeline, after it was registered:
//
//   mlirOpPassManagerAddPipeline(
//       passes, mlirStringRefCreateFromCString("mla-decompose{form=expanded}"),
//       onError, userData);
//
// mla-disable-rope has an option that must be given: created, it fails.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_C_PASSES_H
#define MLA_C_PASSES_H

#include "mla-c/Conversion.capi.h.inc"
#include "mla-c/Transforms.capi.h.inc"

#endif // MLA_C_PASSES_H
