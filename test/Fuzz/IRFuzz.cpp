//===- IRFuzz.cpp - Random operations through the compiler ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The input is the text of operations. Every `%name : type` in it becomes an
// argument of a function, and what the operations write is returned; `%r0#1` is
// the second result of the first one. Operations that parse and verify go
// through
//
//  - canonicalization, which is idempotent;
//  - mla-decompose in every form and granularity, mla-fuse-append and
//    mla-hoist-metadata;
//  - mla-disable-rope;
//  - the pipeline to LLVM.
//
// Each leaves a module that verifies, or fails with a diagnostic.
//
//===----------------------------------------------------------------------===//

#include "CompilerSanitizers.h"
#include "FuzzTarget.h"
#include "IRMutator.h"

#include "mla/InitAll.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

#include <cstring>
#include <memory>
#include <regex>
#include <set>

using namespace mlir;
using namespace mla;

namespace {

/// Registered once; a context a few hundred inputs, since one never forgets a
/// type.
MLIRContext &getContext() {
  static DialectRegistry registry;
  static std::unique_ptr<MLIRContext> context;
  static int uses = 0;
  if (!context) {
    mlir::registerAllDialects(registry);
    registerAllExtensions(registry);
    mla::registerAllDialects(registry);
    registerCanonicalizerPass();
    mla::registerAllPasses();
  }
  if (!context || ++uses % 500 == 0)
    context = std::make_unique<MLIRContext>(registry,
                                            MLIRContext::Threading::DISABLED);
  return *context;
}

/// A function of the operations, or nothing when the text looks like none.
std::string makeFunction(const std::string &text) {
  static const std::regex typed(
      R"((%[A-Za-z_]\w*) : ((?:tensor|memref)<[^<>]*(?:<[^<>]*>)?[^<>]*>|index))");
  static const std::regex word(R"(mla\.([a-z_]+)\s+ins\()");
  std::string arguments, body, results, types;
  std::set<std::string> seen;
  for (std::sregex_iterator it(text.begin(), text.end(), typed), end; it != end;
       ++it)
    if (seen.insert((*it)[1]).second)
      arguments += (arguments.empty() ? "" : ", ") + (*it)[1].str() + ": " +
                   (*it)[2].str();
  // Each operation reaches up to the next one's name.
  std::vector<size_t> starts;
  for (std::sregex_iterator it(text.begin(), text.end(), word), end; it != end;
       ++it)
    starts.push_back(static_cast<size_t>(it->position()));
  if (starts.empty() || starts.size() > 6)
    return "";
  starts.push_back(text.size());
  for (size_t i = 0; i + 1 < starts.size(); ++i) {
    std::string op = text.substr(starts[i], starts[i + 1] - starts[i]);
    std::string outs = op.substr(std::min(op.find("outs("), op.size()));
    static const std::regex anyTyped(
        R"(%\w+(?:#\d+)? : ((?:tensor)<[^<>]*(?:<[^<>]*>)?[^<>]*>))");
    std::string name = "%r" + std::to_string(i);
    int count = 0;
    for (std::sregex_iterator it(outs.begin(), outs.end(), anyTyped), end;
         it != end; ++it, ++count) {
      results +=
          (results.empty() ? "" : ", ") + name + "#" + std::to_string(count);
      types += (types.empty() ? "" : ", ") + (*it)[1].str();
    }
    body += count ? name + ":" + std::to_string(count) + " = " + op : op;
    body += "\n";
  }
  std::string returns = results.empty() ? "" : " -> (" + types + ")";
  return "func.func @f(" + arguments + ")" + returns + " {\n" + body +
         "return " + (results.empty() ? "" : results + " : " + types) + "\n}\n";
}

std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

class Harness {
public:
  Harness(MLIRContext &context, const std::string &source)
      : source(source), handler(&context, [this](Diagnostic &diagnostic) {
          errors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
          return success();
        }) {}

  /// A pipeline on a copy of the module; null when it failed, with a
  /// diagnostic.
  OwningOpRef<ModuleOp> run(ModuleOp module, const char *pipeline) {
    OwningOpRef<ModuleOp> copy = module.clone();
    PassManager pm(module.getContext());
    std::string complaints;
    llvm::raw_string_ostream stream(complaints);
    fuzz::require(succeeded(parsePassPipeline(pipeline, pm, stream)),
                  "a known pipeline", complaints);
    errors = 0;
    if (failed(pm.run(*copy))) {
      fuzz::require(errors > 0, "a diagnostic of what failed",
                    std::string(pipeline) + "\n" + source);
      return nullptr;
    }
    fuzz::require(succeeded(verify(*copy)), "a module that verifies",
                  std::string(pipeline) + "\n" + source);
    return copy;
  }

  OwningOpRef<ModuleOp> parse(MLIRContext &context) {
    errors = 0;
    auto module = parseSourceString<ModuleOp>(source, &context);
    fuzz::require(module || errors > 0, "a diagnostic of what doesn't parse",
                  source);
    return module;
  }

private:
  const std::string &source;
  int errors = 0;
  ScopedDiagnosticHandler handler;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  if (text.find('\0') != text.npos)
    return 0;
  std::string source = makeFunction(text);
  if (source.empty())
    return 0;
  MLIRContext &context = getContext();
  Harness harness(context, source);
  OwningOpRef<ModuleOp> module = harness.parse(context);
  if (!module)
    return 0;

  OwningOpRef<ModuleOp> canonical = harness.run(*module, "canonicalize");
  if (canonical) {
    OwningOpRef<ModuleOp> again = harness.run(*canonical, "canonicalize");
    fuzz::require(again && print(*again) == print(*canonical),
                  "canonicalization to be idempotent", source);
  }
  for (const char *pipeline :
       {"mla-decompose{form=absorbed},canonicalize",
        "mla-decompose{form=expanded chunk-length=16},canonicalize",
        "mla-decompose{form=expanded},canonicalize",
        "mla-decompose{form=auto},canonicalize",
        "mla-decompose{granularity=fine},canonicalize",
        "mla-decompose{granularity=fine},mla-fuse-append,canonicalize",
        "mla-decompose{form=auto},mla-hoist-metadata,canonicalize",
        "mla-fuse-append", "mla-disable-rope{phase=all},canonicalize",
        "mla-disable-rope{phase=generation},canonicalize"})
    harness.run(*module, pipeline);
  // One of the ways down, which one being any function of the input.
  static const char *const pipelines[] = {
      "mla-to-llvm", "mla-to-llvm{form=expanded chunk-length=16}",
      "mla-to-llvm{form=auto}"};
  harness.run(*module, pipelines[size % 3]);
  return 0;
}

// libFuzzer's own changes of single bytes rarely leave anything that parses.
extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize)
    __attribute__((weak));
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  if (seed % 16 == 0 && LLVMFuzzerMutate)
    return LLVMFuzzerMutate(data, size, maxSize);
  std::string text =
      fuzz::mutateIR(std::string(reinterpret_cast<char *>(data), size), seed);
  size = std::min(text.size(), maxSize);
  std::memcpy(data, text.data(), size);
  return size;
}
