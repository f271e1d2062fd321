//===- Schedule.td - mla.schedule ------------------------ -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_SCHEDULE_TD
#define MLA_IR_OPS_SCHEDULE_TD

include "mla/IR/MLAOpBase.td"

def MLA_ScheduleOp : MLA_Op<"schedule"> {
  let summary = "Splits ragged sequences over the device, once a step";
  let description = [{
    Writes an opaque plan for `mla.absorbed_attention`. It depends on the lengths
    only, so all layers of a step share it. The destination has at least
    4096 + 2 (B + 1) elements.

    ```mlir
    %r = mla.schedule
        ins(kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
        outs(schedule = %s : tensor<?xi32>) {num_heads = 16 : i64, page_size = 64 : i64}
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** `num_heads` and `page_size` are positive.
    * **(C4)** The destination is large enough, where its size and B are static.
  }];
  let arguments = (ins
    MLA_In<MLA_I32, "B", "keys of each sequence on this rank">:$kv_lens,
    MLA_In<MLA_I32, "B+1", "first token of each sequence">:$cu_q,
    MLA_Out<MLA_I32, "S", "opaque plan">:$schedule,
    I64Attr:$num_heads,
    I64Attr:$page_size
  );
}

#endif // MLA_IR_OPS_SCHEDULE_TD
