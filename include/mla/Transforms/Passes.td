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

    ```mlir
    // Before, with phase=generation:
    %r:2 = mla.append ... {phase = #mla.phase<generation>,
                           rope = #mla.rope<interleaved, head_dim = 64>}
    // After:
    %r:2 = mla.append ... {mla.rope_off = "mla-disable-rope phase=generation",
        phase = #mla.phase<generation>,
        rope = #mla.rope<interleaved, head_dim = 64, enabled = false>}
    ```
  }];
  let options = [
    Option<"phase", "phase", "std::string", /*default=*/"\"\"",
           "Which operations to switch: context, generation or all (required)">
  ];
}

#endif // MLA_TRANSFORMS_PASSES_TD
