//===- PipelineOptions.h - Options of C, checked ----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_LIB_CAPI_PIPELINEOPTIONS_H
#define MLA_LIB_CAPI_PIPELINEOPTIONS_H

#include "mla-c/Pipelines.h"

#include "llvm/Support/Error.h"

namespace mla {

/// The options, or the default ones for null. What mla-decompose would refuse
/// when it runs is an error now, one sentence.
llvm::Expected<MlaPipelineOptions>
checkPipelineOptions(const MlaPipelineOptions *options);

/// Hands the error's sentence to a callback that may be null.
MlirLogicalResult reportError(llvm::Error error, MlirStringCallback onError,
                              void *userData);

} // namespace mla

#endif // MLA_LIB_CAPI_PIPELINEOPTIONS_H
