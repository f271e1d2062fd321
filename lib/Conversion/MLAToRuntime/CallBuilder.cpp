//===- CallBuilder.cpp - One call of the runtime for one operation --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeCalls.h"
#include "mla/Conversion/MLAToRuntime/RuntimeTable.h"
#include "mla/IR/DimSolver.h"
#include "mla/IR/MLAOps.h"
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
  /// kv_lora_rank, where a cache must be taken apart.
  std::optional<int64_t> kvLoraRank;
};

namespace {

/// Emits the stores into one struct on the stack.
struct StructWriter {
  OpBuilder &builder;
  Location loc;
  Value base;

  void store(uint64_t offset, Value value) {
    auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
    Value address =
        LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), base,
                            ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
    LLVM::StoreOp::create(builder, loc, value, address);
  }
  void store(uint64_t offset, int64_t value, unsigned bits) {
    store(offset, LLVM::ConstantOp::create(
                      builder, loc,
                      builder.getIntegerAttr(builder.getIntegerType(bits),
                                             value)));
  }
  /// An index value.
  void storeIndex(uint64_t offset, Value index) {
    store(offset, arith::IndexCastOp::create(builder, loc, builder.getI64Type(),
                                             index));
  }
  void storeIndex(uint64_t offset, OpFoldResult index) {
    if (auto value = dyn_cast<Value>(index))
      storeIndex(offset, value);
    else
      store(offset, cast<IntegerAttr>(cast<Attribute>(index)).getInt(), 64);
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

LogicalResult CallBuilder::collect(Operation *op, Fields &fields) {
  if (auto copy = dyn_cast<memref::CopyOp>(op)) {
    fields.runtimeOp = lookupRuntimeOp("copy");
    fields.operands["src"] = copy.getSource();
    fields.operands["dst"] = copy.getTarget();
    return success();
  }
  if (auto fill = dyn_cast<linalg::FillOp>(op)) {
    fields.runtimeOp = lookupRuntimeOp("fill");
    fields.operands["dst"] = fill.output();
    Attribute value;
    if (!matchPattern(fill.value(), m_Constant(&value)))
      return op->emitOpError("expected a constant value to fill a buffer with");
    fields.floats["value"] =
        isa<FloatAttr>(value) ? cast<FloatAttr>(value).getValueAsDouble()
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
  if (auto sizes = solveDims(mlaOp); succeeded(sizes))
    fields.kvLoraRank = sizes->lookup("L");
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

Value CallBuilder::storeTensor(
    OpBuilder &builder, Location loc, unsigned slot, Value memref,
    std::optional<std::pair<int64_t, int64_t>> columns) {
  auto type = cast<MemRefType>(memref.getType());
  Type element = type.getElementType();
  int64_t bytes = element.isIndex() ? 8 : element.getIntOrFloatBitWidth() / 8;
  StructWriter writer{builder, loc, getSlot(slot, sizeof(mla_tensor))};

  Value address = memref::ExtractAlignedPointerAsIndexOp::create(
      builder, loc, memref);
  Value integer = arith::IndexCastOp::create(builder, loc,
                                             builder.getI64Type(), address);
  writer.store(offsetof(mla_tensor, data),
               LLVM::IntToPtrOp::create(
                   builder, loc,
                   LLVM::LLVMPointerType::get(builder.getContext()), integer));
  writer.store(offsetof(mla_tensor, device_type), MLA_DEVICE_CONTEXT, 32);
  writer.store(offsetof(mla_tensor, device_id), 0, 32);
  writer.store(offsetof(mla_tensor, dtype), getDtypeCode(element), 32);
  writer.store(offsetof(mla_tensor, rank), type.getRank(), 32);

  auto metadata =
      memref::ExtractStridedMetadataOp::create(builder, loc, memref);
  for (int64_t i = 0; i < type.getRank(); ++i) {
    uint64_t at = i * sizeof(int64_t);
    if (columns && i == type.getRank() - 1)
      writer.store(offsetof(mla_tensor, shape) + at, columns->second, 64);
    else
      writer.storeIndex(offsetof(mla_tensor, shape) + at,
                        metadata.getConstifiedMixedSizes()[i]);
    writer.storeIndex(offsetof(mla_tensor, strides) + at,
                      metadata.getConstifiedMixedStrides()[i]);
  }
  Value offset = metadata.getOffset();
  if (columns && columns->first) {
    Value first =
        arith::ConstantIndexOp::create(builder, loc, columns->first);
    offset = arith::AddIOp::create(builder, loc, offset, first);
  }
  Value size = arith::ConstantIndexOp::create(builder, loc, bytes);
  writer.storeIndex(offsetof(mla_tensor, byte_offset),
                    Value(arith::MulIOp::create(builder, loc, offset, size)));
  writer.store(offsetof(mla_tensor, flags), 0, 64);
  writer.store(offsetof(mla_tensor, reserved), 0, 64);
  writer.store(offsetof(mla_tensor, reserved) + 8, 0, 64);
  return writer.base;
}

LogicalResult CallBuilder::convert(Operation *op) {
  Fields fields;
  if (failed(collect(op, fields)))
    return failure();
  OpBuilder builder(op);
  Location loc = op->getLoc();
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  uint64_t largest = 0;
  for (const RuntimeOp &runtimeOp : getRuntimeOps())
    largest = std::max(largest, runtimeOp.paramsSize);
  StructWriter params{builder, loc, getSlot(0, largest)};
  params.store(0, fields.runtimeOp->paramsSize, 64);

  unsigned nextSlot = 1;
  llvm::StringSet<> used;
  Value null;
  auto storeNull = [&](uint64_t offset) {
    if (!null)
      null = LLVM::ZeroOp::create(builder, loc, pointer);
    params.store(offset, null);
  };
  for (const RuntimeField &field : fields.runtimeOp->fields) {
    used.insert(field.source);
    Value operand = fields.operands.lookup(field.source);
    switch (field.kind) {
    case RuntimeFieldKind::Tensor:
      if (operand)
        params.store(field.offset,
                     storeTensor(builder, loc, nextSlot++, operand, {}));
      else
        storeNull(field.offset);
      break;
    case RuntimeFieldKind::CacheLatent:
    case RuntimeFieldKind::CachePe: {
      bool isPe = field.kind == RuntimeFieldKind::CachePe;
      int64_t width =
          operand ? cast<MemRefType>(operand.getType()).getShape().back() : 0;
      if (operand && (ShapedType::isDynamic(width) || !fields.kvLoraRank))
        return op->emitOpError("expected a cache with rows of a static width "
                               "and a static kv_lora_rank");
      int64_t latent = operand ? *fields.kvLoraRank : 0;
      if (!operand || (isPe && width == latent)) {
        storeNull(field.offset);
        break;
      }
      params.store(field.offset,
                   storeTensor(builder, loc, nextSlot++, operand,
                               isPe ? std::pair(latent, width - latent)
                                    : std::pair(int64_t(0), latent)));
      break;
    }
    case RuntimeFieldKind::CacheScales:
      storeNull(field.offset);
      break;
    case RuntimeFieldKind::I64:
      if (operand)
        params.storeIndex(field.offset, operand);
      else
        params.store(field.offset, fields.integers.lookup(field.source), 64);
      break;
    case RuntimeFieldKind::F64:
      params.store(field.offset,
                   LLVM::ConstantOp::create(
                       builder, loc,
                       builder.getF64FloatAttr(
                           fields.floats.lookup(field.source))));
      break;
    case RuntimeFieldKind::String: {
      auto text = fields.strings.find(field.source);
      if (text == fields.strings.end())
        storeNull(field.offset);
      else
        params.store(field.offset,
                     getString(builder, loc, module, text->second));
      break;
    }
    }
  }
  // What has no field would be ignored: refuse it instead.
  for (const auto &operand : fields.operands)
    if (!used.contains(operand.getKey()))
      return op->emitOpError("expected operands that mla_")
             << fields.runtimeOp->name << " has a field for, got "
             << operand.getKey();

  callRuntime(builder, loc, module, ("mla_" + fields.runtimeOp->name).str(),
              builder.getI32Type(), {getRuntimeContext(function), params.base});
  op->erase();
  return success();
}
