//===- PrepareEntries.cpp - mla-prepare-entries ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/DimSolver.h"
#include "mla/IR/MLAOps.h"
#include "mla/Transforms/Entries.h"
#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "llvm/ADT/StringMap.h"

namespace mla {
#define GEN_PASS_DEF_MLAPREPAREENTRIES
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;
using bufferization::BufferizationDialect;

namespace {

/// Names of one entry's arguments, unique.
class Names {
public:
  /// False where it is taken.
  bool reserve(StringRef name) { return counts.try_emplace(name, 0).second; }
  /// `name`, or with a number appended where that is taken.
  std::string make(StringRef name) {
    while (true) {
      auto [it, isNew] = counts.try_emplace(name, 0);
      if (isNew)
        return name.str();
      std::string numbered = (name + "_" + Twine(++it->second)).str();
      if (counts.try_emplace(numbered, 0).second)
        return numbered;
    }
  }

private:
  llvm::StringMap<unsigned> counts;
};

class EntryPreparation {
public:
  EntryPreparation(func::FuncOp entry, DestinationFlow &flow, bool isCalled)
      : entry(entry), flow(flow), isCalled(isCalled),
        builder(entry.getContext()) {}

  LogicalResult run();

private:
  StringAttr getStated(BlockArgument argument, StringRef attribute) {
    return entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                              attribute);
  }
  LogicalResult collectNames();
  LogicalResult addDestinations();
  /// The entry's mla operation, null where it has none or several: symbols have
  /// one size in an operation, and two operations may differ.
  MLAOpInterface getOnlyOp();
  /// The names of the sizes of `argument`, as `only` calls them; null where it
  /// is neither an operand nor a result of that.
  ArrayAttr getDims(BlockArgument argument, MLAOpInterface only);
  void setArgumentAttributes();
  std::string getRole(BlockArgument argument, bool isDestination);

  func::FuncOp entry;
  DestinationFlow &flow;
  bool isCalled;
  Builder builder;
  Names names;
  /// The names of arguments that don't state one.
  SmallVector<std::string> given;
};

} // namespace

LogicalResult EntryPreparation::collectNames() {
  for (BlockArgument argument : entry.getArguments())
    if (StringAttr name = getStated(argument, MLADialect::kNameAttr);
        name && !names.reserve(name))
      return entry.emitOpError("mla-prepare-entries: mla.name of argument #")
             << argument.getArgNumber()
             << ": expected a name that no other argument has, got " << name;
  given.resize(entry.getNumArguments());
  entry.walk([&](MLAOpInterface op) {
    for (auto [index, spec] : llvm::enumerate(op.getOperandSpecs())) {
      auto argument = dyn_cast_or_null<BlockArgument>(op.getSpecOperand(index));
      if (!argument || argument.getOwner() != &entry.getBody().front() ||
          getStated(argument, MLADialect::kNameAttr))
        continue;
      std::string &name = given[argument.getArgNumber()];
      if (name.empty())
        name = names.make(spec.name);
    }
  });
  for (auto [index, argument] : llvm::enumerate(entry.getArguments()))
    if (given[index].empty() && !getStated(argument, MLADialect::kNameAttr))
      given[index] = names.make(("arg" + Twine(index)).str());
  return success();
}

/// What the operation that made `result` calls it.
static StringRef getResultName(Value result) {
  if (auto op = result.getDefiningOp<MLAOpInterface>())
    for (const OperandSpec &spec : op.getOperandSpecs())
      if (spec.isInit && op.getNamedResult(spec.name) == result)
        return spec.name;
  return "result";
}

LogicalResult EntryPreparation::addDestinations() {
  auto terminator =
      cast<func::ReturnOp>(entry.getBody().front().getTerminator());
  for (OpOperand &returned : terminator->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(returned.get().getType());
    if (!type)
      continue;
    BlockArgument root = flow.getRoot(returned.get());
    if (root && (root == returned.get() || !isReadOnly(root)))
      continue;
    if (isCalled)
      return entry.emitOpError("mla-prepare-entries: result ")
             << returned.getOperandNumber()
             << ": expected it to flow from an argument, because the module "
                "calls the function";
    Value destination =
        entry.getBody().addArgument(type, returned.get().getLoc());
    given.push_back(names.make(getResultName(returned.get())));
    // Right behind the value, so that it stays with its layer.
    OpBuilder insertion(terminator);
    insertion.setInsertionPointAfterValue(returned.get());
    returned.set(
        bufferization::MaterializeInDestinationOp::create(
            insertion, returned.get().getLoc(), returned.get(), destination)
            .getResult());
  }
  return success();
}

std::string EntryPreparation::getRole(BlockArgument argument,
                                      bool isDestination) {
  if (!isa<ShapedType>(argument.getType()))
    return "scalar";
  if (!isDestination)
    return "input";
  return flow.isOverwritten(argument) ? "output" : "inout";
}

MLAOpInterface EntryPreparation::getOnlyOp() {
  MLAOpInterface only;
  WalkResult result = entry.walk([&](MLAOpInterface op) {
    if (only)
      return WalkResult::interrupt();
    only = op;
    return WalkResult::advance();
  });
  return result.wasInterrupted() ? MLAOpInterface() : only;
}

/// Whether `argument` was added for what `op` writes to its init `spec`.
static bool isDestinationOf(BlockArgument argument, MLAOpInterface op,
                            const OperandSpec &spec) {
  if (!spec.isInit || !argument.hasOneUse())
    return false;
  auto materialize = dyn_cast<bufferization::MaterializeInDestinationOp>(
      *argument.user_begin());
  return materialize && materialize.getSource() == op.getNamedResult(spec.name);
}

ArrayAttr EntryPreparation::getDims(BlockArgument argument,
                                    MLAOpInterface only) {
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (!only || !type)
    return {};
  for (auto [index, spec] : llvm::enumerate(only.getOperandSpecs())) {
    if (only.getSpecOperand(index) != argument &&
        !isDestinationOf(argument, only, spec))
      continue;
    auto symbols = expandDims(spec.dims, type.getRank());
    if (failed(symbols))
      continue;
    SmallVector<StringRef> dims;
    for (auto [name, size] : llvm::zip_equal(*symbols, type.getShape())) {
      StringRef symbol = name;
      // A size of its own, or one more than another: "B+1". Other sums are
      // static.
      bool isName = !symbol.contains('+') || symbol.ends_with("+1");
      dims.push_back(ShapedType::isDynamic(size) && isName ? symbol : "");
    }
    return builder.getStrArrayAttr(dims);
  }
  return {};
}

void EntryPreparation::setArgumentAttributes() {
  size_t numStated = entry.getNumArguments();
  SmallVector<DictionaryAttr> stated;
  entry.getAllArgAttrs(stated);
  Block &body = entry.getBody().front();
  entry.setFunctionType(
      builder.getFunctionType(body.getArgumentTypes(), entry.getResultTypes()));

  MLAOpInterface only = getOnlyOp();
  SmallVector<DictionaryAttr> all;
  for (BlockArgument argument : body.getArguments()) {
    unsigned index = argument.getArgNumber();
    NamedAttrList attributes;
    StringAttr role;
    bool isNew = index >= numStated;
    if (!isNew && index < stated.size() && stated[index]) {
      attributes = NamedAttrList(stated[index]);
      role = stated[index].getAs<StringAttr>(MLADialect::kRoleAttr);
    }
    bool isDestination = isNew || (role ? role == "output" || role == "inout"
                                        : flow.isDestination(argument));
    if (!role)
      attributes.set(MLADialect::kRoleAttr,
                     builder.getStringAttr(
                         isNew ? "output" : getRole(argument, isDestination)));
    if (!attributes.get(MLADialect::kNameAttr))
      attributes.set(MLADialect::kNameAttr,
                     builder.getStringAttr(given[index]));
    if (!attributes.get(MLADialect::kDimsAttr))
      if (ArrayAttr dims = getDims(argument, only))
        attributes.set(MLADialect::kDimsAttr, dims);
    if (isa<TensorType>(argument.getType()))
      attributes.set(BufferizationDialect::kWritableAttrName,
                     builder.getBoolAttr(isDestination));
    all.push_back(attributes.getDictionary(builder.getContext()));
  }
  entry.setAllArgAttrs(all);
}

LogicalResult EntryPreparation::run() {
  if (!entry.getBody().hasOneBlock())
    return entry.emitOpError("mla-prepare-entries: expected one block");
  if (failed(collectNames()) || failed(addDestinations()))
    return failure();
  setArgumentAttributes();
  return success();
}

namespace {

struct PrepareEntries
    : public mla::impl::MLAPrepareEntriesBase<PrepareEntries> {
  void runOnOperation() override {
    DenseSet<StringAttr> called;
    getOperation()->walk([&](func::CallOp call) {
      called.insert(call.getCalleeAttr().getAttr());
    });
    SymbolTable symbols(getOperation());
    DestinationFlow flow(symbols);
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (isEntry(function) &&
          failed(EntryPreparation(function, flow,
                                  called.contains(function.getSymNameAttr()))
                     .run()))
        return signalPassFailure();
  }
};

} // namespace
