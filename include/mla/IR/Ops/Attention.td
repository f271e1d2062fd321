//===- Attention.td - mla.attention ---------------------- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_ATTENTION_TD
#define MLA_IR_OPS_ATTENTION_TD

include "mla/IR/MLAOpBase.td"

def MLA_AttentionOp : MLA_RotatingOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "The whole attention core, as a front end emits it";
  let description = [{
    Rotates the positional parts where the rope is live, appends the new keys to
    the cache and attends to all keys of each sequence, causally. It is never
    lowered itself: `mla-decompose` picks the absorbed or the expanded form.

    The queries of sequence b are the tokens [cu_q[b], cu_q[b+1]); its keys are
    the first kv_lens[b] rows that its pages hold, the new ones last. With
    `positions` absent they and the slots follow from `mla.slot_mapping`.
    The logits are scaled by `softmax_scale`, which a front end computes from
    N+R, with the model's YaRN factor in it.

    ```mlir
    %r:2 = mla.attention
        ins(q = %q : tensor<?x16x192xbf16>, c_kv = %c_kv : tensor<?x512xbf16>,
            k_pe = %k_pe : tensor<?x64xbf16>,
            w_kv_b = %w : tensor<16x256x512xbf16>,
            page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
            cu_q = %cu : tensor<?xi32>, cos_sin = %table : tensor<?x64xf32>)
        outs(out = %o : tensor<?x16x128xbf16>, cache = %c : tensor<?x64x576xbf16>)
        {rope = #mla.rope<interleaved, head_dim = 64>,
         softmax_scale = 0.07216878364870322 : f64}
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** k_pe is present where R > 0, R being the width of q less N.
    * **(C4)** A live rope has head_dim = R and comes with `cos_sin`. Without
      one, `cos_sin` and `positions` are ignored, whatever their shapes, and
      canonicalization removes them.
    * **(C5)** q, c_kv, k_pe and w_kv_b have one element type; out has it too.
      The cache has it or is f8E4M3FN or i8.
    * **(C6)** An f8E4M3FN cache comes with `latent_scale` and, where R > 0,
      `pe_scale`; another cache with neither. `query_scale` needs an f8E4M3FN
      cache and quantizes the query too.
    * **(C7)** `softmax_scale` is finite and positive.
    * **(C8)** `num_generation_seqs` and `num_generation_tokens` come together.
  }];
  let arguments = (ins
    MLA_In<MLA_Act, "T,H,N+R", "query after its up-projection, nope part first">:$q,
    MLA_In<MLA_Act, "T,L", "compressed KV after its norm">:$c_kv,
    MLA_OptIn<MLA_Act, "T,R", "shared positional key, before rotation">:$k_pe,
    MLA_In<MLA_Act, "H,N+V,L", "up-projection of the latent, a head's K rows first">:$w_kv_b,
    MLA_In<MLA_I32, "B,K", "physical page of each logical page">:$page_table,
    MLA_In<MLA_I32, "B", "keys of each sequence, the new ones included">:$kv_lens,
    MLA_In<MLA_I32, "B+1", "first token of each sequence">:$cu_q,
    MLA_OptIn<MLA_F32, "max_pos,R", "cos in columns [0, R/2), sin in the rest">:$cos_sin,
    MLA_OptIn<MLA_Int, "T", "global position of each token">:$positions,
    MLA_OptIn<MLA_F32, "", "quantization scale of the query">:$query_scale,
    MLA_OptIn<MLA_F32, "", "quantization scale of the latent">:$latent_scale,
    MLA_OptIn<MLA_F32, "", "quantization scale of the pe part">:$pe_scale,
    MLA_OptIn<MLA_F32, "H", "one more logit a head, without a value">:$sinks,
    MLA_OptIn<MLA_I32, "T,topk", "logical key positions a token sees; -1: none">:$indices,
    MLA_HostScalar<"bound of kv_lens, a hint; 0: unknown">:$max_kv,
    MLA_HostScalar<"leading sequences that are in generation">:$num_generation_seqs,
    MLA_HostScalar<"tokens of those sequences">:$num_generation_tokens,
    MLA_Out<MLA_Act, "T,H,V", "per-head output">:$out,
    MLA_Out<MLA_Cache, "pages,P,L+R", "paged cache">:$cache,
    OptionalAttr<MLA_RopeAttr>:$rope,
    F64Attr:$softmax_scale,
    OptionalAttr<MLA_RoundingAttr>:$rounding,
    OptionalAttr<MLA_PhaseAttr>:$phase
  );
}

#endif // MLA_IR_OPS_ATTENTION_TD
