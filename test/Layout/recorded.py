# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Made-up results of mla-bench, for tests of what is made of recorded ones."""

import itertools

CEILINGS = {"read_gb_per_s": 3000.4, "write_gb_per_s": 2900, "copy_gb_per_s": 2500,
            "f32_gflop_per_s": 60000, "bf16_gflop_per_s": 800000, "fp8_gflop_per_s": 1500000}


def result(*cases, **fields):
    """One run on a GPU; ceilings, and fields of the file, may be others."""
    return {"date": "2026-11-22T07:00:00Z", "device": "cuda", "commit": "1234abc",
            "machine": {"gpu": "Some GPU"}, **fields,
            "runs": [{"threads": 132, "ceilings": CEILINGS, "cases": list(cases)}]}


def timed(fields, bytes, us, share, **others):
    """`us` is in a graph below 50."""
    graph = {"graph_median_us": us, "graph_calls": 100} if us < 50 else {}
    case = {**fields, "bytes": bytes, "median_us": us, "p10_us": 0.99 * us, "p90_us": 1.01 * us,
            "least_us": 0.98 * us, "counted_us": us, "counted": "graph" if graph else "event",
            "event_median_us": us + 2, "gb_per_s": bytes / us * 1e-3,
            "gflop_per_s": fields["flops"] / us * 1e-3, **graph,
            "pattern_copy_us": share * us, "pattern_copy_share": share, **others}
    return {key: value for key, value in case.items() if value is not None}


def append(T=1, R=64, H=16, rope="half", cache="same", query="assembled", phase="generation",
           sliced=False, query_dtype="bf16", us=None, share=0.95, bytes=None, **others):
    """A case that meets its targets, unless the figures given say otherwise; None is left out."""
    fields = {"case": f"append bf16 {phase} {query} {cache} {query_dtype} {rope} T={T} H={H} R={R}"
                      + " sliced" * sliced,
              "op": "append", "dtype": "bf16", "phase": phase, "rope": rope, "query": query,
              "sliced": sliced, "cache": cache, "query_dtype": query_dtype, "T": T, "H": H, "R": R,
              "B": 1, "L": 512, "N": 128, "V": 128, "P": 64,
              "flops": 0 if rope == "none" else 3 * T * (H + 1) * R}
    if bytes is None:
        row = {"same": 2, "fp8": 1, "fp8_block": 1.1}[cache] * (512 + R)
        width = {"none": 0, "in_place": R, "pe": R, "assembled": 512 + R}[query]
        bytes = T * (2 * (512 + R) + row + 4 * H * width + (0 if rope == "none" else 4 * R))
    if us is None:
        us = 1.4 + bytes / CEILINGS["copy_gb_per_s"] * 1e-3
    return timed(fields, bytes, us, share, **others)


def gather(keys, us=None, share=0.95, **others):
    fields = {"case": f"gather_kv bf16 B=1 kv={keys}", "op": "gather_kv", "dtype": "bf16",
              "cache": "same", "T": 1, "H": 16, "R": 64, "B": 1, "kv": keys, "flops": 0}
    bytes = keys * 4 * 576
    return timed(fields, bytes, us or bytes / 2400e3 + 1, share, **others)


def grid(tokens=(1, 16, 256, 4096, 16384)):
    """Some thousand cases of append that all meet their targets."""
    return [append(T, R, H, rope, cache, query, phase, sliced)
            for phase, query, cache, sliced, (rope, R), H, T in itertools.product(
                ("context", "generation"), ("none", "in_place", "pe", "assembled"),
                ("same", "fp8", "fp8_block"), (False, True),
                (("interleaved", 64), ("half", 64), ("none", 64), ("none", 0)), (8, 128), tokens)]
