//===- Rope.td - mla.rope -------------------------------- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_ROPE_TD
#define MLA_IR_OPS_ROPE_TD

include "mla/IR/MLAOpBase.td"

def MLA_RopeOp : MLA_RotatingOp<"rope", [AttrSizedOperandSegments]> {
  let summary = "Rotary position embedding alone";
  let description = [{
    Rotates the rows of x by the table's row at each token's position (RoFormer,
    arXiv:2104.09864, equation 34): a pair (a, b) becomes (a cos - b sin,
    b cos + a sin), computed in f32. Without a live rope it copies.

    ```mlir
    %r = mla.rope
        ins(x = %k_pe : tensor<?x64xbf16>, cos_sin = %table : tensor<?x64xf32>,
            positions = %p : tensor<?xi64>)
        outs(y = %y : tensor<?x64xbf16>) {rope = #mla.rope<interleaved, head_dim = 64>}
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** A live rope has head_dim = R and comes with `cos_sin` and
      `positions`. Without one, these two are ignored, whatever their shapes, and
      canonicalization removes them.
    * **(C4)** y is f32 or has the element type of x.
    * **(C5)** x has rank 2 or 3.
  }];
  let arguments = (ins
    MLA_In<MLA_Act, "T,*,R", "rows to rotate">:$x,
    MLA_OptIn<MLA_F32, "max_pos,R", "cos in columns [0, R/2), sin in the rest">:$cos_sin,
    MLA_OptIn<MLA_Int, "T", "global position of each token">:$positions,
    MLA_Out<MLA_Act, "T,*,R", "rotated rows">:$y,
    OptionalAttr<MLA_RopeAttr>:$rope,
    OptionalAttr<MLA_PhaseAttr>:$phase
  );
  let hasCanonicalizer = 1;
}

#endif // MLA_IR_OPS_ROPE_TD
