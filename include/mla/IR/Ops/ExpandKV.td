//===- ExpandKV.td - mla.expand_kv ----------------------- -*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPS_EXPANDKV_TD
#define MLA_IR_OPS_EXPANDKV_TD

include "mla/IR/MLAOpBase.td"

def MLA_ExpandKVOp : MLA_Op<"expand_kv"> {
  let summary = "Rebuilds keys and values from the latent in one matmul";
  let description = [{
    kv[s,h,:] = w_kv_b[h,:,:] x c_kv[s,:]. A head's first N columns are its keys'
    nope part, the other V its values.

    ```mlir
    %r = mla.expand_kv
        ins(c_kv = %c : tensor<?x512xbf16>, w_kv_b = %w : tensor<16x256x512xbf16>)
        outs(kv = %kv : tensor<?x16x256xbf16>)
    ```

    Constraints, beyond (C1) and (C2):

    * **(C3)** All operands have one element type.
  }];
  let arguments = (ins
    MLA_In<MLA_Act, "S,L", "latents">:$c_kv,
    MLA_In<MLA_Act, "H,N+V,L", "up-projection, a head's K rows first">:$w_kv_b,
    MLA_Out<MLA_Act, "S,H,N+V", "keys' nope part and values, side by side">:$kv
  );
}

#endif // MLA_IR_OPS_EXPANDKV_TD
