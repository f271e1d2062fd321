//===- Pipelines.cpp - Appends the project's pipelines --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Pipelines/Pipelines.h"

#include "PipelineOptions.h"

#include "mlir/CAPI/Pass.h"
#include "mlir/CAPI/Support.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace mla;

llvm::Expected<MlaPipelineOptions>
mla::checkPipelineOptions(const MlaPipelineOptions *options) {
  if (!options)
    return mlaPipelineOptionsGetDefault();
  StringRef form = unwrap(options->form);
  int64_t length = options->chunkLength;
  if (form != "absorbed" && form != "expanded" && form != "auto")
    return llvm::createStringError(
        "form: expected absorbed, expanded or auto, got '" + form + "'");
  if (length < -1 || length > INT32_MAX)
    return llvm::createStringError("chunkLength: expected -1 to " +
                                   Twine(INT32_MAX) + ", got " + Twine(length));
  if (length >= 0 && form == "absorbed")
    return llvm::createStringError(
        "chunkLength: expected the form expanded or auto with it, got "
        "'absorbed'");
  return *options;
}

MlirLogicalResult mla::reportError(llvm::Error error,
                                   MlirStringCallback onError, void *userData) {
  std::string text = llvm::toString(std::move(error));
  if (onError)
    onError(wrap(StringRef(text)), userData);
  return mlirLogicalResultFailure();
}

MlaPipelineOptions mlaPipelineOptionsGetDefault(void) {
  return {mlirStringRefCreateFromCString("absorbed"), /*chunkLength=*/-1};
}

static MlirLogicalResult
addPipeline(MlirOpPassManager passManager, const MlaPipelineOptions *options,
            MlirStringCallback onError, void *userData,
            void (*build)(OpPassManager &, const MLAToLLVMOptions &)) {
  llvm::Expected<MlaPipelineOptions> checked = checkPipelineOptions(options);
  if (!checked)
    return reportError(checked.takeError(), onError, userData);
  OpPassManager &passes = *unwrap(passManager);
  // Appending would end the process.
  if (std::optional<StringRef> anchor = passes.getOpName();
      anchor && *anchor != ModuleOp::getOperationName())
    return reportError(
        llvm::createStringError(
            "pass manager: expected one of builtin.module, got one of " +
            *anchor),
        onError, userData);
  MLAToLLVMOptions pipeline;
  pipeline.form = unwrap(checked->form).str();
  pipeline.chunkLength = checked->chunkLength;
  build(passes, pipeline);
  return mlirLogicalResultSuccess();
}

MlirLogicalResult mlaOpPassManagerAddBufferizePipeline(
    MlirOpPassManager passManager, const MlaPipelineOptions *options,
    MlirStringCallback onError, void *userData) {
  return addPipeline(passManager, options, onError, userData,
                     buildMLABufferizePipeline);
}

MlirLogicalResult
mlaOpPassManagerAddToLLVMPipeline(MlirOpPassManager passManager,
                                  const MlaPipelineOptions *options,
                                  MlirStringCallback onError, void *userData) {
  return addPipeline(passManager, options, onError, userData,
                     buildMLAToLLVMPipeline);
}
