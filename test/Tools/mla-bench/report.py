# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the JSON of mla-bench: report.py FILE THREADS..."""

import json
import math
import re
import sys

with open(sys.argv[1]) as file:
    report = json.load(file)
assert report["tool"] == "mla-bench" and report["device"] == "cpu", report
assert re.fullmatch(r"\d+\.\d+\.\d+", report["version"]), report["version"]
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", report["date"]), report["date"]
assert report["machine"]["processor"] and report["machine"]["last_level_cache"]
assert [str(run["threads"]) for run in report["runs"]] == sys.argv[2:]

for run in report["runs"]:
    assert run["spread"] == 0.1, run["spread"]
    top = run["ceilings"]
    assert top["buffer_bytes"] == 1 << 20
    assert min(top["read_gb_per_s"], top["write_gb_per_s"], top["copy_gb_per_s"],
               top["f32_gflop_per_s"]) > 0
    ops = {case["op"] for case in run["cases"]}
    assert len(ops) == 8, ops
    # Calls take sets of operands in turn, but for a call that the machine held up.
    assert any(case["event_sets"] == 3 for case in run["cases"]), run["cases"]
    for case in run["cases"]:
        assert case["iterations"] == 1 and case["least_us"] == case["median_us"] > 0, case
        assert case["p10_us"] == case["p90_us"] == case["counted_us"] == case["least_us"], case
        assert case["counted"] == "event" and "graph_calls" not in case, case
        assert 1 <= case["event_sets"] <= 3, case
        moves = case["op"] in ("append", "gather_kv")
        assert ("pattern_copy_us" in case) == moves, case
        if moves:
            assert case["pattern_copy_us"] > 0, case
            assert math.isclose(case["pattern_copy_share"],
                                case["pattern_copy_us"] / case["counted_us"], rel_tol=1e-6), case
        assert ("phase" in case) == (case["op"] == "append"), case
        assert "peers" not in case and "power_w" not in case, case
        # The figures follow from each other.
        bandwidth = "copy" if case["op"] in ("append", "gather_kv") else "read"
        expected = max(case["bytes"] / top[bandwidth + "_gb_per_s"] * 1e-3,
                       case["flops"] / top["f32_gflop_per_s"] * 1e-3)
        roofline = case["roofline"]
        assert math.isclose(roofline["us"], expected, rel_tol=1e-6), case
        assert math.isclose(roofline["share"], expected / case["least_us"], rel_tol=1e-6), case
        assert math.isclose(case["gb_per_s"], case["bytes"] / case["least_us"] * 1e-3,
                            rel_tol=1e-6), case
        assert "roofline_in_cache" in case and "roofline_bf16" not in case, case

# By hand: 2 sequences of 1 token, 5 keys of 576 floats, 2 heads.
decode = run["cases"][0]
assert decode["op"] == "absorbed_attention" and decode["T"] == 2
assert decode["bytes"] == (2 * 2 * 576 + 2 * 5 * 576 + 2 * 2 * 512 + 2 * 2) * 4
assert decode["flops"] == 2 * 2 * 5 * 2 * (576 + 512)
# Causal: of 5 tokens and keys 15 pairs are visible.
prefill = next(case for case in run["cases"] if case["op"] == "expanded_attention")
assert prefill["flops"] == 2 * 2 * 15 * 2 * (192 + 128)
