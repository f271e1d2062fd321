//===- ExpandedAttention.td - mla.expanded_attention ----- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_EXPANDEDATTENTION_TD
#define MLA_IR_OPS_EXPANDEDATTENTION_TD

include "mla/IR/MLAOpBase.td"

def MLA_ExpandedAttentionOp
    : MLA_Op<"expanded_attention", [AttrSizedOperandSegments]> {
  let summary = "Attention over rebuilt keys and values";
  let description = [{
    The positional key is shared by all heads and never copied. The keys of
    sequence b are the rows [cu_k[b], cu_k[b+1]); or, with a window, row
    b * window_length + i holds key window_start + i of the sequence, which has
    kv_lens[b] keys in all. `causal` is bottom-right aligned over all keys of the
    sequence, those outside the window included. `indices` are logical key
    positions. A part of a launch's tokens keeps the launch's cu_q: its first
    token has the number `first_token` there, and cu_q[0] is that number. lse and
    empty rows are as in `mla.absorbed_attention`.

    ```mlir
    %r:2 = mla.expanded_attention
        ins(q = %q : tensor<?x16x192xbf16>, k_nope = %k : tensor<?x16x128xbf16>,
            k_pe = %k_pe : tensor<?x64xbf16>, v = %v : tensor<?x16x128xbf16>,
            cu_q = %cu_q : tensor<?xi32>, kv_lens = %lens : tensor<?xi32>,
            window_start = %start : index, window_length = %length : index)
        outs(o = %o : tensor<?x16x128xf32>, lse = %lse : tensor<?x16xf32>)
        {causal, softmax_scale = 0.07216878364870322 : f64}
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** `softmax_scale` is finite and positive.
    * **(C4)** Either `cu_k` is present, or `kv_lens` and `window_length` are; a
      window starts at 0 where `window_start` is absent.
    * **(C5)** k_pe is present where R > 0.
    * **(C6)** q, k_nope, k_pe and v have one element type; o has it or is f32.
  }];
  let arguments = (ins
    MLA_In<MLA_Act, "T,H,N+R", "rotated query">:$q,
    MLA_In<MLA_Act, "S,H,N", "keys' nope part">:$k_nope,
    MLA_OptIn<MLA_Act, "S,R", "rotated positional key">:$k_pe,
    MLA_In<MLA_Act, "S,H,V", "values">:$v,
    MLA_In<MLA_I32, "B+1", "first token of each sequence">:$cu_q,
    MLA_OptIn<MLA_I32, "B+1", "first key row of each sequence">:$cu_k,
    MLA_OptIn<MLA_I32, "B", "all keys of each sequence">:$kv_lens,
    MLA_OptIn<MLA_F32, "H", "one more logit a head, without a value">:$sinks,
    MLA_OptIn<MLA_I32, "T,topk", "logical key positions a token sees; -1: none">:$indices,
    MLA_HostScalar<"first key of the window">:$window_start,
    MLA_HostScalar<"keys of the window a sequence, padded">:$window_length,
    MLA_HostScalar<"number of q's first token in cu_q's count; absent: 0">:$first_token,
    MLA_Out<MLA_Act, "T,H,V", "per-head output">:$o,
    MLA_OptOut<MLA_F32, "T,H", "log-sum-exp">:$lse,
    UnitAttr:$causal,
    F64Attr:$softmax_scale
  );
}

#endif // MLA_IR_OPS_EXPANDEDATTENTION_TD
