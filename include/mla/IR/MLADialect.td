//===- MLADialect.td - The mla dialect ---------------------*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_MLADIALECT_TD
#define MLA_IR_MLADIALECT_TD

include "mlir/IR/OpBase.td"

def MLA_Dialect : Dialect {
  let name = "mla";
  let cppNamespace = "::mla";
  let summary = "Multi-head latent attention, rotary position embedding optional";
  let description = [{
    The attention core of a model with multi-head latent attention (DeepSeek-V2,
    arXiv:2405.04434, section 2.1), from the projections' outputs to the
    per-head output. Operations are in destination-passing style, on ranked
    tensors or, after bufferization, on memrefs; the destinations are
    read-modify-write.

    Symbols of shapes: T query tokens of the launch, B sequences, H query heads,
    L = kv_lora_rank, N = qk_nope_head_dim, R = qk_rope_head_dim (may be 0),
    V = v_head_dim, P = page size in tokens, K = pages a sequence. A row of the
    cache is `[latent L | pe R]`. A block-scaled cache has elements of type i8 and
    rows of bytes: L f8E4M3FN latents, L/128 f32 scales, each of 128 columns of
    the latent, and R pe columns in the activations' type, or in bf16 where that
    is f32. With L = 512 and R = 64 these are 656 bytes.

    Every operation obeys two shared constraints:

    * **(C1)** Within an operation all operands agree with the shapes that its
      table names: one size for a symbol. Sizes of H, L, N, R, V, D and P are
      static; the others may be dynamic, and then the runtime checks them. An
      operand of width R = 0 may be present; canonicalization removes it. A
      block-scaled cache has L a multiple of 128 and rows of L + 4 L/128 + 2 R
      bytes, which in a memref are contiguous and start at multiples of 4 bytes.
    * **(C2)** Operands are all ranked tensors or all memrefs (host scalars
      aside). With tensors there is one result for each destination, in order
      and of its type; with memrefs there is none.

    Attributes that the dialect gives a meaning wherever they are:

    | attribute | of | is |
    |---|---|---|
    | `mla.name` | argument | its name in the manifest and in messages |
    | `mla.role` | argument | `"input"`, `"output"`, `"inout"`, `"constant"` or `"scalar"` |
    | `mla.dims` | argument | a string for each dim, its name in the manifest; `""` or `"?"`: none |
    | `mla.context` | argument | unit: it is the runtime's context |
    | `mla.host` | function | unit: it is no entry, runs on the host and has the calling thread's context |
    | `mla.rope_off` | operation | a string: why its rope went away |
    | `mla.notes` | module | strings: the choices that passes made for it |
    | `mla.workspace` | entry | string: the bytes that it takes of the workspace, as the manifest writes them |
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasCanonicalizer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"
  ];
  let extraClassDeclaration = [{
    /// Version of the bytecode encoding of the dialect's operations.
    static constexpr uint64_t kBytecodeVersion = 2;

    /// Entry argument attributes, in the order that a signature prints them.
    static constexpr llvm::StringLiteral kNameAttr = "mla.name";
    static constexpr llvm::StringLiteral kRoleAttr = "mla.role";
    static constexpr llvm::StringLiteral kDimsAttr = "mla.dims";
    /// The name that `dims`, an argument's mla.dims or null, gives dimension
    /// `dim`. Null where it gives none, so that the size is one of its own.
    static ::mlir::StringAttr getSizeName(::mlir::ArrayAttr dims, int64_t dim);
    /// Unit attribute of functions whose context is the calling thread's.
    static constexpr llvm::StringLiteral kHostAttr = "mla.host";
    /// String attribute of an operation: why its rope went away.
    static constexpr llvm::StringLiteral kRopeOffAttr = "mla.rope_off";
    /// Array of strings of a module: the choices that passes made for it.
    static constexpr llvm::StringLiteral kNotesAttr = "mla.notes";
    /// String attribute of an entry: the bytes that it takes from the arena, as
    /// the manifest's `workspace.formula`.
    static constexpr llvm::StringLiteral kWorkspaceAttr = "mla.workspace";
  }];
}

#endif // MLA_IR_MLADIALECT_TD
