# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the JSON that steps.test makes of two steps, absorbed and expanded: steps.py FILE"""

import json
import math
import sys

with open(sys.argv[1]) as file:
    run, = json.load(file)["runs"]
assert run["cases"] == [], run["cases"]
absorbed, expanded = run["steps"]
for step in (absorbed, expanded):
    assert (step["entry"], step["layers"], step["dtype"], step["cache"]) == \
        ("step", 2, "bf16", "same"), step
    sizes = [step[name] for name in ("B", "kv", "T", "H", "L", "R", "N", "V", "P")]
    assert sizes == [2, 5, 6, 2, 32, 4, 8, 16, 4], sizes
    # 2 heads, N + V = 24 rows of 32 numbers of 2 bytes.
    assert step["layer_weight_bytes"] == 2 * 24 * 32 * 2, step
    assert step["workspace_bytes"] > 0, step
    assert step["iterations"] == len(step["all_us"]) == 2, step
    assert step["counted"] == "event" and step["counted_us"] == min(step["all_us"]), step
    assert math.isclose(step["layer_us"], step["counted_us"] / 2), step
    # What only a graph can tell.
    assert not {"launches", "layer_launches", "layer_bound_us", "graph_steps"} & set(step), step
assert (absorbed["module"], expanded["module"]) == ("two.so", "expanded.so")
assert list(absorbed["parts"]) == ["absorbed_attention", "absorb_q", "append", "project_v"]
assert all(part["us"] > 0 for part in absorbed["parts"].values()), absorbed
assert absorbed["parts"]["append"]["case"] == \
    "append bf16 T=6 H=2 R=4 P=4 generation pe interleaved sliced", absorbed
assert expanded["parts"] == {}, expanded
