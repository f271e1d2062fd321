//===- Passes.td - Transformations of mla operations -------*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TRANSFORMS_PASSES_TD
#define MLA_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def MLADisableRope : Pass<"mla-disable-rope", "::mlir::ModuleOp"> {
  let summary = "Switches rotary position embedding off, for one phase or for all";
  let description = [{
    Disables the live rope of every operation of a phase and notes why on it
    (`mla.rope_off`) and in the module (`mla.notes`). Canonicalization then
    removes what the rotation alone needed. It is for models whose caller rotates
    already in that phase.

    With `phase=all` every operation is meant, with a phase attribute or without.
    With one phase, an operation with a live rope and without a phase is an
    error. Where operations of the other phase keep their rope, keys in the cache
    are rotated by one phase and not by the other: a warning at the operation
    that is switched names one that isn't.

    Before, with `phase=generation`:

    ```mlir
    func.func @f(%x: tensor<?x64xbf16>, %table: tensor<?x64xf32>,
                 %p: tensor<?xi64>, %y: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
      %r = mla.rope
          ins(x = %x : tensor<?x64xbf16>, cos_sin = %table : tensor<?x64xf32>,
              positions = %p : tensor<?xi64>)
          outs(y = %y : tensor<?x64xbf16>)
          {phase = #mla.phase<generation>,
           rope = #mla.rope<interleaved, head_dim = 64>}
      return %r : tensor<?x64xbf16>
    }
    ```

    After:

    ```mlir
    module attributes {mla.notes = ["mla-disable-rope phase=generation"]} {
      func.func @f(%x: tensor<?x64xbf16>, %table: tensor<?x64xf32>,
                   %p: tensor<?xi64>, %y: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
        %r = mla.rope
            ins(x = %x : tensor<?x64xbf16>, cos_sin = %table : tensor<?x64xf32>,
                positions = %p : tensor<?xi64>)
            outs(y = %y : tensor<?x64xbf16>)
            {mla.rope_off = "mla-disable-rope phase=generation",
             phase = #mla.phase<generation>,
             rope = #mla.rope<interleaved, head_dim = 64, enabled = false>}
        return %r : tensor<?x64xbf16>
      }
    }
    ```
  }];
  let options = [
    Option<"phase", "phase", "std::string", /*default=*/"\"\"",
           "Which operations to switch: context, generation or all (required)">
  ];
}

def MLADecompose : Pass<"mla-decompose"> {
  let summary = "Replaces mla.attention by the operations that compute it";
  let description = [{
    Every form appends first, in one operation, and then reads all keys back from the
    cache, the new ones too: a quantized cache has one meaning. The slots always come
    from `slot_mapping`; the positions too, unless the operation has its own.

    **form=absorbed** (DeepSeek-V2, arXiv:2405.04434, section 2.1.2): the keys'
    up-projection is folded into the query and all heads attend to the latent cache,

        slot_mapping -> absorb_q -> append -> absorbed_attention -> project_v

    `absorb_q` writes the latent columns of the query in place; the query is never
    concatenated. Where R = 0 its destination is the query itself and `append`
    writes the cache only; an fp8 query is assembled and quantized by `append`
    from a separate buffer.

    **form=expanded**: keys and values are rebuilt for every head,

        slot_mapping -> append -> gather_kv -> expand_kv -> expanded_attention

    over one window of M keys a sequence, M being the hint `max_kv` where that is
    given and not 0, and at most what the page table reaches. Where nothing rotates,
    q itself is the query. With `chunk-length` = N > 0 and M > N an `scf.for` takes
    ceil(M / N) windows of one length one after the other; `merge_states`
    accumulates their states in f32, in place, from the state of the sinks
    (0, sink), or (0, -inf). The loop allocates and copies nothing. A sequence of more
    than `max_kv` keys is reported by `gather_kv`. A quantized query (`query_scale`)
    exists in the absorbed form alone: an error.

    **form=auto**: the form with fewer multiply-adds. For T tokens and B sequences of at
    most M keys, per head,

        absorbed   T M (2L+R)  +  T L (N+V)
        expanded   T M (N+R+V) +  B M L (N+V)

    The first terms are logits and weighted values, the second ones the projections by
    w_kv_b: of T queries and outputs, or of B M keys. Where T, B and M are static, the
    cheaper form is built as if it had been asked for, else an `scf.if` with both, after
    one `append`. The absorbed form wins ties. With the hints `num_generation_seqs` and
    `num_generation_tokens` (those sequences come first) the formula is about the
    other tokens and sequences: where the expanded form is cheaper for them, they take
    it and the generation's part takes the absorbed form; else all take the absorbed
    form at once. A hint that contradicts `cu_q` is reported by the part that
    meets the other's tokens. `chunk-length` is 4096 unless it is given.

    A rope that isn't live is dropped with its table and positions; `mla.rope_off`
    on `append` says why. Other discardable attributes, the phase and the rounding
    go to `append`.

    **granularity=fine** has, in any form, a front end's separate operations instead of
    one `append`: `rope` of q_pe and of k_pe where there is a live one, an `append` that
    writes the cache, and one that assembles the query where there is something to
    assemble. Each append quantizes what it writes: nothing else can. Where it is fp8
    and the rounding `direct`, 16-bit inputs are f32 in between (`rope` into f32,
    `linalg.copy`), else they keep their type, so that the bits are those of
    granularity=fused; `mla-fuse-append` makes it that again.

    Before, a core with R = 0 in the form that is the default:

    ```mlir
    func.func @f(%q: tensor<4x16x128xbf16>, %c_kv: tensor<4x512xbf16>,
                 %w: tensor<16x256x512xbf16>, %pages: tensor<1x8xi32>,
                 %lens: tensor<1xi32>, %cu: tensor<2xi32>,
                 %out: tensor<4x16x128xbf16>, %cache: tensor<8x64x512xbf16>)
        -> (tensor<4x16x128xbf16>, tensor<8x64x512xbf16>) {
      %r:2 = mla.attention
          ins(q = %q : tensor<4x16x128xbf16>, c_kv = %c_kv : tensor<4x512xbf16>,
              w_kv_b = %w : tensor<16x256x512xbf16>,
              page_table = %pages : tensor<1x8xi32>, kv_lens = %lens : tensor<1xi32>,
              cu_q = %cu : tensor<2xi32>)
          outs(out = %out : tensor<4x16x128xbf16>, cache = %cache : tensor<8x64x512xbf16>)
          {softmax_scale = 0.08838834764831845 : f64}
      return %r#0, %r#1 : tensor<4x16x128xbf16>, tensor<8x64x512xbf16>
    }
    ```

    After:

    ```mlir
    func.func @f(%q: tensor<4x16x128xbf16>, %c_kv: tensor<4x512xbf16>,
                 %w: tensor<16x256x512xbf16>, %pages: tensor<1x8xi32>,
                 %lens: tensor<1xi32>, %cu: tensor<2xi32>,
                 %out: tensor<4x16x128xbf16>, %cache: tensor<8x64x512xbf16>)
        -> (tensor<4x16x128xbf16>, tensor<8x64x512xbf16>) {
      %0 = tensor.empty() : tensor<4xi64>
      %1 = tensor.empty() : tensor<4xi64>
      %positions, %slots = mla.slot_mapping
          ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
              page_table = %pages : tensor<1x8xi32>)
          outs(positions = %0 : tensor<4xi64>, slots = %1 : tensor<4xi64>)
          {page_size = 64 : i64}
      %w_uk = tensor.extract_slice %w[0, 0, 0] [16, 128, 512] [1, 1, 1]
          : tensor<16x256x512xbf16> to tensor<16x128x512xbf16>
      %2 = tensor.empty() : tensor<4x16x512xbf16>
      %query = mla.absorb_q
          ins(q_nope = %q : tensor<4x16x128xbf16>, w_uk = %w_uk : tensor<16x128x512xbf16>)
          outs(query = %2 : tensor<4x16x512xbf16>)
      %new = mla.append
          ins(c_kv = %c_kv : tensor<4x512xbf16>, slots = %slots : tensor<4xi64>)
          outs(cache = %cache : tensor<8x64x512xbf16>)
      %3 = tensor.empty() : tensor<4x16x512xbf16>
      %o = mla.absorbed_attention
          ins(query = %query : tensor<4x16x512xbf16>, cache = %new : tensor<8x64x512xbf16>,
              page_table = %pages : tensor<1x8xi32>, kv_lens = %lens : tensor<1xi32>,
              cu_q = %cu : tensor<2xi32>)
          outs(o = %3 : tensor<4x16x512xbf16>)
          {softmax_scale = 0.08838834764831845 : f64}
      %w_uv = tensor.extract_slice %w[0, 128, 0] [16, 128, 512] [1, 1, 1]
          : tensor<16x256x512xbf16> to tensor<16x128x512xbf16>
      %r = mla.project_v
          ins(o_latent = %o : tensor<4x16x512xbf16>, w_uv = %w_uv : tensor<16x128x512xbf16>)
          outs(out = %out : tensor<4x16x128xbf16>)
      return %r, %new : tensor<4x16x128xbf16>, tensor<8x64x512xbf16>
    }
    ```

    After, with `form=expanded`:

    ```mlir
    func.func @f(%q: tensor<4x16x128xbf16>, %c_kv: tensor<4x512xbf16>,
                 %w: tensor<16x256x512xbf16>, %pages: tensor<1x8xi32>,
                 %lens: tensor<1xi32>, %cu: tensor<2xi32>,
                 %out: tensor<4x16x128xbf16>, %cache: tensor<8x64x512xbf16>)
        -> (tensor<4x16x128xbf16>, tensor<8x64x512xbf16>) {
      %0 = tensor.empty() : tensor<4xi64>
      %1 = tensor.empty() : tensor<4xi64>
      %positions, %slots = mla.slot_mapping
          ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
              page_table = %pages : tensor<1x8xi32>)
          outs(positions = %0 : tensor<4xi64>, slots = %1 : tensor<4xi64>)
          {page_size = 64 : i64}
      %new = mla.append
          ins(c_kv = %c_kv : tensor<4x512xbf16>, slots = %slots : tensor<4xi64>)
          outs(cache = %cache : tensor<8x64x512xbf16>)
      %2 = tensor.empty() : tensor<512x512xbf16>
      %3 = tensor.empty() : tensor<512x16x256xbf16>
      %length = arith.constant 512 : index
      %keys = mla.gather_kv
          ins(cache = %new : tensor<8x64x512xbf16>, page_table = %pages : tensor<1x8xi32>,
              kv_lens = %lens : tensor<1xi32>, window_length = %length : index)
          outs(c_kv = %2 : tensor<512x512xbf16>)
      %kv = mla.expand_kv
          ins(c_kv = %keys : tensor<512x512xbf16>, w_kv_b = %w : tensor<16x256x512xbf16>)
          outs(kv = %3 : tensor<512x16x256xbf16>)
      %k = tensor.extract_slice %kv[0, 0, 0] [512, 16, 128] [1, 1, 1]
          : tensor<512x16x256xbf16> to tensor<512x16x128xbf16>
      %v = tensor.extract_slice %kv[0, 0, 128] [512, 16, 128] [1, 1, 1]
          : tensor<512x16x256xbf16> to tensor<512x16x128xbf16>
      %r = mla.expanded_attention
          ins(q = %q : tensor<4x16x128xbf16>, k_nope = %k : tensor<512x16x128xbf16>,
              v = %v : tensor<512x16x128xbf16>, cu_q = %cu : tensor<2xi32>,
              kv_lens = %lens : tensor<1xi32>, window_length = %length : index)
          outs(o = %out : tensor<4x16x128xbf16>)
          {causal, softmax_scale = 0.08838834764831845 : f64}
      return %r, %new : tensor<4x16x128xbf16>, tensor<8x64x512xbf16>
    }
    ```
  }];
  let options = [
    Option<"form", "form", "std::string", /*default=*/"\"absorbed\"",
           "Which form to pick: absorbed, expanded or auto">,
    Option<"chunkLength", "chunk-length", "int64_t", /*default=*/"-1",
           "Most keys of a sequence that the expanded form rebuilds at a time; "
           "0: all at once; -1: 0 for expanded, 4096 for auto">,
    Option<"granularity", "granularity", "std::string", /*default=*/"\"fused\"",
           "What stays one operation: fused (append) or fine (ropes, copies, "
           "an append for the cache and one for the query)">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
}

def MLAFuseAppend : Pass<"mla-fuse-append"> {
  let summary = "Turns rotations, conversions and appends into one mla.append";
  let description = [{
    Fuses what front ends write as several kernels between the projections and the
    attention: an `append` that writes the cache and one that assembles the query, each
    with the `rope` of its rows and the conversions (`linalg.copy`, `arith.extf`,
    `arith.truncf`, a `rope` that isn't live) of its inputs. They may be in any order,
    with anything between them. A `tensor.insert_slice` into the last columns of a query,
    or a `tensor.concat` of the two parts of one, counts as such an append where its rows
    are rotated or an operation of the dialect takes the result as its query. An append
    without another half is fused with its own rotations and conversions. `mla-decompose` with `granularity=fine`, then this pass,
    gives what `granularity=fused` gives.

    The bits are kept. A rotation into f32 before quantization becomes `rounding =
    direct`, one into the 16-bit type of its input `through_input_type`; where nothing
    depends on it the attribute stays as it is. Quantization itself, `sat_e4m3(x * (1 /
    scale))`, is written as an append with an fp8 destination and its scale: no other
    operation of the dialect saturates. cu_q is the query's; the slots of what it calls
    padding are -1, as `slot_mapping` gives them.

    Fusion is legal when

    * **(F1)** the appends are on tensors, in one block;
    * **(F2)** what is rotated or converted has the append as its only user;
    * **(F3)** rows are rotated once, and key and query by the same rope, table and
      positions, or neither; a query that is rotated has q_pe, or rotates in place;
    * **(F4)** key and query, where they are rotated and become fp8, are rounded alike
      between the two;
    * **(F5)** before rotation and conversion all inputs have one type, which the
      unquantized destinations have too; pe columns of block-scaled rows keep their
      type; query and cache agree on shapes, and an fp8 query isn't beside
      block-scaled rows;
    * **(F6)** cache and query are of the same tokens: a static number, or one that is
      traced to the same size of the same tensor; where `slot_mapping` gives the slots
      its cu_q is the query's, and k_pe_out has the query's;
    * **(F7)** phases and discardable attributes, where there are several, are equal;
    * **(F8)** there is a place after all operands and before all uses, if need be
      after moving at most 64 operations without side effects, and where none of the
      destinations' old values is read later.

    Optimization remarks of the category `mla-fuse-append` (`mla-opt
    --remark-format=emitRemark --remarks-filter=mla-fuse-append`) say at each site how
    many launches are saved, or which precondition failed, at the operation that fails
    it. An append that finds no second half and has nothing to rotate is no site. Of
    the halves that are waiting, the nearest of 8 is taken.

    Before:

    ```mlir
    func.func @f(%c_kv: tensor<4x512xbf16>, %k: tensor<4x64xbf16>,
                 %q: tensor<4x16x64xbf16>, %slots: tensor<4xi64>,
                 %table: tensor<?x64xf32>, %p: tensor<4xi64>,
                 %query: tensor<4x16x576xbf16>, %cache: tensor<8x64x576xbf16>)
        -> (tensor<4x16x576xbf16>, tensor<8x64x576xbf16>) {
      %0 = tensor.empty() : tensor<4x64xbf16>
      %k_pe = mla.rope
          ins(x = %k : tensor<4x64xbf16>, cos_sin = %table : tensor<?x64xf32>,
              positions = %p : tensor<4xi64>)
          outs(y = %0 : tensor<4x64xbf16>) {rope = #mla.rope<interleaved, head_dim = 64>}
      %new = mla.append
          ins(c_kv = %c_kv : tensor<4x512xbf16>, k_pe = %k_pe : tensor<4x64xbf16>,
              slots = %slots : tensor<4xi64>)
          outs(cache = %cache : tensor<8x64x576xbf16>)
      %1 = tensor.empty() : tensor<4x16x64xbf16>
      %q_pe = mla.rope
          ins(x = %q : tensor<4x16x64xbf16>, cos_sin = %table : tensor<?x64xf32>,
              positions = %p : tensor<4xi64>)
          outs(y = %1 : tensor<4x16x64xbf16>) {rope = #mla.rope<interleaved, head_dim = 64>}
      %full = mla.append
          ins(q_pe = %q_pe : tensor<4x16x64xbf16>)
          outs(query = %query : tensor<4x16x576xbf16>)
      return %full, %new : tensor<4x16x576xbf16>, tensor<8x64x576xbf16>
    }
    ```

    After:

    ```mlir
    func.func @f(%c_kv: tensor<4x512xbf16>, %k: tensor<4x64xbf16>,
                 %q: tensor<4x16x64xbf16>, %slots: tensor<4xi64>,
                 %table: tensor<?x64xf32>, %p: tensor<4xi64>,
                 %query: tensor<4x16x576xbf16>, %cache: tensor<8x64x576xbf16>)
        -> (tensor<4x16x576xbf16>, tensor<8x64x576xbf16>) {
      %r:2 = mla.append
          ins(c_kv = %c_kv : tensor<4x512xbf16>, k_pe = %k : tensor<4x64xbf16>,
              q_pe = %q : tensor<4x16x64xbf16>, slots = %slots : tensor<4xi64>,
              cos_sin = %table : tensor<?x64xf32>, positions = %p : tensor<4xi64>)
          outs(query = %query : tensor<4x16x576xbf16>, cache = %cache : tensor<8x64x576xbf16>)
          {rope = #mla.rope<interleaved, head_dim = 64>}
      return %r#0, %r#1 : tensor<4x16x576xbf16>, tensor<8x64x576xbf16>
    }
    ```
  }];
}

def MLAHoistMetadata : Pass<"mla-hoist-metadata", "::mlir::ModuleOp"> {
  let summary = "Computes slots, positions and schedules once a step";
  let description = [{
    The layers of a step share its lengths, and with them what depends on lengths and
    pages alone: `slot_mapping` and `schedule`. This pass makes equal ones one, of a
    module in which layers are calls, iterations or copies of the same. It runs on
    tensors, after `mla-decompose`.

    **Schedules** are added first (unless `schedule=false`) to each
    `absorbed_attention` without one and without indices that runs in a step with
    others or more than once. One that runs alone makes its own, which costs as much.

    **In a function** two are equal that have the same attributes and equal operands:
    the same value, or the same pure computation (slices, sizes, arithmetic) of equal
    values. Sizes are followed to where they come from; those of an entry's arguments
    that `mla.dims` calls the same are equal. Equal ones become one, before the first
    of them in the innermost block that encloses all. What a loop doesn't change goes
    before the loop; nothing else leaves a branch, which may not be taken.

    **Across functions** results become new arguments, and the callers compute them,
    where they are merged again, callees before callers. Of a function that runs once
    what is in a branch stays. It is legal where

    * **(H1)** the function is private, isn't marked `mla.host`, and calls in functions
      of the module are all that names it;
    * **(H2)** it isn't recursive;
    * **(H3)** operands follow from its arguments by pure computation, and
      destinations are empty tensors;
    * **(H4)** at most 16 operations leave it.

    Optimization remarks of the category `mla-hoist-metadata` (`mla-opt
    --remark-format=emitRemark --remarks-filter=mla-hoist-metadata`) say of each
    function how many stay of how many, those of its callees included, and at an
    operation what keeps it in a loop, or in a function that is called.

    Before:

    ```mlir
    func.func private @layer(%x: tensor<4x8xbf16>, %pages: tensor<1x4xi32>,
                             %lens: tensor<1xi32>, %cu: tensor<2xi32>,
                             %cache: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> {
      %p = tensor.empty() : tensor<4xi64>
      %s = tensor.empty() : tensor<4xi64>
      %positions, %slots = mla.slot_mapping
          ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
              page_table = %pages : tensor<1x4xi32>)
          outs(positions = %p : tensor<4xi64>, slots = %s : tensor<4xi64>)
          {page_size = 16 : i64}
      %r = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
          outs(cache = %cache : tensor<?x16x8xbf16>)
      return %r : tensor<?x16x8xbf16>
    }

    func.func @step(%x: tensor<4x8xbf16>, %pages: tensor<1x4xi32>,
                    %lens: tensor<1xi32>, %cu: tensor<2xi32>,
                    %a: tensor<?x16x8xbf16>, %b: tensor<?x16x8xbf16>)
        -> (tensor<?x16x8xbf16>, tensor<?x16x8xbf16>) {
      %0 = call @layer(%x, %pages, %lens, %cu, %a)
          : (tensor<4x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
             tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      %1 = call @layer(%x, %pages, %lens, %cu, %b)
          : (tensor<4x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
             tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      return %0, %1 : tensor<?x16x8xbf16>, tensor<?x16x8xbf16>
    }
    ```

    After:

    ```mlir
    func.func private @layer(%x: tensor<4x8xbf16>, %pages: tensor<1x4xi32>,
                             %lens: tensor<1xi32>, %cu: tensor<2xi32>,
                             %cache: tensor<?x16x8xbf16>, %slots: tensor<4xi64>)
        -> tensor<?x16x8xbf16> {
      %r = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
          outs(cache = %cache : tensor<?x16x8xbf16>)
      return %r : tensor<?x16x8xbf16>
    }

    func.func @step(%x: tensor<4x8xbf16>, %pages: tensor<1x4xi32>,
                    %lens: tensor<1xi32>, %cu: tensor<2xi32>,
                    %a: tensor<?x16x8xbf16>, %b: tensor<?x16x8xbf16>)
        -> (tensor<?x16x8xbf16>, tensor<?x16x8xbf16>) {
      %p = tensor.empty() : tensor<4xi64>
      %s = tensor.empty() : tensor<4xi64>
      %positions, %slots = mla.slot_mapping
          ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
              page_table = %pages : tensor<1x4xi32>)
          outs(positions = %p : tensor<4xi64>, slots = %s : tensor<4xi64>)
          {page_size = 16 : i64}
      %0 = call @layer(%x, %pages, %lens, %cu, %a, %slots)
          : (tensor<4x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
             tensor<?x16x8xbf16>, tensor<4xi64>) -> tensor<?x16x8xbf16>
      %1 = call @layer(%x, %pages, %lens, %cu, %b, %slots)
          : (tensor<4x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
             tensor<?x16x8xbf16>, tensor<4xi64>) -> tensor<?x16x8xbf16>
      return %0, %1 : tensor<?x16x8xbf16>, tensor<?x16x8xbf16>
    }
    ```
  }];
  let options = [
    Option<"schedule", "schedule", "bool", /*default=*/"true",
           "Whether attention that shares its step with other attention gets a "
           "schedule">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def MLAPrepareEntries : Pass<"mla-prepare-entries", "::mlir::ModuleOp"> {
  let summary = "Makes entries destination-passing, for bufferization";
  let description = [{
    An entry is a public function with a body that has tensors in its signature
    and isn't marked `mla.host`. Each of its results ends up in an argument's
    buffer: a result that doesn't flow from an argument (through destinations,
    loops, branches, calls of functions of the module) gets a trailing argument
    and is materialized in it.

    `bufferization.writable` tells bufferization which arguments may be written:
    those that are a destination, or have the role output or inout. Arguments
    without `mla.name` are named after the operand that they are, those without
    `mla.role` become:

    | role | argument |
    |---|---|
    | `scalar` | not a tensor |
    | `output` | a destination whose earlier value nothing reads |
    | `inout` | another destination, such as a cache |
    | `input` | any other |

    In an entry of a single mla operation `mla.dims` names dynamic dims after its symbols.

    Before:

    ```mlir
    func.func @f(%q: tensor<?x16x128xbf16>, %w: tensor<16x128x512xbf16>, %t: index)
        -> tensor<?x16x512xbf16> {
      %empty = tensor.empty(%t) : tensor<?x16x512xbf16>
      %r = mla.absorb_q
          ins(q_nope = %q : tensor<?x16x128xbf16>, w_uk = %w : tensor<16x128x512xbf16>)
          outs(query = %empty : tensor<?x16x512xbf16>)
      return %r : tensor<?x16x512xbf16>
    }
    ```

    After:

    ```mlir
    func.func @f(
        %q: tensor<?x16x128xbf16> {bufferization.writable = false,
            mla.dims = ["T", "", ""], mla.name = "q_nope", mla.role = "input"},
        %w: tensor<16x128x512xbf16> {bufferization.writable = false,
            mla.dims = ["", "", ""], mla.name = "w_uk", mla.role = "input"},
        %t: index {mla.name = "arg2", mla.role = "scalar"},
        %out: tensor<?x16x512xbf16> {bufferization.writable = true,
            mla.dims = ["T", "", ""], mla.name = "query", mla.role = "output"})
        -> tensor<?x16x512xbf16> {
      %empty = tensor.empty(%t) : tensor<?x16x512xbf16>
      %r = mla.absorb_q
          ins(q_nope = %q : tensor<?x16x128xbf16>, w_uk = %w : tensor<16x128x512xbf16>)
          outs(query = %empty : tensor<?x16x512xbf16>)
      %there = bufferization.materialize_in_destination %r in %out
          : (tensor<?x16x512xbf16>, tensor<?x16x512xbf16>) -> tensor<?x16x512xbf16>
      return %there : tensor<?x16x512xbf16>
    }
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def MLABufferEntries : Pass<"mla-buffer-entries", "::mlir::ModuleOp"> {
  let summary = "Gives entries buffers for tensors, to keep bufferization linear";
  let description = [{
    The analysis of bufferization relates each result of a function to each argument,
    and an entry has several of both for every layer. This pass goes ahead of it: an
    entry's tensors become memrefs of any strides, and its results are materialized in
    the arguments whose buffers they take. That moves nothing where bufferization
    finds them in place, and it does otherwise: a result that another operation of
    the entry overwrites too early is copied.

    Which arguments may be written is what `bufferization.writable` says; run
    `mla-prepare-entries` first. An entry keeps its tensors when the module refers to
    it, or when a result takes no argument's buffer, that of one which isn't
    writable, or one that another result takes.

    The same goes for arguments of private functions where each call passes an
    entry's argument (or one that has become a memref by this) that isn't writable,
    or that nothing else uses and no loop passes again; results then go to their
    buffers in the callee. Recursive functions keep their tensors.

    Before:

    ```mlir
    func.func @f(%x: tensor<?x64xbf16> {bufferization.writable = false},
                 %y: tensor<?x64xbf16> {bufferization.writable = true})
        -> tensor<?x64xbf16> {
      %r = mla.rope ins(x = %x : tensor<?x64xbf16>) outs(y = %y : tensor<?x64xbf16>)
      return %r : tensor<?x64xbf16>
    }
    ```

    After:

    ```mlir
    func.func @f(%arg0: memref<?x64xbf16, strided<[?, ?], offset: ?>>,
                 %arg1: memref<?x64xbf16, strided<[?, ?], offset: ?>>) {
      %x = bufferization.to_tensor %arg0 restrict
          : memref<?x64xbf16, strided<[?, ?], offset: ?>> to tensor<?x64xbf16>
      %y = bufferization.to_tensor %arg1 restrict writable
          : memref<?x64xbf16, strided<[?, ?], offset: ?>> to tensor<?x64xbf16>
      %r = mla.rope ins(x = %x : tensor<?x64xbf16>) outs(y = %y : tensor<?x64xbf16>)
      bufferization.materialize_in_destination %r in writable %arg1
          : (tensor<?x64xbf16>, memref<?x64xbf16, strided<[?, ?], offset: ?>>) -> ()
      return
    }
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def MLAFinalizeEntries : Pass<"mla-finalize-entries", "::mlir::ModuleOp"> {
  let summary = "Drops results that are arguments, after bufferization";
  let description = [{
    Drops the results of functions with a body that are arguments of theirs; a
    call's uses of such a result become uses of what the call passes. A result of
    an entry that is left is an error: nothing would own its buffer.

    Before:

    ```mlir
    func.func @f(%x: memref<?x64xbf16>, %y: memref<?x64xbf16>) -> memref<?x64xbf16> {
      mla.rope ins(x = %x : memref<?x64xbf16>) outs(y = %y : memref<?x64xbf16>)
      return %y : memref<?x64xbf16>
    }
    ```

    After:

    ```mlir
    func.func @f(%x: memref<?x64xbf16>, %y: memref<?x64xbf16>) {
      mla.rope ins(x = %x : memref<?x64xbf16>) outs(y = %y : memref<?x64xbf16>)
      return
    }
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def MLAVerifyInplace : Pass<"mla-verify-inplace", "::mlir::ModuleOp"> {
  let summary = "Rejects copies of a cache, after bufferization";
  let description = [{
    A cache is too large to be copied, and a copy would be lost: the caller's
    buffer has to hold the new rows. Bufferization copies one where its value from
    before a write is read after it. Such a copy (of a cache or a view of it, to a
    new allocation) is an error that names the operation that reads the old value.

    Caches are the arguments of entries with the role inout and what operations
    take as their operand `cache`; they are followed through views, loops,
    branches and calls of functions of the module.

    Rejected, since the second operation reads what the cache was before the first:

    ```mlir
    func.func @step(%c_kv: memref<?x512xbf16>, %slots: memref<?xi64>,
                    %pages: memref<?x?xi32>, %lens: memref<?xi32>, %length: index,
                    %old: memref<?x512xbf16>,
                    %cache: memref<8x64x512xbf16> {mla.name = "kv", mla.role = "inout"}) {
      %new = memref.alloc() : memref<8x64x512xbf16>
      // expected-error @+1 {{expected the cache "kv" of @step to be written in place, got a copy of it, because 'mla.gather_kv' reads its value from before the write}}
      memref.copy %cache, %new : memref<8x64x512xbf16> to memref<8x64x512xbf16>
      mla.append ins(c_kv = %c_kv : memref<?x512xbf16>, slots = %slots : memref<?xi64>)
          outs(cache = %new : memref<8x64x512xbf16>)
      // expected-note @+1 {{the old value's reader}}
      mla.gather_kv
          ins(cache = %cache : memref<8x64x512xbf16>, page_table = %pages : memref<?x?xi32>,
              kv_lens = %lens : memref<?xi32>, window_length = %length : index)
          outs(c_kv = %old : memref<?x512xbf16>)
      return
    }
    ```
  }];
}

def MLAOutlineLayers : Pass<"mla-outline-layers", "::mlir::ModuleOp"> {
  let summary = "Splits functions of many layers, to keep bufferization linear";
  let description = [{
    The analysis of bufferization takes time that is up to cubic in the uses of one
    buffer, and the layers of a step share the lengths, the page table and often the
    cache. In a function of more than `max-layers` layers this pass moves runs of
    that many, with what lies between them, into private functions; runs that are
    the same share one.

    A layer is an operation that writes a cache, or a call of a function of the
    module. Runs are cut where the fewest tensors pass from one to the next. A
    run stays where it is when a tensor that it makes for others isn't in the buffer
    of an argument, or when it holds an operation with side effects. Constants, sizes
    and empty tensors are cloned, what several runs use is passed to them; so are the
    layers' indices in one buffer of all layers, so that the runs are the same.

    Before, with `max-layers=2`:

    ```mlir
    func.func private @layer(%x: tensor<4x8xbf16>, %slots: tensor<4xi64>,
                             %cache: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> {
      %r = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
          outs(cache = %cache : tensor<?x16x8xbf16>)
      return %r : tensor<?x16x8xbf16>
    }

    func.func @step(%x: tensor<4x8xbf16>, %slots: tensor<4xi64>,
                    %cache: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> {
      %0 = call @layer(%x, %slots, %cache)
          : (tensor<4x8xbf16>, tensor<4xi64>, tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      %1 = call @layer(%x, %slots, %0)
          : (tensor<4x8xbf16>, tensor<4xi64>, tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      %2 = call @layer(%x, %slots, %1)
          : (tensor<4x8xbf16>, tensor<4xi64>, tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      %3 = call @layer(%x, %slots, %2)
          : (tensor<4x8xbf16>, tensor<4xi64>, tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      return %3 : tensor<?x16x8xbf16>
    }
    ```

    After:

    ```mlir
    func.func private @layer(%x: tensor<4x8xbf16>, %slots: tensor<4xi64>,
                             %cache: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> {
      %r = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
          outs(cache = %cache : tensor<?x16x8xbf16>)
      return %r : tensor<?x16x8xbf16>
    }

    func.func @step(%x: tensor<4x8xbf16>, %slots: tensor<4xi64>,
                    %cache: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> {
      %0 = call @step.layers(%x, %slots, %cache)
          : (tensor<4x8xbf16>, tensor<4xi64>, tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      %1 = call @step.layers(%x, %slots, %0)
          : (tensor<4x8xbf16>, tensor<4xi64>, tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      return %1 : tensor<?x16x8xbf16>
    }

    func.func private @step.layers(%x: tensor<4x8xbf16>, %slots: tensor<4xi64>,
                                   %cache: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> {
      %0 = call @layer(%x, %slots, %cache)
          : (tensor<4x8xbf16>, tensor<4xi64>, tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      %1 = call @layer(%x, %slots, %0)
          : (tensor<4x8xbf16>, tensor<4xi64>, tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16>
      return %1 : tensor<?x16x8xbf16>
    }
    ```
  }];
  let options = [
    Option<"maxLayers", "max-layers", "unsigned", /*default=*/"8",
           "Most layers that a function may have, at least 2">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect"];
}

def MLAPlanWorkspace : Pass<"mla-plan-workspace", "::mlir::ModuleOp"> {
  let summary = "Puts the buffers of a call into one arena, by their lifetimes";
  let description = [{
    Replaces the allocations of a function by views of one buffer of bytes, its
    frame: those that are needed at one time side by side at multiples of 256
    bytes, others over each other. A buffer is needed from the first operation that
    touches it, through whatever view, to the last. An entry and a function marked
    `mla.host` allocate their frames; private functions are passed theirs, as a last
    argument, and the callers count it among their buffers, for the time of the call.
    So all calls of one function share a frame, and so do all layers of a step. The
    buffers of a loop's body or a branch have a frame of their own in the same way;
    of two branches one or the other counts where the condition is a comparison of
    sizes, else the larger.

    Sizes are expressions of the dims and host scalars that a function is called
    with. An entry gets the size of its frame as `mla.workspace`, for the manifest,
    where nothing else allocates in it.

    An allocation stays what it is, with a remark, where its size depends on
    something else, where its buffer can't be followed (it is returned, stored, kept
    by an unknown function, carried from one iteration to the next), in recursive
    functions and in those with several blocks. Remarks have the category
    `mla-plan-workspace`.

    `poison-dead` fills buffers with bytes 0xFF after their last use: NaN in every
    type of float. What a function computes doesn't change, unless a lifetime is too
    short.

    Before:

    ```mlir
    func.func @f(%x: memref<4x64xbf16>, %y: memref<4x64xf32>) {
      %a = memref.alloc() : memref<4x64xf32>
      linalg.copy ins(%x : memref<4x64xbf16>) outs(%a : memref<4x64xf32>)
      %b = memref.alloc() : memref<4x64xbf16>
      linalg.copy ins(%a : memref<4x64xf32>) outs(%b : memref<4x64xbf16>)
      %c = memref.alloc() : memref<4x64xf32>
      linalg.copy ins(%b : memref<4x64xbf16>) outs(%c : memref<4x64xf32>)
      linalg.copy ins(%c : memref<4x64xf32>) outs(%y : memref<4x64xf32>)
      return
    }
    ```

    After:

    ```mlir
    func.func @f(%x: memref<4x64xbf16>, %y: memref<4x64xf32>)
        attributes {mla.workspace = "1536"} {
      %bytes = arith.constant 1536 : index
      %frame = memref.alloc(%bytes) : memref<?xi8>
      %0 = arith.constant 0 : index
      %a = memref.view %frame[%0][] : memref<?xi8> to memref<4x64xf32>
      %1 = arith.constant 1024 : index
      linalg.copy ins(%x : memref<4x64xbf16>) outs(%a : memref<4x64xf32>)
      %b = memref.view %frame[%1][] : memref<?xi8> to memref<4x64xbf16>
      linalg.copy ins(%a : memref<4x64xf32>) outs(%b : memref<4x64xbf16>)
      %c = memref.view %frame[%0][] : memref<?xi8> to memref<4x64xf32>
      linalg.copy ins(%b : memref<4x64xbf16>) outs(%c : memref<4x64xf32>)
      linalg.copy ins(%c : memref<4x64xf32>) outs(%y : memref<4x64xf32>)
      return
    }
    ```
  }];
  let options = [
    Option<"poisonDead", "poison-dead", "bool", /*default=*/"false",
           "Fill buffers with NaN after their last use">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect"
  ];
}

#endif // MLA_TRANSFORMS_PASSES_TD
