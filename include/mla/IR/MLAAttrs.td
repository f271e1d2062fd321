//===- MLAAttrs.td - Attributes of the mla dialect ---------*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_MLAATTRS_TD
#define MLA_IR_MLAATTRS_TD

include "mla/IR/MLADialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class MLA_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<MLA_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

// The values of all three enums are those of the runtime's ABI, where 0 is absent.

def MLA_RopeStyle : I32Enum<"RopeStyle", "pairing of a rotation's columns", [
  I32EnumCase<"Interleaved", 1, "interleaved">,
  I32EnumCase<"Half", 2, "half">
]> {
  let cppNamespace = "::mla";
}

def MLA_Phase : I32Enum<"Phase", "phase of serving", [
  I32EnumCase<"Context", 1, "context">,
  I32EnumCase<"Generation", 2, "generation">
]> {
  let cppNamespace = "::mla";
}

def MLA_Rounding : I32Enum<"Rounding", "what a quantized value is rounded from", [
  I32EnumCase<"Direct", 1, "direct">,
  I32EnumCase<"ThroughInputType", 2, "through_input_type">
]> {
  let cppNamespace = "::mla";
}

def MLA_PhaseAttr : EnumAttr<MLA_Dialect, MLA_Phase, "phase"> {
  let assemblyFormat = "`<` $value `>`";
  let description = [{
    Whether an operation is there for prompts (`context`) or for new tokens
    (`generation`), where a front end keeps the two apart. It changes nothing that is
    computed; `mla-disable-rope` picks operations by it.

    ```mlir
    #mla.phase<context>
    #mla.phase<generation>
    ```
  }];
}

def MLA_RoundingAttr : EnumAttr<MLA_Dialect, MLA_Rounding, "rounding"> {
  let assemblyFormat = "`<` $value `>`";
  let description = [{
    Whether a value on its way to a narrow type is rounded once, from f32
    (`direct`), or first to the type of its input (`through_input_type`), as
    separate kernels with a 16-bit tensor between them do.

    ```mlir
    #mla.rounding<direct>
    #mla.rounding<through_input_type>
    ```
  }];
}

def MLA_RopeAttr : MLA_Attr<"Rope", "rope"> {
  let summary = "Rotary position embedding, as a model's config states it";
  let description = [{
    Rotation of the last `head_dim` columns of queries and keys (RoFormer,
    arXiv:2104.09864, section 3.4.2). `style` is the pairing of columns:
    `interleaved` rotates (2i, 2i+1), GPT-J's order; `half` rotates
    (i, i + head_dim/2), NeoX's order.

    A front end may copy its config straight into the attribute: it stands for a
    rotation only when it is *live*, that is, `enabled` and `head_dim` > 0.
    Consumers ask the operation's `getLiveRope()`, never for the attribute.

    ```mlir
    #mla.rope<interleaved, head_dim = 64>
    #mla.rope<half, head_dim = 32, enabled = false>
    ```
  }];
  let parameters = (ins
    EnumParameter<MLA_RopeStyle>:$style,
    "int64_t":$head_dim,
    DefaultValuedParameter<"bool", "true">:$enabled
  );
  let assemblyFormat = "`<` $style `,` struct($head_dim, $enabled) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether anything is rotated.
    bool isLive() const { return getEnabled() && getHeadDim() > 0; }
  }];
}

#endif // MLA_IR_MLAATTRS_TD
