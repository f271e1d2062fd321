//===- OutlineLayers.cpp - mla-outline-layers -----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/MLAOps.h"
#include "mla/Transforms/Entries.h"
#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace mla {
#define GEN_PASS_DEF_MLAOUTLINELAYERS
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;

namespace {

/// The functions that hold outlined runs, one for all runs that are the same.
class Parts {
public:
  /// An earlier function that does what `part` does, otherwise `part`,
  /// remembered.
  func::FuncOp unique(func::FuncOp part) {
    llvm::hash_code hash = llvm::hash_combine(part.getFunctionType());
    for (Operation &op : part.getBody().front())
      hash = llvm::hash_combine(hash, op.getName(), op.getAttrDictionary());
    for (func::FuncOp earlier : parts[hash])
      if (earlier.getFunctionType() == part.getFunctionType() &&
          OperationEquivalence::isRegionEquivalentTo(
              &earlier.getBody(), &part.getBody(),
              OperationEquivalence::IgnoreLocations))
        return earlier;
    parts[hash].push_back(part);
    return part;
  }

private:
  DenseMap<size_t, SmallVector<func::FuncOp>> parts;
};

/// Moves runs of at most `maxLayers` layers of one function into private
/// functions. A layer is an operation that writes a cache, or a call of a
/// function of the module.
class LayerOutlining {
public:
  LayerOutlining(func::FuncOp function, SymbolTable &symbols, Parts &parts,
                 unsigned maxLayers)
      : function(function), symbols(symbols), parts(parts),
        maxLayers(maxLayers) {}

  void run();

private:
  /// A run of layers with what lies between them, as indices of `ops`.
  struct Run {
    size_t begin, end;
    bool contains(size_t index) const { return begin <= index && index < end; }
  };

  bool isLayer(Operation *op);
  SmallVector<Run> findRuns();
  /// The operations of the run that can move to a function of its own; none
  /// when the run must stay.
  SmallVector<Operation *> selectMoved(Run run);
  /// Their results that others use; nullopt when one is in no argument's
  /// buffer.
  std::optional<SmallVector<Value>> findOutputs(Run run,
                                                ArrayRef<Operation *> moved);
  /// Makes the layers' indices in a buffer of all layers, as slices state them,
  /// values of the caller. Runs are then the same for all layers. Returns them.
  DenseSet<Value> liftLayerIndices(MutableArrayRef<Operation *> moved);
  void outline(Run run);

  /// The index of the operation of `ops` that is `op` or contains it.
  size_t getIndex(Operation *op) {
    auto it =
        indices.find(function.getBody().front().findAncestorOpInBlock(*op));
    return it == indices.end() ? ops.size() : it->second;
  }
  bool isUsedOutside(Value value, Run run) {
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      return !run.contains(getIndex(user));
    });
  }

  func::FuncOp function;
  SymbolTable &symbols;
  Parts &parts;
  unsigned maxLayers;
  SmallVector<Operation *> ops;
  DenseMap<Operation *, size_t> indices;
};

} // namespace

bool LayerOutlining::isLayer(Operation *op) {
  if (auto call = dyn_cast<func::CallOp>(op)) {
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    return callee && !callee.isExternal();
  }
  auto mlaOp = dyn_cast<MLAOpInterface>(op);
  return mlaOp && mlaOp.getNamedResult("cache");
}

SmallVector<LayerOutlining::Run> LayerOutlining::findRuns() {
  // numCrossing[i]: tensors made before ops[i] and used there or later. Two
  // runs are cut where it is least, so that the fewest values pass between
  // them.
  SmallVector<size_t> layers;
  SmallVector<int64_t> numCrossing(ops.size() + 1, 0);
  for (auto [index, op] : llvm::enumerate(ops)) {
    if (isLayer(op))
      layers.push_back(index);
    for (Value result : op->getResults()) {
      if (!isa<TensorType>(result.getType()))
        continue;
      size_t lastUse = index;
      for (Operation *user : result.getUsers())
        lastUse = std::max(lastUse, getIndex(user));
      ++numCrossing[index + 1];
      --numCrossing[lastUse + 1];
    }
  }
  if (layers.size() <= maxLayers)
    return {};
  for (size_t i = 1; i < numCrossing.size(); ++i)
    numCrossing[i] += numCrossing[i - 1];

  SmallVector<Run> runs;
  size_t begin = 0;
  for (size_t i = 0; i + 1 < layers.size(); i += maxLayers) {
    size_t last = std::min(i + maxLayers, layers.size()) - 1;
    size_t limit = last + 1 < layers.size() ? layers[last + 1] : ops.size() - 1;
    size_t end = layers[last] + 1;
    for (size_t cut = end; cut <= limit; ++cut)
      if (numCrossing[cut] <= numCrossing[end])
        end = cut;
    // A run of one layer would gain nothing.
    if (last > i)
      runs.push_back({begin, end});
    begin = end;
  }
  return runs;
}

SmallVector<Operation *> LayerOutlining::selectMoved(Run run) {
  // What others use too and no layer of the run made stays, ahead of the call,
  // with its operands.
  DenseSet<Operation *> made, staying;
  for (size_t i = run.begin; i < run.end; ++i) {
    bool isMade = isLayer(ops[i]);
    if (!isMade && !isMemoryEffectFree(ops[i]))
      return {};
    ops[i]->walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        isMade |= made.contains(operand.getDefiningOp());
    });
    if (isMade)
      made.insert(ops[i]);
  }
  for (size_t i = run.end; i-- > run.begin;) {
    if (made.contains(ops[i]))
      continue;
    for (Operation *user : ops[i]->getUsers()) {
      size_t index = getIndex(user);
      if (!run.contains(index) || staying.contains(ops[index]))
        staying.insert(ops[i]);
    }
  }
  SmallVector<Operation *> moved;
  for (size_t i = run.begin; i < run.end; ++i)
    if (!staying.contains(ops[i]))
      moved.push_back(ops[i]);
  return moved;
}

std::optional<SmallVector<Value>>
LayerOutlining::findOutputs(Run run, ArrayRef<Operation *> moved) {
  DestinationFlow flow(symbols);
  SmallVector<Value> outputs;
  for (Operation *op : moved)
    for (Value result : op->getResults()) {
      if (!isUsedOutside(result, run))
        continue;
      if (isa<TensorType>(result.getType()) && !flow.getRoot(result))
        return std::nullopt;
      outputs.push_back(result);
    }
  return outputs;
}

/// Whether each function that uses the operation's result has its own. A size
/// that came as a number couldn't be told from that of a tensor.
static bool isCloned(Operation *op) {
  return op->hasTrait<OpTrait::ConstantLike>() ||
         isa<tensor::EmptyOp, tensor::DimOp>(op);
}

DenseSet<Value>
LayerOutlining::liftLayerIndices(MutableArrayRef<Operation *> moved) {
  OpBuilder builder(moved.front());
  DenseMap<int64_t, Value> constants;
  for (Operation *&op : moved) {
    auto slice = dyn_cast<OffsetSizeAndStrideOpInterface>(op);
    auto extract = dyn_cast<tensor::ExtractSliceOp>(op);
    auto insert = dyn_cast<tensor::InsertSliceOp>(op);
    if (!extract && !insert)
      continue;
    SmallVector<OpFoldResult> offsets = slice.getMixedOffsets();
    SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
    auto whole = extract ? extract.getSourceType() : insert.getDestType();
    bool changed = false;
    for (auto [dim, offset] : llvm::enumerate(offsets)) {
      std::optional<int64_t> index = getConstantIntValue(offset);
      if (!index || getConstantIntValue(sizes[dim]) != 1 ||
          whole.getDimSize(dim) == 1)
        continue;
      Value &constant = constants[*index];
      if (!constant) {
        builder.setInsertionPoint(moved.front());
        constant =
            arith::ConstantIndexOp::create(builder, op->getLoc(), *index);
      }
      offset = constant;
      changed = true;
    }
    if (!changed)
      continue;
    builder.setInsertionPoint(op);
    Operation *lifted;
    if (extract)
      lifted = tensor::ExtractSliceOp::create(
          builder, op->getLoc(), extract.getType(), extract.getSource(),
          offsets, sizes, slice.getMixedStrides());
    else
      lifted = tensor::InsertSliceOp::create(
          builder, op->getLoc(), insert.getSource(), insert.getDest(), offsets,
          sizes, slice.getMixedStrides());
    op->replaceAllUsesWith(lifted);
    size_t index = getIndex(op);
    indices[lifted] = index;
    ops[index] = lifted;
    indices.erase(op);
    op->erase();
    op = lifted;
  }
  DenseSet<Value> lifted;
  for (auto [index, constant] : constants)
    lifted.insert(constant);
  return lifted;
}

void LayerOutlining::outline(Run run) {
  SmallVector<Operation *> moved = selectMoved(run);
  if (moved.empty())
    return;
  if (!findOutputs(run, moved))
    return;

  Block *block = moved.front()->getBlock();
  DenseSet<Value> layerIndices = liftLayerIndices(moved);
  SmallVector<Value> outputs = *findOutputs(run, moved);
  llvm::SetVector<Value> inputs;
  DenseSet<Operation *> isMoved(moved.begin(), moved.end());
  llvm::SetVector<Operation *> clones;
  auto addInput = [&](auto &&self, Value value) -> void {
    Operation *definition = value.getDefiningOp();
    if (value.getParentBlock() != block || isMoved.contains(definition))
      return;
    if (!definition || !isCloned(definition) || layerIndices.contains(value)) {
      inputs.insert(value);
      return;
    }
    for (Value operand : definition->getOperands())
      self(self, operand);
    clones.insert(definition);
  };
  for (Operation *op : moved)
    op->walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        addInput(addInput, operand);
    });

  Location loc = moved.front()->getLoc();
  OpBuilder builder(function.getContext());
  auto part = func::FuncOp::create(
      loc, (function.getSymName() + ".layers").str(),
      builder.getFunctionType(TypeRange(inputs.getArrayRef()),
                              TypeRange(ValueRange(outputs))));
  part.setPrivate();
  symbols.insert(part, std::next(function->getIterator()));
  builder.setInsertionPointAfter(moved.back());
  auto call = func::CallOp::create(builder, loc, part, inputs.getArrayRef());
  for (auto [output, result] : llvm::zip_equal(outputs, call.getResults()))
    output.replaceUsesWithIf(result, [&](OpOperand &use) {
      return !run.contains(getIndex(use.getOwner()));
    });

  Block *body = part.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  mapping.map(inputs, body->getArguments());
  for (Operation *op : clones)
    builder.clone(*op, mapping);
  for (Operation *op : moved) {
    op->moveBefore(body, body->end());
    op->walk([&](Operation *nested) {
      for (OpOperand &operand : nested->getOpOperands())
        operand.set(mapping.lookupOrDefault(operand.get()));
    });
  }
  builder.setInsertionPointToEnd(body);
  func::ReturnOp::create(builder, loc, outputs);
  if (func::FuncOp earlier = parts.unique(part); earlier != part) {
    call.setCallee(earlier.getSymName());
    symbols.erase(part);
  }
}

void LayerOutlining::run() {
  for (Operation &op : function.getBody().front()) {
    indices[&op] = ops.size();
    ops.push_back(&op);
  }
  // One round only: a call of everything has so many operands and results that
  // relating them costs more than the calls that it replaces.
  for (Run run : findRuns())
    outline(run);
}

namespace {

struct OutlineLayers : public mla::impl::MLAOutlineLayersBase<OutlineLayers> {
  using MLAOutlineLayersBase::MLAOutlineLayersBase;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    Parts parts;
    for (auto function :
         llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (function.isExternal() || !function.getBody().hasOneBlock() ||
          function->hasAttr(MLADialect::kHostAttr))
        continue;
      LayerOutlining(function, symbols, parts, maxLayers).run();
    }
  }
};

} // namespace
