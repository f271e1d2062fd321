//===- Acme.td - A dialect of somebody else's --------------*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ACME_TD
#define ACME_TD

include "mla/IR/MLAAttrs.td"
include "mlir/IR/OpBase.td"

def Acme_Dialect : Dialect {
  let name = "acme";
  let cppNamespace = "::acme";
  let dependentDialects = ["::mla::MLADialect"];
}

def Acme_CachedAttentionOp : Op<Acme_Dialect, "cached_attention"> {
  let summary = "Latent attention as Acme's models have it";
  let description = [{
    The latent and the positional key are one tensor, as the down-projection
    leaves them, and the output is a new tensor: mla has two operands and a
    destination.
  }];
  let arguments = (ins
    AnyRankedTensor:$q,      // [tokens, heads, nope + pe]
    AnyRankedTensor:$kv,     // [tokens, latent + pe]
    AnyRankedTensor:$kv_b,   // [heads, nope + value, latent]
    AnyRankedTensor:$table,  // [positions, pe]: cosines, then sines
    AnyRankedTensor:$pages,  // [sequences, pages of each]
    AnyRankedTensor:$lens,   // [sequences]: keys, the new ones included
    AnyRankedTensor:$starts, // [sequences + 1]: the first token of each
    AnyRankedTensor:$cache,  // [pages, page size, latent + pe]
    F64Attr:$scale,
    MLA_RopeAttr:$rope
  );
  let results = (outs AnyRankedTensor:$out, AnyRankedTensor:$new_cache);
  let assemblyFormat = [{
    $q `,` $kv `,` $kv_b `,` $table `at` $pages `,` $lens `,` $starts
    `into` $cache attr-dict `:` functional-type(operands, results)
  }];
}

#endif // ACME_TD
