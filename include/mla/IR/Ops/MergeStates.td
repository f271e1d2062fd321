//===- MergeStates.td - mla.merge_states ----------------- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_MERGESTATES_TD
#define MLA_IR_OPS_MERGESTATES_TD

include "mla/IR/MLAOpBase.td"

def MLA_MergeStatesOp : MLA_Op<"merge_states"> {
  let summary = "Accumulates partial attention states";
  let description = [{
    For every state s on the leading dimension, (o, lse) becomes
    (o exp(lse) + o_s exp(lse_s)) / (exp(lse) + exp(lse_s)) and
    log(exp(lse) + exp(lse_s)) (Milakov and Gimelshein, arXiv:1805.02867, section
    3.1). Associative and commutative; the empty state is (0, -inf). A sink is
    the state (0, sink).

    ```mlir
    %r:2 = mla.merge_states
        ins(o_states = %os : tensor<?x?x16x512xf32>, lse_states = %ls : tensor<?x?x16xf32>)
        outs(o = %o : tensor<?x16x512xf32>, lse = %lse : tensor<?x16xf32>)
    ```
  }];
  let arguments = (ins
    MLA_In<MLA_Act, "S,T,H,D", "partial outputs">:$o_states,
    MLA_In<MLA_F32, "S,T,H", "their log-sum-exps">:$lse_states,
    MLA_Out<MLA_F32, "T,H,D", "accumulated output">:$o,
    MLA_Out<MLA_F32, "T,H", "accumulated log-sum-exp">:$lse
  );
  let hasCanonicalizer = 1;
}

#endif // MLA_IR_OPS_MERGESTATES_TD
