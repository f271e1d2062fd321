//===- PlanWorkspace.cpp - mla-plan-workspace -----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../CallOrder.h"
#include "FunctionPlanner.h"
#include "mla/IR/MLADialect.h"
#include "mla/Transforms/Entries.h"
#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

namespace mla {
#define GEN_PASS_DEF_MLAPLANWORKSPACE
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;
using namespace mla::detail;

namespace {

struct PlanWorkspace : public mla::impl::MLAPlanWorkspaceBase<PlanWorkspace> {
  using MLAPlanWorkspaceBase::MLAPlanWorkspaceBase;

  void runOnOperation() override;

private:
  /// Functions that are called, and those that something else refers to.
  DenseSet<StringAttr> called, referred;
};

} // namespace

static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

/// The entry's bytes in the manifest's names, nullopt where an argument's name
/// can't be part of an expression.
static std::optional<std::string> printFormula(const Sizes &sizes, Size total,
                                               func::FuncOp entry) {
  llvm::StringSet<> names;
  auto getName = [&](unsigned argument) -> StringRef {
    auto name =
        entry.getArgAttrOfType<StringAttr>(argument, MLADialect::kNameAttr);
    return name ? name.getValue() : StringRef();
  };
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    names.insert(getName(i));
  return sizes.print(
      total, [&](SizeSymbol symbol) -> std::optional<std::string> {
        if (symbol.dim != SizeSymbol::kScalar)
          if (StringAttr dim = MLADialect::getSizeName(
                  entry.getArgAttrOfType<ArrayAttr>(symbol.argument,
                                                    MLADialect::kDimsAttr),
                  symbol.dim);
              dim && isIdentifier(dim) && !names.contains(dim.getValue()))
            return dim.str();
        StringRef name = getName(symbol.argument);
        if (!isIdentifier(name))
          return std::nullopt;
        if (symbol.dim == SizeSymbol::kScalar)
          return name.str();
        return (name + "[" + Twine(symbol.dim) + "]").str();
      });
}

void PlanWorkspace::runOnOperation() {
  ModuleOp module = getOperation();
  if (auto uses = SymbolTable::getSymbolUses(&module.getRegion()))
    for (const SymbolTable::SymbolUse &use : *uses) {
      StringAttr name = use.getSymbolRef().getLeafReference();
      (isa<func::CallOp>(use.getUser()) ? called : referred).insert(name);
    }

  Sizes sizes;
  UseAnalysis analysis;
  DenseMap<StringAttr, FramePlan> plans;
  visitCalleesFirst(module, [&](func::FuncOp function, bool isRecursive) {
    StringAttr name = function.getSymNameAttr();
    if (isRecursive) {
      // Its buffers live once for each call that hasn't returned.
      plans[name] =
          FunctionPlanner(sizes, analysis, plans, function, {}).runApart();
      remark::missed(
          function.getLoc(),
          remark::RemarkOpts::name("own-memory").category(kPlanCategory))
          << "shares no memory: it calls itself";
      return;
    }
    analysis.summarize(function);
    PlanOptions options;
    options.mayPass = function.isPrivate() && called.contains(name) &&
                      !referred.contains(name) &&
                      !function->hasAttr(MLADialect::kHostAttr);
    options.unifiesDims =
        isEntry(function) && !called.contains(name) && !referred.contains(name);
    options.poisonDead = poisonDead;
    FramePlan plan =
        FunctionPlanner(sizes, analysis, plans, function, options).run();
    if (isEntry(function)) {
      if (!plan.allocates)
        if (auto formula = printFormula(
                sizes, plan.total ? plan.total : sizes.constant(0), function))
          function->setAttr(MLADialect::kWorkspaceAttr,
                            StringAttr::get(&getContext(), *formula));
    }
    // What isn't passed by a caller is taken from the arena at every call.
    plan.allocates |= plan.total && !plan.isPassed;
    plans[name] = plan;
  });
  // The rest is called by nobody that counts, but has to pass frames, too.
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && !plans.contains(function.getSymNameAttr()))
      plans[function.getSymNameAttr()] =
          FunctionPlanner(sizes, analysis, plans, function, {}).runApart();
}
