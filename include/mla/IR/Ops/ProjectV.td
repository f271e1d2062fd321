//===- ProjectV.td - mla.project_v ----------------------- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_PROJECTV_TD
#define MLA_IR_OPS_PROJECTV_TD

include "mla/IR/MLAOpBase.td"

def MLA_ProjectVOp : MLA_Op<"project_v"> {
  let summary = "Applies the values' up-projection to the attention's output";
  let description = [{
    out[t,h,:] = w_uv[h,:,:] x o_latent[t,h,:] (DeepSeek-V2, arXiv:2405.04434,
    section 2.1.2).

    ```mlir
    %r = mla.project_v
        ins(o_latent = %o : tensor<?x16x512xbf16>, w_uv = %w : tensor<16x128x512xbf16>)
        outs(out = %out : tensor<?x16x128xbf16>)
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** All operands have one element type.
  }];
  let arguments = (ins
    MLA_In<MLA_Act, "T,H,L", "attention's output over the latent">:$o_latent,
    MLA_In<MLA_Act, "H,V,L", "V rows of w_kv_b">:$w_uv,
    MLA_Out<MLA_Act, "T,H,V", "per-head output">:$out
  );
}

#endif // MLA_IR_OPS_PROJECTV_TD
