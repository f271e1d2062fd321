//===- SlotMapping.td - mla.slot_mapping ----------------- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_SLOTMAPPING_TD
#define MLA_IR_OPS_SLOTMAPPING_TD

include "mla/IR/MLAOpBase.td"

def MLA_SlotMappingOp : MLA_Op<"slot_mapping", [AttrSizedOperandSegments]> {
  let summary = "Where each token goes";
  let description = [{
    For token t of sequence b: position kv_lens[b] - (cu_q[b+1] - t), and slot
    `page * page_size + row`, the physical row that holds that position; slot -1
    for padding (t >= cu_q[B]). With context parallelism over `cp_size` ranks,
    runs of `cp_interleave` positions belong to the ranks in turn; then slots of
    other ranks' positions are -1, `local_kv_lens` counts this rank's keys and
    `kv_bounds` how many of them a token sees.

    ```mlir
    %r:2 = mla.slot_mapping
        ins(kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>,
            page_table = %pages : tensor<?x?xi32>)
        outs(positions = %p : tensor<?xi64>, slots = %s : tensor<?xi64>)
        {page_size = 64 : i64}
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** `page_size` is positive.
    * **(C4)** `cp_size` and `cp_interleave` are positive and come together, with
      the operand `cp_rank`.
    * **(C5)** `local_kv_lens` and `kv_bounds` need context parallelism.
  }];
  let arguments = (ins
    MLA_In<MLA_I32, "B", "keys of each sequence, the new ones included">:$kv_lens,
    MLA_In<MLA_I32, "B+1", "first token of each sequence">:$cu_q,
    MLA_In<MLA_I32, "B,K", "physical page of each logical page">:$page_table,
    MLA_HostScalar<"rank in [0, cp_size)">:$cp_rank,
    MLA_Out<MLA_Int, "T", "global position of each token, 0 for padding">:$positions,
    MLA_Out<MLA_I64, "T", "cache row of each token, -1: none">:$slots,
    MLA_OptOut<MLA_I32, "B", "this rank's keys of each sequence">:$local_kv_lens,
    MLA_OptOut<MLA_I32, "T", "this rank's keys that a token sees">:$kv_bounds,
    I64Attr:$page_size,
    OptionalAttr<I64Attr>:$cp_size,
    OptionalAttr<I64Attr>:$cp_interleave
  );
}

#endif // MLA_IR_OPS_SLOTMAPPING_TD
