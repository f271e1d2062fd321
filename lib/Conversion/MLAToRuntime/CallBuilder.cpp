//===- CallBuilder.cpp - One call of the runtime for one operation --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheColumns.h"
#include "References.h"
#include "RuntimeCalls.h"
#include "mla/Conversion/MLAToRuntime/RuntimeTable.h"
#include "mla/IR/CacheRow.h"
#include "mla/IR/MLAOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSet.h"

#include "mla_runtime/runtime.h"

#include <cstddef>

using namespace mlir;
using namespace mla;

/// What one operation puts into its parameter struct, by field.
struct CallBuilder::Fields {
  const RuntimeOp *runtimeOp;
  /// Operands by name: memrefs and host scalars.
  llvm::StringMap<Value> operands;
  llvm::StringMap<int64_t> integers;
  llvm::StringMap<double> floats;
  llvm::StringMap<std::string> strings;
};

namespace {

/// Emits the stores into one struct on the stack.
struct StructWriter {
  OpBuilder &builder;
  Location loc;
  Value base;

  void store(uint64_t offset, Value value) {
    auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
    Value address = LLVM::GEPOp::create(
        builder, loc, pointer, builder.getI8Type(), base,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
    LLVM::StoreOp::create(builder, loc, value, address);
  }
  void store(uint64_t offset, int64_t value, unsigned bits) {
    store(offset,
          LLVM::ConstantOp::create(
              builder, loc,
              builder.getIntegerAttr(builder.getIntegerType(bits), value)));
  }
  /// All bytes to zero, which is "absent" in every field.
  void clear(uint64_t size) {
    auto constant = [&](int64_t value, unsigned bits) {
      return LLVM::ConstantOp::create(
          builder, loc,
          builder.getIntegerAttr(builder.getIntegerType(bits), value));
    };
    LLVM::MemsetOp::create(builder, loc, base, constant(0, 8),
                           constant(size, 64), /*isVolatile=*/false);
  }
};

} // namespace

/// Why an operation that may rotate doesn't; empty when it does.
static std::string getRopeOff(RopeOpInterface op) {
  if (op.getLiveRope())
    return "";
  if (auto reason = op->getAttrOfType<StringAttr>(MLADialect::kRopeOffAttr))
    return reason.str();
  if (RopeAttr rope = op.getRopeAttr())
    return rope.getHeadDim() == 0 ? "head_dim = 0"
                                  : "disabled in the rope attribute";
  return "no rope attribute";
}

/// The source as a view of the destination's shape, with stride 0 along what is
/// broadcast.
static Value createBroadcastView(linalg::BroadcastOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto source =
      memref::ExtractStridedMetadataOp::create(builder, loc, op.getInput());
  SmallVector<OpFoldResult> sizes =
      memref::getMixedSizes(builder, loc, op.getInit());
  SmallVector<OpFoldResult> strides = source.getConstifiedMixedStrides();
  for (int64_t dim : op.getDimensions())
    strides.insert(strides.begin() + dim, builder.getIndexAttr(0));
  return memref::ReinterpretCastOp::create(builder, loc, source.getBaseBuffer(),
                                           source.getConstifiedMixedOffset(),
                                           sizes, strides);
}

LogicalResult CallBuilder::collect(Operation *op, Fields &fields) {
  if (isa<memref::CopyOp, linalg::CopyOp, linalg::BroadcastOp>(op)) {
    fields.runtimeOp = lookupRuntimeOp("copy");
    auto broadcast = dyn_cast<linalg::BroadcastOp>(op);
    fields.operands["src"] =
        broadcast ? createBroadcastView(broadcast) : op->getOperand(0);
    fields.operands["dst"] = op->getOperand(1);
    return success();
  }
  if (auto fill = dyn_cast<linalg::FillOp>(op)) {
    fields.runtimeOp = lookupRuntimeOp("fill");
    fields.operands["dst"] = fill.output();
    Attribute value;
    if (!matchPattern(fill.value(), m_Constant(&value)))
      return op->emitOpError("expected a constant value to fill a buffer with");
    fields.floats["value"] = isa<FloatAttr>(value)
                                 ? cast<FloatAttr>(value).getValueAsDouble()
                                 : cast<IntegerAttr>(value).getInt();
    return success();
  }

  auto mlaOp = cast<MLAOpInterface>(op);
  fields.runtimeOp = lookupRuntimeOp(op->getName().stripDialect());
  if (!fields.runtimeOp)
    return op->emitOpError("expected an operation that the runtime has; run "
                           "mla-decompose first");
  auto rotating = dyn_cast<RopeOpInterface>(op);
  RopeAttr rope = rotating ? rotating.getLiveRope() : RopeAttr();
  for (auto [index, spec] : llvm::enumerate(mlaOp.getOperandSpecs())) {
    bool ropeOperand = spec.name == "cos_sin" || spec.name == "positions";
    if (rotating && ropeOperand && !rope)
      continue;
    if (Value value = mlaOp.getSpecOperand(index))
      fields.operands[spec.name] = value;
  }
  for (NamedAttribute attribute : op->getAttrs()) {
    StringRef name = attribute.getName();
    if (auto integer = dyn_cast<IntegerAttr>(attribute.getValue()))
      fields.integers[name] = integer.getInt();
    else if (auto real = dyn_cast<FloatAttr>(attribute.getValue()))
      fields.floats[name] = real.getValueAsDouble();
    else if (auto phase = dyn_cast<PhaseAttr>(attribute.getValue()))
      fields.integers[name] = static_cast<int64_t>(phase.getValue());
    else if (auto rounding = dyn_cast<RoundingAttr>(attribute.getValue()))
      fields.integers[name] = static_cast<int64_t>(rounding.getValue());
    else if (isa<UnitAttr>(attribute.getValue()))
      fields.integers[name] = 1;
  }
  if (rope) {
    fields.integers["rope_style"] = static_cast<int64_t>(rope.getStyle());
    fields.integers["rope_head_dim"] = rope.getHeadDim();
  } else if (rotating) {
    fields.strings["rope_off"] = getRopeOff(rotating);
  }
  return success();
}

Value CallBuilder::getSlot(unsigned index, uint64_t size) {
  if (slots.size() <= index)
    slots.resize(index + 1);
  OpBuilder builder = OpBuilder::atBlockBegin(&function.front());
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  if (!slots[index]) {
    Value one = LLVM::ConstantOp::create(builder, function.getLoc(),
                                         builder.getI64IntegerAttr(1));
    slots[index] = LLVM::AllocaOp::create(
        builder, function.getLoc(), pointer,
        LLVM::LLVMArrayType::get(builder.getI8Type(), size), one,
        /*alignment=*/8);
  }
  return slots[index];
}

LLVM::LLVMFuncOp CallBuilder::getTensorWriter(int64_t rank) {
  std::string name = ("mla.tensor." + Twine(rank)).str();
  if (auto function = symbols.lookup<LLVM::LLVMFuncOp>(name))
    return function;
  auto module = cast<ModuleOp>(symbols.getOp());
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  Location loc = module.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  SmallVector<Type> types{pointer, pointer, builder.getI32Type(),
                          builder.getI64Type()};
  types.append(2 * rank, builder.getI64Type());
  auto function = LLVM::LLVMFuncOp::create(
      builder, loc, name,
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()),
                                  types),
      LLVM::Linkage::Internal);
  symbols.insert(function);
  Block *block = function.addEntryBlock(builder);
  builder.setInsertionPointToStart(block);
  StructWriter writer{builder, loc, block->getArgument(0)};
  writer.clear(sizeof(mla_tensor)); // The device is the context's.
  writer.store(offsetof(mla_tensor, data), block->getArgument(1));
  writer.store(offsetof(mla_tensor, dtype), block->getArgument(2));
  writer.store(offsetof(mla_tensor, rank), rank, 32);
  writer.store(offsetof(mla_tensor, byte_offset), block->getArgument(3));
  for (int64_t i = 0; i < rank; ++i) {
    uint64_t at = i * sizeof(int64_t);
    writer.store(offsetof(mla_tensor, shape) + at, block->getArgument(4 + i));
    writer.store(offsetof(mla_tensor, strides) + at,
                 block->getArgument(4 + rank + i));
  }
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  return function;
}

Value CallBuilder::storeTensor(OpBuilder &builder, Location loc, unsigned slot,
                               Value memref,
                               const std::optional<Columns> &columns) {
  // The entry has checked it as the operation would.
  Value given = columns ? Value() : references.getTensor(memref);
  if (given)
    return given;
  auto type = cast<MemRefType>(memref.getType());
  Type element = columns ? columns->element : type.getElementType();
  Type i64 = builder.getI64Type();
  auto toI64 = [&](OpFoldResult index) -> Value {
    if (auto value = dyn_cast<Value>(index))
      return arith::IndexCastOp::create(builder, loc, i64, value);
    return LLVM::ConstantOp::create(
        builder, loc,
        builder.getI64IntegerAttr(
            cast<IntegerAttr>(cast<Attribute>(index)).getInt()));
  };

  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, memref);
  auto metadata =
      memref::ExtractStridedMetadataOp::create(builder, loc, memref);
  SmallVector<OpFoldResult> sizes = metadata.getConstifiedMixedSizes();
  SmallVector<OpFoldResult> strides = metadata.getConstifiedMixedStrides();
  AffineExpr symbol = builder.getAffineSymbolExpr(0);
  AffineExpr byteOffset = symbol * getElementBytes(type.getElementType());
  if (columns) {
    sizes.back() = builder.getIndexAttr(columns->width);
    byteOffset = byteOffset + columns->byteOffset;
  }
  OpFoldResult offset = affine::makeComposedFoldedAffineApply(
      builder, loc, byteOffset, metadata.getConstifiedMixedOffset());
  // Packed rows: bytes between rows become elements between rows. The entry has
  // checked that there is no remainder.
  if (columns && isPackedCache(type)) {
    for (OpFoldResult &stride : strides)
      stride = affine::makeComposedFoldedAffineApply(
          builder, loc, symbol.floorDiv(getElementBytes(element)), stride);
    strides.back() = builder.getIndexAttr(1);
  }

  SmallVector<Value> arguments{
      getSlot(slot, sizeof(mla_tensor)),
      LLVM::IntToPtrOp::create(builder, loc,
                               LLVM::LLVMPointerType::get(builder.getContext()),
                               toI64(address)),
      LLVM::ConstantOp::create(
          builder, loc, builder.getI32IntegerAttr(getDtypeCode(element))),
      toI64(offset)};
  for (OpFoldResult size : sizes)
    arguments.push_back(toI64(size));
  for (OpFoldResult stride : strides)
    arguments.push_back(toI64(stride));
  LLVM::CallOp::create(builder, loc, getTensorWriter(type.getRank()),
                       arguments);
  return arguments.front();
}

LogicalResult CallBuilder::convert(Operation *op) {
  Fields fields;
  if (failed(collect(op, fields)))
    return failure();
  OpBuilder builder(op);
  Location loc = op->getLoc();
  uint64_t largest = 0;
  for (const RuntimeOp &runtimeOp : getRuntimeOps())
    largest = std::max(largest, runtimeOp.paramsSize);
  StructWriter params{builder, loc, getSlot(0, largest)};
  params.clear(fields.runtimeOp->paramsSize);
  params.store(0, fields.runtimeOp->paramsSize, 64);

  unsigned nextSlot = 1;
  llvm::StringSet<> used;
  for (const RuntimeField &field : fields.runtimeOp->fields) {
    used.insert(field.source);
    Value operand = fields.operands.lookup(field.source);
    switch (field.kind) {
    case RuntimeFieldKind::Tensor:
      if (operand)
        params.store(field.offset,
                     storeTensor(builder, loc, nextSlot++, operand, {}));
      break;
    case RuntimeFieldKind::CacheLatent:
    case RuntimeFieldKind::CachePe:
    case RuntimeFieldKind::CacheScales: {
      if (!operand)
        break;
      FailureOr<std::optional<Columns>> columns =
          getCacheColumns(cast<MLAOpInterface>(op),
                          cast<MemRefType>(operand.getType()), field.kind);
      if (failed(columns))
        return failure();
      if (*columns)
        params.store(field.offset,
                     storeTensor(builder, loc, nextSlot++, operand, *columns));
      break;
    }
    case RuntimeFieldKind::I64:
      if (operand)
        params.store(field.offset,
                     arith::IndexCastOp::create(builder, loc,
                                                builder.getI64Type(), operand));
      else if (int64_t value = fields.integers.lookup(field.source))
        params.store(field.offset, value, 64);
      break;
    case RuntimeFieldKind::F64:
      if (double value = fields.floats.lookup(field.source))
        params.store(field.offset,
                     LLVM::ConstantOp::create(builder, loc,
                                              builder.getF64FloatAttr(value)));
      break;
    case RuntimeFieldKind::String:
      if (auto text = fields.strings.find(field.source);
          text != fields.strings.end())
        params.store(field.offset,
                     getString(builder, loc, symbols, text->second));
      break;
    }
  }
  // What has no field would be ignored: refuse it instead.
  for (const auto &operand : fields.operands)
    if (!used.contains(operand.getKey()))
      return op->emitOpError("expected operands that mla_")
             << fields.runtimeOp->name << " has a field for, got "
             << operand.getKey();

  callRuntime(builder, loc, symbols, ("mla_" + fields.runtimeOp->name).str(),
              builder.getI32Type(), {getRuntimeContext(function), params.base});
  op->erase();
  return success();
}
