//===- Dialect.h - C interface of the mla dialect -----------------*- C -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In the style of mlir-c, which these headers build on. Functions are called
// mlaXxx; the runtime's C ABI, which knows nothing of MLIR, is mla_xxx. One
// program may use both.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_C_DIALECT_H
#define MLA_C_DIALECT_H

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The handle of the dialect: mlirGetDialectHandle__mla__(). Programs that
/// bufferize register more than it (Registration.h).
MLIR_DECLARE_CAPI_DIALECT_REGISTRATION(MLA, mla);

//===----------------------------------------------------------------------===//
// #mla.rope
//===----------------------------------------------------------------------===//

/// Pairing of a rotation's columns. The values are the runtime ABI's.
typedef enum MlaRopeStyle {
  MlaRopeStyleInterleaved = 1, ///< (2i, 2i+1), GPT-J's
  MlaRopeStyleHalf = 2         ///< (i, i + head_dim/2), NeoX's
} MlaRopeStyle;

/// Whether the attribute is a `#mla.rope`.
MLIR_CAPI_EXPORTED bool mlaAttributeIsARope(MlirAttribute attr);

/// Creates `#mla.rope<style, head_dim = headDim, enabled = enabled>`. Null,
/// after an error diagnostic, for a style that isn't one and for a head_dim
/// that is negative or odd.
MLIR_CAPI_EXPORTED MlirAttribute mlaRopeAttrGet(MlirContext ctx,
                                                MlaRopeStyle style,
                                                int64_t headDim, bool enabled);

/// The pairing that the attribute states.
MLIR_CAPI_EXPORTED MlaRopeStyle mlaRopeAttrGetStyle(MlirAttribute attr);

/// Number of columns that are rotated.
MLIR_CAPI_EXPORTED int64_t mlaRopeAttrGetHeadDim(MlirAttribute attr);

/// The attribute's `enabled`.
MLIR_CAPI_EXPORTED bool mlaRopeAttrIsEnabled(MlirAttribute attr);

/// Whether the attribute stands for a rotation: enabled and head_dim > 0.
MLIR_CAPI_EXPORTED bool mlaRopeAttrIsLive(MlirAttribute attr);

/// The type id of `#mla.rope`.
MLIR_CAPI_EXPORTED MlirTypeID mlaRopeAttrGetTypeID(void);

//===----------------------------------------------------------------------===//
// #mla.phase
//===----------------------------------------------------------------------===//

/// Phase of serving. The values are the runtime ABI's.
typedef enum MlaPhase { MlaPhaseContext = 1, MlaPhaseGeneration = 2 } MlaPhase;

/// Whether the attribute is a `#mla.phase`.
MLIR_CAPI_EXPORTED bool mlaAttributeIsAPhase(MlirAttribute attr);

/// Creates `#mla.phase<phase>`. Null, after an error diagnostic, for a value
/// that isn't a phase.
MLIR_CAPI_EXPORTED MlirAttribute mlaPhaseAttrGet(MlirContext ctx,
                                                 MlaPhase phase);

/// The phase that the attribute states.
MLIR_CAPI_EXPORTED MlaPhase mlaPhaseAttrGetValue(MlirAttribute attr);

/// The type id of `#mla.phase`.
MLIR_CAPI_EXPORTED MlirTypeID mlaPhaseAttrGetTypeID(void);

//===----------------------------------------------------------------------===//
// #mla.rounding
//===----------------------------------------------------------------------===//

/// What a quantized value is rounded from. The values are the runtime ABI's.
typedef enum MlaRounding {
  MlaRoundingDirect = 1,          ///< f32, once
  MlaRoundingThroughInputType = 2 ///< the type of the input, then once more
} MlaRounding;

/// Whether the attribute is a `#mla.rounding`.
MLIR_CAPI_EXPORTED bool mlaAttributeIsARounding(MlirAttribute attr);

/// Creates `#mla.rounding<rounding>`. Null, after an error diagnostic, for a
/// value that isn't a rounding.
MLIR_CAPI_EXPORTED MlirAttribute mlaRoundingAttrGet(MlirContext ctx,
                                                    MlaRounding rounding);

/// The rounding that the attribute states.
MLIR_CAPI_EXPORTED MlaRounding mlaRoundingAttrGetValue(MlirAttribute attr);

/// The type id of `#mla.rounding`.
MLIR_CAPI_EXPORTED MlirTypeID mlaRoundingAttrGetTypeID(void);

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// The `#mla.rope` of an operation that rotates; a null attribute when it has
/// none, when its rope isn't live, and for operations that can't have one. Ask
/// this, not for the attribute's presence.
MLIR_CAPI_EXPORTED MlirAttribute mlaOperationGetLiveRope(MlirOperation op);

/// The operand that the assembly form calls `name`; a null value when it is
/// absent, when the operation has none of that name, and for operations of
/// other dialects.
MLIR_CAPI_EXPORTED MlirValue mlaOperationGetNamedOperand(MlirOperation op,
                                                         MlirStringRef name);

/// The result of the destination that the assembly form calls `name`; a null
/// value where mlaOperationGetNamedOperand has one, and on memrefs.
MLIR_CAPI_EXPORTED MlirValue mlaOperationGetNamedResult(MlirOperation op,
                                                        MlirStringRef name);

#ifdef __cplusplus
}
#endif

#endif // MLA_C_DIALECT_H
