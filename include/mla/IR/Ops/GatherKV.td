//===- GatherKV.td - mla.gather_kv ----------------------- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_GATHERKV_TD
#define MLA_IR_OPS_GATHERKV_TD

include "mla/IR/MLAOpBase.td"

def MLA_GatherKVOp : MLA_Op<"gather_kv", [AttrSizedOperandSegments]> {
  let summary = "A window of cache rows back to contiguous, dequantized";
  let description = [{
    Row b * window_length + i of the destinations is key window_start + i of
    sequence b, 0 beyond the sequence's end. A sequence of more than `max_kv`
    keys is reported when the operation runs, and its rows are 0.

    ```mlir
    %r:2 = mla.gather_kv
        ins(cache = %c : tensor<?x64x576xbf16>, page_table = %pages : tensor<?x?xi32>,
            kv_lens = %lens : tensor<?xi32>, window_start = %start : index,
            window_length = %length : index)
        outs(c_kv = %c_kv : tensor<?x512xbf16>, k_pe = %k_pe : tensor<?x64xbf16>)
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** `window_length` is present.
    * **(C4)** k_pe is present where R > 0.
    * **(C5)** An f8E4M3FN cache comes with `latent_scale` and, where R > 0,
      `pe_scale`; another cache with neither. c_kv and k_pe have one element type,
      that of a cache that is neither f8E4M3FN nor i8.
  }];
  let arguments = (ins
    MLA_In<MLA_Cache, "pages,P,L+R", "paged cache">:$cache,
    MLA_In<MLA_I32, "B,K", "physical page of each logical page">:$page_table,
    MLA_In<MLA_I32, "B", "keys of each sequence">:$kv_lens,
    MLA_OptIn<MLA_F32, "", "dequantization scale of the latent">:$latent_scale,
    MLA_OptIn<MLA_F32, "", "dequantization scale of the pe part">:$pe_scale,
    MLA_HostScalar<"first key of the window; absent: 0">:$window_start,
    MLA_HostScalar<"keys of the window a sequence">:$window_length,
    MLA_HostScalar<"bound of kv_lens, a hint; absent or 0: unknown">:$max_kv,
    MLA_Out<MLA_Act, "S,L", "latents">:$c_kv,
    MLA_OptOut<MLA_Act, "S,R", "positional keys">:$k_pe
  );
}

#endif // MLA_IR_OPS_GATHERKV_TD
