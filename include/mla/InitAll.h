//===- InitAll.h - Registers all of the project with MLIR -------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_INITALL_H
#define MLA_INITALL_H

#include "mla/Conversion/Passes.h"
#include "mla/IR/Interfaces/BufferizableOpInterfaceImpl.h"
#include "mla/IR/MLADialect.h"
#include "mla/Pipelines/Pipelines.h"
#include "mla/Transforms/Passes.h"

namespace mla {

/// The dialect and what other dialects' passes need to know of it.
inline void registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<MLADialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
}

/// All passes and pipelines, by their names in mla-opt.
inline void registerAllPasses() {
  registerMLATransformsPasses();
  registerMLAConversionPasses();
  registerPipelines();
}

} // namespace mla

#endif // MLA_INITALL_H
