//===- AbsorbQ.td - mla.absorb_q ------------------------- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_ABSORBQ_TD
#define MLA_IR_OPS_ABSORBQ_TD

include "mla/IR/MLAOpBase.td"

def MLA_AbsorbQOp : MLA_Op<"absorb_q"> {
  let summary = "Folds the keys' up-projection into the query";
  let description = [{
    query[t,h,:] = q_nope[t,h,:] x w_uk[h,:,:] (DeepSeek-V2, arXiv:2405.04434,
    section 2.1.2), usually into the latent columns of the absorbed query and
    from the nope columns of q.

    ```mlir
    %r = mla.absorb_q
        ins(q_nope = %q : tensor<?x16x128xbf16>, w_uk = %w : tensor<16x128x512xbf16>)
        outs(query = %o : tensor<?x16x512xbf16>)
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** All operands have one element type.
  }];
  let arguments = (ins
    MLA_In<MLA_Act, "T,H,N", "query's nope part">:$q_nope,
    MLA_In<MLA_Act, "H,N,L", "K rows of w_kv_b">:$w_uk,
    MLA_Out<MLA_Act, "T,H,L", "query's latent columns">:$query
  );
}

#endif // MLA_IR_OPS_ABSORBQ_TD
