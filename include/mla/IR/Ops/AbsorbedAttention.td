//===- AbsorbedAttention.td - mla.absorbed_attention ----- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_ABSORBEDATTENTION_TD
#define MLA_IR_OPS_ABSORBEDATTENTION_TD

include "mla/IR/MLAOpBase.td"

def MLA_AbsorbedAttentionOp
    : MLA_Op<"absorbed_attention", [AttrSizedOperandSegments]> {
  let summary = "Attention over the paged latent cache";
  let description = [{
    Token t of sequence b attends to the first kv_lens[b] - (cu_q[b+1] - 1 - t)
    keys of the sequence, or to the first kv_bounds[t] where that is given; with
    `indices` only to those among them. All heads share the cache's rows: the key
    is the whole row, the value its latent part. lse is the natural logarithm of
    the sum of the exponentials of the scaled logits, a sink included. Where no
    key is visible o is 0 and lse the sink, or -inf without one; padding gets
    o = 0 and lse = -inf.

    ```mlir
    %r:2 = mla.absorbed_attention
        ins(query = %q : tensor<?x16x576xbf16>, cache = %c : tensor<?x64x576xbf16>,
            page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
            cu_q = %cu : tensor<?xi32>)
        outs(o = %o : tensor<?x16x512xbf16>, lse = %lse : tensor<?x16xf32>)
        {softmax_scale = 0.07216878364870322 : f64}
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** `softmax_scale` is finite and positive.
    * **(C4)** An f8E4M3FN query comes with `query_scale`, an f8E4M3FN cache with
      `latent_scale` and, where R > 0, `pe_scale`; others with none of them.
      Beside an i8 cache the query is not f8E4M3FN.
    * **(C5)** A query and a cache that are neither f8E4M3FN nor i8 have one
      element type; o has it or is f32.
  }];
  let arguments = (ins
    MLA_In<MLA_Quant, "T,H,L+R", "absorbed query">:$query,
    MLA_In<MLA_Cache, "pages,P,L+R", "paged cache">:$cache,
    MLA_In<MLA_I32, "B,K", "physical page of each logical page">:$page_table,
    MLA_In<MLA_I32, "B", "keys of each sequence on this rank">:$kv_lens,
    MLA_In<MLA_I32, "B+1", "first token of each sequence">:$cu_q,
    MLA_OptIn<MLA_I32, "T", "how many keys each token sees">:$kv_bounds,
    MLA_OptIn<MLA_I32, "S", "result of mla.schedule for these lengths">:$schedule,
    MLA_OptIn<MLA_F32, "", "dequantization scale of the query">:$query_scale,
    MLA_OptIn<MLA_F32, "", "dequantization scale of the latent">:$latent_scale,
    MLA_OptIn<MLA_F32, "", "dequantization scale of the pe part">:$pe_scale,
    MLA_OptIn<MLA_F32, "H", "one more logit a head, without a value">:$sinks,
    MLA_OptIn<MLA_I32, "T,topk", "logical key positions a token sees; -1: none">:$indices,
    MLA_HostScalar<"bound of kv_lens, a hint; 0: unknown">:$max_kv,
    MLA_Out<MLA_Act, "T,H,L", "output over the latent">:$o,
    MLA_OptOut<MLA_F32, "T,H", "log-sum-exp">:$lse,
    F64Attr:$softmax_scale
  );
}

#endif // MLA_IR_OPS_ABSORBEDATTENTION_TD
