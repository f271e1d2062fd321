//===- CustomCallToMLA.cpp - convert-custom-call-to-mla -------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Site.h"
#include "mla/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mla {
#define GEN_PASS_DEF_CONVERTCUSTOMCALLTOMLA
#include "mla/Conversion/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;
using namespace mla::customcall;

namespace {

/// The callees that aren't ours, by each of their names.
class Registry {
public:
  Registry() {
    for (ArrayRef<Schema> family :
         {getVLLMSchemas(), getAiterSchemas(), getTensorRTLLMSchemas()})
      for (const Schema &schema : family)
        for (StringRef name : schema.names)
          schemas[name] = &schema;
  }
  const Schema *find(const Site &site) const {
    const Schema *schema = schemas.lookup(site.getName());
    return schema ? schema : schemas.lookup(site.getBaseName());
  }

private:
  llvm::StringMap<const Schema *> schemas;
};

struct ConvertCustomCallToMLA
    : public mla::impl::ConvertCustomCallToMLABase<ConvertCustomCallToMLA> {
  using ConvertCustomCallToMLABase::ConvertCustomCallToMLABase;

  void runOnOperation() override {
    Registry registry;
    SymbolTableCollection symbols;
    SmallVector<std::unique_ptr<Site>> sites;
    getOperation()->walk([&](Operation *op) {
      if (std::unique_ptr<Site> site = Site::get(op))
        if (site->getName().starts_with("mla.") || registry.find(*site))
          sites.push_back(std::move(site));
    });

    llvm::SetVector<func::FuncOp> callees;
    for (std::unique_ptr<Site> &site : sites) {
      if (auto call = dyn_cast<func::CallOp>(site->getOperation())) {
        auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(
            call, call.getCalleeAttr());
        if (callee && !callee.isExternal())
          site->refuse("callee", "expected a declaration, got a function with "
                                 "a body");
        else if (callee)
          callees.insert(callee);
      }
      if (!site->isRefused())
        convert(*site, registry);
      site->finish(getArgument(), exact);
    }
    // A declaration that nobody calls any more was part of its calls.
    SymbolUserMap users(symbols, getOperation());
    for (func::FuncOp callee : callees)
      if (callee.isPrivate() && users.useEmpty(callee))
        callee.erase();
  }

  static void convert(Site &site, const Registry &registry) {
    const Schema *schema = registry.find(site);
    if (!schema)
      return convertOwn(site);
    site.bind(schema->arguments);
    if (!site.isRefused())
      schema->convert(site);
  }
};

} // namespace
