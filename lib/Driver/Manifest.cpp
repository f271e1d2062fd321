//===- Manifest.cpp - What a compiled module says about itself ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Driver/Manifest.h"

#include "mla/IR/MLADialect.h"
#include "mla_runtime/runtime.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mla;

namespace {

constexpr int64_t kSchema = 1;

std::string spell(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// The symbol of dynamic dimension `dim`, "?" where the function gives none.
std::string getSymbol(ArrayAttr dims, size_t dim) {
  StringAttr symbol = MLADialect::getSizeName(dims, dim);
  return symbol ? symbol.str() : "?";
}

LogicalResult describeArgument(func::FuncOp function, unsigned index,
                               ManifestArgument &argument) {
  auto name =
      function.getArgAttrOfType<StringAttr>(index, MLADialect::kNameAttr);
  auto role =
      function.getArgAttrOfType<StringAttr>(index, MLADialect::kRoleAttr);
  if (!name || !role)
    return function.emitError("argument ")
           << index
           << ": expected mla.name and mla.role from mla-prepare-entries, got "
           << (name ? "no role" : "no name");
  argument.name = name.str();
  argument.role = role.str();

  Type type = function.getArgumentTypes()[index];
  // A host scalar crosses the ABI as an i64 of rank 0.
  if (type.isIndex()) {
    argument.dtype = "i64";
    return success();
  }
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank())
    return function.emitError("argument ")
           << index << " (" << name.getValue()
           << "): expected a ranked tensor, a memref or an index, got " << type;
  argument.dtype = spell(shaped.getElementType());
  auto dims =
      function.getArgAttrOfType<ArrayAttr>(index, MLADialect::kDimsAttr);
  for (auto [dim, size] : llvm::enumerate(shaped.getShape()))
    argument.shape.push_back(ShapedType::isDynamic(size)
                                 ? ManifestDim{0, getSymbol(dims, dim)}
                                 : ManifestDim{size, ""});
  return success();
}

void print(llvm::json::OStream &json, const ManifestArgument &argument) {
  json.object([&] {
    json.attribute("name", argument.name);
    json.attribute("role", argument.role);
    json.attribute("dtype", argument.dtype);
    json.attributeArray("shape", [&] {
      for (const ManifestDim &dim : argument.shape)
        if (dim.symbol.empty())
          json.value(dim.size);
        else
          json.value(dim.symbol);
    });
  });
}

void print(llvm::json::OStream &json, const ManifestEntry &entry) {
  json.object([&] {
    json.attribute("name", entry.name);
    json.attributeObject("workspace", [&] {
      int64_t bytes;
      if (StringRef(entry.workspace).getAsInteger(10, bytes))
        // Depends on the dynamic sizes.
        json.attribute("bytes", nullptr);
      else
        json.attribute("bytes", bytes);
      if (!entry.workspace.empty())
        json.attribute("formula", entry.workspace);
    });
    json.attributeArray("args", [&] {
      for (const ManifestArgument &argument : entry.arguments)
        print(json, argument);
    });
  });
}

} // namespace

LogicalResult mla::describeEntries(ModuleOp module,
                                   SmallVectorImpl<ManifestEntry> &entries) {
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isPrivate() || function.isDeclaration() ||
        function->hasAttr(MLADialect::kHostAttr))
      continue;
    ManifestEntry &entry = entries.emplace_back();
    entry.name = function.getName().str();
    // The runtime's functions and a module's own constants are called so, and
    // the loader's (_init, _DYNAMIC).
    if (function.getName().starts_with("mla_") ||
        function.getName().starts_with("_"))
      return function.emitError("expected an entry's name that doesn't start "
                                "with mla_ or _, got '")
             << function.getName() << "'";
    for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
      if (failed(describeArgument(function, i, entry.arguments.emplace_back())))
        return failure();
  }
  if (!entries.empty())
    return success();
  bool isLowered = llvm::any_of(
      module.getOps<LLVM::LLVMFuncOp>(),
      [](LLVM::LLVMFuncOp function) { return !function.isExternal(); });
  return module.emitError("expected a public function with a body, without "
                          "mla.host, to be an entry, got ")
         << (isLowered
                 ? "functions that are lowered to the llvm dialect already"
                 : "none");
}

std::string mla::printManifest(const Manifest &manifest, unsigned indent) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, indent);
  json.object([&] {
    json.attribute("schema", kSchema);
    json.attribute("mla", MLA_VERSION_STRING);
    json.attribute("abi", MLA_ABI_VERSION);
    json.attribute("llvm", LLVM_VERSION_STRING);
    json.attributeArray("entries", [&] {
      for (const ManifestEntry &entry : manifest.entries)
        print(json, entry);
    });
    json.attributeArray("passes", [&] {
      for (const std::string &pass : manifest.passes)
        json.value(pass);
    });
    json.attributeArray("notes", [&] {
      for (const std::string &note : manifest.notes)
        json.value(note);
    });
  });
  json.flush();
  return text;
}
