//===- MLAInterfaces.td - What all mla operations share ----*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_MLAINTERFACES_TD
#define MLA_IR_MLAINTERFACES_TD

include "mlir/IR/OpBase.td"

def MLA_OpInterface : OpInterface<"MLAOpInterface"> {
  let cppNamespace = "::mla";
  let description = [{
    An operation's operands by name. An operand has the same name here, in the
    assembly form, in the runtime's table `ops.def` and in messages; the lowering
    matches the two by it. Each named operand is one value or absent.
  }];
  let methods = [
    StaticInterfaceMethod<[{
      The operands' names, kinds and shapes, inputs first, destinations last and
      contiguous.
    }], "::llvm::ArrayRef<::mla::OperandSpec>", "getOperandSpecs">,
    InterfaceMethod<[{
      The operand at `index` in getOperandSpecs(), null when it is absent.
    }], "::mlir::Value", "getSpecOperand", (ins "unsigned":$index), [{
      auto [first, size] = $_op.getODSOperandIndexAndLength(index);
      return size ? $_op->getOperand(first) : ::mlir::Value();
    }]>,
    InterfaceMethod<[{
      Removes the optional input at `index` in getOperandSpecs(), if it is there.
    }], "void", "eraseSpecOperand", (ins "unsigned":$index), [{
      ::mla::detail::eraseSpecOperand($_op, index);
    }]>,
  ];
  let verify = [{ return ::mla::detail::verifyOperands($_op); }];
  let extraSharedClassDeclaration = [{
    /// The operand called `name`, null when it is absent.
    ::mlir::Value getNamedOperand(::llvm::StringRef name) {
      return ::mla::detail::getNamedOperand($_op, name);
    }
    /// The result that follows the destination called `name`, null when that is
    /// absent or a memref.
    ::mlir::Value getNamedResult(::llvm::StringRef name) {
      return ::mla::detail::getNamedResult($_op, name);
    }
    /// Removes the optional input called `name`, if it is there.
    void eraseNamedOperand(::llvm::StringRef name) {
      ::mla::detail::eraseNamedOperand($_op, name);
    }
  }];
}

def MLA_RopeOpInterface : OpInterface<"RopeOpInterface"> {
  let cppNamespace = "::mla";
  let description = [{
    An operation that may rotate. It has an optional attribute `rope` and
    optional operands `cos_sin` and `positions`.
  }];
  let methods = [
    InterfaceMethod<"The rope attribute, live or not; null when there is none.",
                    "::mla::RopeAttr", "getRopeAttr">,
    InterfaceMethod<"Sets or, with null, removes the rope attribute.",
                    "void", "setRopeAttr", (ins "::mla::RopeAttr":$rope)>,
    InterfaceMethod<"The phase that the front end stated, if it did.",
                    "::std::optional<::mla::Phase>", "getPhase">,
    InterfaceMethod<"The table [max_pos, R], or null.",
                    "::mlir::Value", "getCosSin">,
    InterfaceMethod<"The tokens' positions [T], or null.",
                    "::mlir::Value", "getPositions">,
  ];
  let extraSharedClassDeclaration = [{
    /// The rope attribute when it stands for a rotation, null otherwise.
    ::mla::RopeAttr getLiveRope() {
      ::mla::RopeAttr rope = $_op.getRopeAttr();
      return rope && rope.isLive() ? rope : ::mla::RopeAttr();
    }
    /// Records why the rope is off; the first reason stays.
    void noteRopeOff(::llvm::StringRef reason) {
      ::mla::detail::noteRopeOff($_op, reason);
    }
  }];
}

#endif // MLA_IR_MLAINTERFACES_TD
