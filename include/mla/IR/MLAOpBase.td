//===- MLAOpBase.td - The class of all mla operations ------*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_MLAOPBASE_TD
#define MLA_IR_MLAOPBASE_TD

include "mla/IR/MLAAttrs.td"
include "mla/IR/MLAInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Operands: a type, the shape's symbols and a sentence
//===----------------------------------------------------------------------===//

class MLA_Shaped<list<Type> elements, string what>
    : AnyTypeOf<[RankedTensorOf<elements>, MemRefOf<elements>],
                "tensor or memref of " # what>;

// Activations, weights and whatever is computed from them.
def MLA_Act : MLA_Shaped<[F32, F16, BF16], "f32, f16 or bf16">;
// A query may be quantized.
def MLA_Quant : MLA_Shaped<[F32, F16, BF16, F8E4M3FN],
                           "f32, f16, bf16 or f8E4M3FN">;
// So may a cache, which may also be block-scaled: rows of bytes.
def MLA_Cache : MLA_Shaped<[F32, F16, BF16, F8E4M3FN, I8],
                           "f32, f16, bf16, f8E4M3FN or i8">;
def MLA_F32 : MLA_Shaped<[F32], "f32">;
def MLA_I32 : MLA_Shaped<[I32], "i32">;
def MLA_I64 : MLA_Shaped<[I64], "i64">;
def MLA_Int : MLA_Shaped<[I32, I64], "i32 or i64">;

// An operand group of exactly one value, or of at most one. `dims` is written in the
// symbols of the dialect's description: a comma-separated list of literals, symbols
// and sums of them; "*" is any number of dims, the same wherever it occurs; "-" is a
// host scalar.
class MLA_Operand<TypeConstraint t, string dimSpec, string doc, bit opt, bit dst>
    : Arg<t, doc> {
  string dims = dimSpec;
  bit isOptional = opt;
  bit isInit = dst;
}
class MLA_In<Type t, string dimSpec, string doc>
    : MLA_Operand<t, dimSpec, doc, 0, 0>;
class MLA_OptIn<Type t, string dimSpec, string doc>
    : MLA_Operand<Optional<t>, dimSpec, doc, 1, 0>;
class MLA_Out<Type t, string dimSpec, string doc>
    : MLA_Operand<t, dimSpec, doc, 0, 1>;
class MLA_OptOut<Type t, string dimSpec, string doc>
    : MLA_Operand<Optional<t>, dimSpec, doc, 1, 1>;
class MLA_HostScalar<string doc> : MLA_OptIn<Index, "-", doc>;

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

// Operations have no InferType: their shapes are those of the destinations.
class MLA_Op<string mnemonic, list<Trait> traits = []>
    : Op<MLA_Dialect, mnemonic, !listconcat([
        MLA_OpInterface,
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>,
        DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>],
        traits)> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  list<int> operandIndices =
      !filter(i, !range(!size(arguments)),
              !initialized(!getdagarg<MLA_Operand>(arguments, i)));
  bit hasProperties = !or(
      !lt(!size(operandIndices), !size(arguments)),
      !not(!empty(!filter(t, traits, !eq(t, AttrSizedOperandSegments)))));
  // The encoding is versioned and by name, so that operations can grow. Set where
  // there is something to encode.
  let useCustomPropertiesEncoding = hasProperties;

  // C++ for the class beside what every operation gets.
  string extraOpDeclaration = "";

  string operandSpecs = !interleave(
      !foreach(i, operandIndices,
               "{\"" # !getdagname(arguments, i) # "\", \""
                     # !getdagarg<MLA_Operand>(arguments, i).dims # "\", "
                     # !if(!getdagarg<MLA_Operand>(arguments, i).isOptional,
                           "true", "false") # ", "
                     # !if(!getdagarg<MLA_Operand>(arguments, i).isInit,
                           "true", "false") # "}"),
      ",\n        ");

  let extraClassDeclaration = [{
    static ::llvm::ArrayRef<::mla::OperandSpec> getOperandSpecs() {
      static constexpr ::mla::OperandSpec specs[] = {
        }] # operandSpecs # [{};
      return specs;
    }
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mla::detail::getDpsInits(*this);
    }
    }] # extraOpDeclaration;

  string propertiesDefinition = [{
    ::llvm::LogicalResult $cppClass::readProperties(
        ::mlir::DialectBytecodeReader &reader, ::mlir::OperationState &state) {
      return ::mla::detail::readProperties<$cppClass>(reader, state);
    }
    void $cppClass::writeProperties(::mlir::DialectBytecodeWriter &writer) {
      ::mla::detail::writeProperties(*this, writer);
    }
  }];

  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser,
                                         ::mlir::OperationState &state) {
      return ::mla::detail::parseOp<$cppClass>(parser, state);
    }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) {
      ::mla::detail::printOp(*this, printer);
    }
    }] # !if(hasProperties, propertiesDefinition, "") # [{
    void $cppClass::getEffects(
        ::llvm::SmallVectorImpl<::mlir::SideEffects::EffectInstance<
            ::mlir::MemoryEffects::Effect>> &effects) {
      ::mla::detail::getEffects(*this, effects);
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder,
        ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return ::mla::detail::reifyResultShapes(*this, builder, shapes);
    }
    void $cppClass::getAsmResultNames(
        ::mlir::OpAsmSetValueNameFn setNameFn) {
      ::mla::detail::getAsmResultNames(*this, setNameFn);
    }
  }];
}

// An operation that may rotate.
class MLA_RotatingOp<string mnemonic, list<Trait> traits = []>
    : MLA_Op<mnemonic, !listconcat([MLA_RopeOpInterface], traits)>;

#endif // MLA_IR_MLAOPBASE_TD
