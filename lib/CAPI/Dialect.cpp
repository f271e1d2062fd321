//===- Dialect.cpp - C interface of the mla dialect -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla-c/Dialect.h"

#include "mla/IR/MLAOps.h"
#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Registration.h"

using namespace mlir;
using namespace mla;

MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(MLA, mla, MLADialect)

// The enums of C are those of the dialect; a new case there wants one here.
static_assert(uint32_t(RopeStyle::Interleaved) == MlaRopeStyleInterleaved);
static_assert(uint32_t(RopeStyle::Half) == MlaRopeStyleHalf);
static_assert(getMaxEnumValForRopeStyle() == MlaRopeStyleHalf);
static_assert(uint32_t(Phase::Context) == MlaPhaseContext);
static_assert(uint32_t(Phase::Generation) == MlaPhaseGeneration);
static_assert(getMaxEnumValForPhase() == MlaPhaseGeneration);
static_assert(uint32_t(Rounding::Direct) == MlaRoundingDirect);
static_assert(uint32_t(Rounding::ThroughInputType) ==
              MlaRoundingThroughInputType);
static_assert(getMaxEnumValForRounding() == MlaRoundingThroughInputType);

/// C may pass any integer as an enum: null, after a diagnostic, where `value`
/// isn't `expected`.
static Attribute rejectValue(MLIRContext *context, StringRef name,
                             StringRef expected, uint32_t value) {
  emitError(UnknownLoc::get(context))
      << name << ": expected " << expected << ", got " << value;
  return {};
}

/// The attribute of an enum's case from C, or null after a diagnostic.
template <typename CaseAttr, typename Case>
static MlirAttribute getCase(MlirContext ctx, StringRef name,
                             StringRef expected, uint32_t value,
                             std::optional<Case> (*symbolize)(uint32_t)) {
  MLIRContext *context = unwrap(ctx);
  // Creating an attribute loads no dialect.
  context->loadDialect<MLADialect>();
  std::optional<Case> symbol = symbolize(value);
  return wrap(symbol ? CaseAttr::get(context, *symbol)
                     : rejectValue(context, name, expected, value));
}

//===--- #mla.rope --------------------------------------------------------===//

bool mlaAttributeIsARope(MlirAttribute attr) {
  return isa<RopeAttr>(unwrap(attr));
}

MlirAttribute mlaRopeAttrGet(MlirContext ctx, MlaRopeStyle style,
                             int64_t headDim, bool enabled) {
  MLIRContext *context = unwrap(ctx);
  // Creating an attribute loads no dialect.
  context->loadDialect<MLADialect>();
  std::optional<RopeStyle> symbol = symbolizeRopeStyle(uint32_t(style));
  if (!symbol)
    return wrap(rejectValue(context, "style", "1 (interleaved) or 2 (half)",
                            uint32_t(style)));
  return wrap(
      RopeAttr::getChecked([&] { return emitError(UnknownLoc::get(context)); },
                           context, *symbol, headDim, enabled));
}

MlaRopeStyle mlaRopeAttrGetStyle(MlirAttribute attr) {
  return static_cast<MlaRopeStyle>(cast<RopeAttr>(unwrap(attr)).getStyle());
}

int64_t mlaRopeAttrGetHeadDim(MlirAttribute attr) {
  return cast<RopeAttr>(unwrap(attr)).getHeadDim();
}

bool mlaRopeAttrIsEnabled(MlirAttribute attr) {
  return cast<RopeAttr>(unwrap(attr)).getEnabled();
}

bool mlaRopeAttrIsLive(MlirAttribute attr) {
  return cast<RopeAttr>(unwrap(attr)).isLive();
}

MlirTypeID mlaRopeAttrGetTypeID(void) { return wrap(RopeAttr::getTypeID()); }

//===--- #mla.phase -------------------------------------------------------===//

bool mlaAttributeIsAPhase(MlirAttribute attr) {
  return isa<PhaseAttr>(unwrap(attr));
}

MlirAttribute mlaPhaseAttrGet(MlirContext ctx, MlaPhase phase) {
  return getCase<PhaseAttr, Phase>(
      ctx, "phase", "1 (context) or 2 (generation)", phase, symbolizePhase);
}

MlaPhase mlaPhaseAttrGetValue(MlirAttribute attr) {
  return static_cast<MlaPhase>(cast<PhaseAttr>(unwrap(attr)).getValue());
}

MlirTypeID mlaPhaseAttrGetTypeID(void) { return wrap(PhaseAttr::getTypeID()); }

//===--- #mla.rounding ----------------------------------------------------===//

bool mlaAttributeIsARounding(MlirAttribute attr) {
  return isa<RoundingAttr>(unwrap(attr));
}

MlirAttribute mlaRoundingAttrGet(MlirContext ctx, MlaRounding rounding) {
  return getCase<RoundingAttr, Rounding>(ctx, "rounding",
                                         "1 (direct) or 2 (through_input_type)",
                                         rounding, symbolizeRounding);
}

MlaRounding mlaRoundingAttrGetValue(MlirAttribute attr) {
  return static_cast<MlaRounding>(cast<RoundingAttr>(unwrap(attr)).getValue());
}

MlirTypeID mlaRoundingAttrGetTypeID(void) {
  return wrap(RoundingAttr::getTypeID());
}

//===--- Operations -------------------------------------------------------===//

MlirAttribute mlaOperationGetLiveRope(MlirOperation op) {
  auto ropeOp = dyn_cast<RopeOpInterface>(unwrap(op));
  return wrap(ropeOp ? Attribute(ropeOp.getLiveRope()) : Attribute());
}

MlirValue mlaOperationGetNamedOperand(MlirOperation op, MlirStringRef name) {
  auto mlaOp = dyn_cast<MLAOpInterface>(unwrap(op));
  return wrap(mlaOp ? mlaOp.getNamedOperand(unwrap(name)) : Value());
}

MlirValue mlaOperationGetNamedResult(MlirOperation op, MlirStringRef name) {
  auto mlaOp = dyn_cast<MLAOpInterface>(unwrap(op));
  return wrap(mlaOp ? mlaOp.getNamedResult(unwrap(name)) : Value());
}
