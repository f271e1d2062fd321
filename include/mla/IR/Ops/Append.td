//===- Append.td - mla.append ---------------------------- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_APPEND_TD
#define MLA_IR_OPS_APPEND_TD

include "mla/IR/MLAOpBase.td"

def MLA_AppendOp : MLA_RotatingOp<"append", [AttrSizedOperandSegments]> {
  let summary = "Rotates, quantizes, appends to the cache and assembles the query";
  let description = [{
    Everything between the projections and the attention, in one launch. Token t
    goes to cache row slots[t] as `[c_kv | rotated k_pe]`, unless that is -1. The
    query's row becomes `[q_nope | rotated q_pe]`; with q_nope absent its first D
    columns are already there, with q_pe absent its last R columns are rotated in
    place. D is L in the absorbed form, N in the expanded one. Destinations are
    optional; an absent one is not computed. Rotation is in f32; what is neither
    rotated nor quantized is copied bit for bit. Quantization is
    sat_e4m3(x * (1 / scale)).

    ```mlir
    %r:2 = mla.append
        ins(c_kv = %c_kv : tensor<?x512xbf16>, k_pe = %k_pe : tensor<?x64xbf16>,
            q_pe = %q_pe : tensor<?x16x64xbf16>, slots = %slots : tensor<?xi64>,
            cos_sin = %table : tensor<?x64xf32>, positions = %p : tensor<?xi64>)
        outs(query = %q : tensor<?x16x576xbf16>, cache = %c : tensor<?x64x576xbf16>)
        {rope = #mla.rope<interleaved, head_dim = 64>}
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** There is a destination; c_kv and slots are present exactly when
      the cache is.
    * **(C4)** k_pe is present where k_pe_out is, or where the cache's rows are
      wider than c_kv's; it needs the cache or k_pe_out. q_nope and q_pe need the
      query.
    * **(C5)** A live rope has head_dim = R and comes with `cos_sin` and
      `positions`. Without one, these two are ignored, whatever their shapes, and
      canonicalization removes them.
    * **(C6)** c_kv, k_pe, q_nope and q_pe have one element type, the input
      type; k_pe_out has it too. The query has it or is f8E4M3FN, the cache has
      it or is f8E4M3FN or i8.
    * **(C7)** An f8E4M3FN query comes with q_nope, q_pe where R > 0, and
      `query_scale`, an f8E4M3FN cache with `latent_scale` and, where R > 0,
      `pe_scale`; others with none of them. Beside an i8 cache the query is not
      f8E4M3FN.
  }];
  let arguments = (ins
    MLA_OptIn<MLA_Act, "T,L", "compressed KV after its norm">:$c_kv,
    MLA_OptIn<MLA_Act, "T,R", "shared positional key, before rotation">:$k_pe,
    MLA_OptIn<MLA_Act, "T,H,D", "query's first D columns">:$q_nope,
    MLA_OptIn<MLA_Act, "T,H,R", "positional query, before rotation">:$q_pe,
    MLA_OptIn<MLA_I64, "T", "cache row of each token, -1: none">:$slots,
    MLA_OptIn<MLA_F32, "max_pos,R", "cos in columns [0, R/2), sin in the rest">:$cos_sin,
    MLA_OptIn<MLA_Int, "T", "global position of each token">:$positions,
    MLA_OptIn<MLA_I32, "B+1", "first token of each sequence; rows of query and k_pe_out from cu_q[B] on become 0">:$cu_q,
    MLA_OptIn<MLA_F32, "", "quantization scale of the query">:$query_scale,
    MLA_OptIn<MLA_F32, "", "quantization scale of the latent">:$latent_scale,
    MLA_OptIn<MLA_F32, "", "quantization scale of the pe part">:$pe_scale,
    MLA_OptOut<MLA_Quant, "T,H,D+R", "assembled query">:$query,
    MLA_OptOut<MLA_Act, "T,R", "rotated positional key">:$k_pe_out,
    MLA_OptOut<MLA_Cache, "pages,P,L+R", "paged cache">:$cache,
    OptionalAttr<MLA_RopeAttr>:$rope,
    OptionalAttr<MLA_RoundingAttr>:$rounding,
    OptionalAttr<MLA_PhaseAttr>:$phase
  );
  let hasCanonicalizer = 1;
}

#endif // MLA_IR_OPS_APPEND_TD
