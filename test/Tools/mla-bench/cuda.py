# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the JSON of mla-bench that cuda.test makes on a GPU: cuda.py FILE"""

import json
import math
import sys

with open(sys.argv[1]) as file:
    report = json.load(file)
assert report["device"] == "cuda:0" and report["machine"]["sm_clock_when_busy"]
run = report["runs"][0]
for name in ("read_gb_per_s", "write_gb_per_s", "copy_gb_per_s", "f32_gflop_per_s",
             "smallest_kernel_between_events_us", "smallest_kernel_in_graph_us"):
    assert run["ceilings"][name] > 0, name

peers = set()
for case in run["cases"]:
    assert "not_implemented" not in case, case
    assert case["iterations"] == len(case["all_us"]) == 2, case
    assert math.isclose(case["median_us"], case["counted_us"]), case
    assert case["least_us"] <= case["median_us"], case
    assert case["counted"] == ("graph" if case["event_median_us"] < 50 else "event"), case
    if case["counted"] == "graph":
        assert case["graph_calls"] == 3, case
        assert math.isclose(case["graph_median_us"], case["median_us"]), case
    moves = case["op"] in ("append", "gather_kv")
    assert ("pattern_copy_us" in case) == moves, case
    if moves:
        assert math.isclose(case["pattern_copy_share"],
                            case["pattern_copy_us"] / case["median_us"]), case
    if case["op"] == "append":
        peers |= set(case.get("peers", {}))
    else:
        assert "peers" not in case, case
assert peers == {"five_launches", "identity_table"}, peers
