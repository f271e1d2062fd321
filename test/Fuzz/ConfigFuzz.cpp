//===- ConfigFuzz.cpp - Random config.json files --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A config is refused with a sentence, or gives a module that verifies, in
// every type and with every cache, and a finite rotary table where it rotates.
// The input's last byte picks the options.
//
//===----------------------------------------------------------------------===//

#include "CompilerSanitizers.h"
#include "FuzzTarget.h"

#include "mla/Import/AttentionCore.h"
#include "mla/Import/ModelConfig.h"
#include "mla/Import/RopeTable.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

#include <cmath>

using namespace mlir;
using namespace mla;

static void buildCore(const AttentionCoreSpec &spec, unsigned choice) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<MLADialect, func::FuncDialect>();
  AttentionCoreOptions options;
  options.dtypes = {static_cast<CoreDtype>(choice % 3)};
  options.caches = {static_cast<CacheFormat>(choice / 3 % 4)};
  if (options.caches.front() == CacheFormat::FP8Block &&
      spec.kvLoraRank % 128 != 0)
    options.caches = {CacheFormat::FP8};
  options.pageSizes = {1 + choice % 5};
  options.hints = choice & 16;
  options.dropDeadRope = choice & 32;
  if (choice & 64)
    options.phases = {Phase::Context, Phase::Generation};
  std::string diagnostics;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    diagnostics += diagnostic.str() + "\n";
    return success();
  });
  OwningOpRef<ModuleOp> module = buildAttentionCore(&context, spec, options);
  fuzz::require(module && succeeded(verify(*module)), "a module that verifies",
                diagnostics);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  unsigned choice = size ? data[size - 1] : 0;
  llvm::StringRef text(reinterpret_cast<const char *>(data),
                       size ? size - 1 : 0);
  llvm::Expected<AttentionCoreSpec> spec = readModelConfig(text, "config");
  if (!spec) {
    fuzz::requireSentence(llvm::toString(spec.takeError()), "config");
    return 0;
  }
  fuzz::require(spec->numHeads > 0 && spec->kvLoraRank > 0 &&
                    spec->qkNopeHeadDim > 0 && spec->qkRopeHeadDim >= 0 &&
                    spec->vHeadDim > 0,
                "positive sizes", spec->model);
  fuzz::require(std::isfinite(spec->softmaxScale) && spec->softmaxScale > 0,
                "a finite positive softmax_scale", spec->model);
  buildCore(*spec, choice);
  if (spec->hasLiveRope() && spec->qkRopeHeadDim <= 4096)
    for (float value : computeRopeTable(*spec, 3))
      fuzz::require(std::isfinite(value), "a finite rotary table",
                    std::to_string(value));
  return 0;
}
