//===- Passes.cpp - Creates the project's passes --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla-c/Passes.h"

#include "mla/Conversion/Passes.h"
#include "mla/Transforms/Passes.h"
#include "mlir/CAPI/Pass.h"

using namespace mla;

#include "mla-c/Conversion.capi.cpp.inc"
#include "mla-c/Transforms.capi.cpp.inc"
