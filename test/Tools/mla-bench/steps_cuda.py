# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the JSON of mla-bench that steps_cuda.test makes on a GPU: steps_cuda.py FILE"""

import json
import math
import sys

with open(sys.argv[1]) as file:
    run, = json.load(file)["runs"]
step, = run["steps"]
assert step["counted"] == "graph" and step["graph_steps"] == 2, step
assert step["iterations"] == len(step["all_us"]) == 2, step
parts = step["parts"]
assert list(parts) == ["absorbed_attention", "absorb_q", "append", "project_v"], parts
assert all(part["us"] > 0 and part["launches"] >= 1 for part in parts.values()), parts
# Besides the parts there is what a step does once: slots, positions, schedule.
assert step["layer_launches"] == step["launches"] > \
    sum(part["launches"] for part in parts.values()), step
attention = parts["absorbed_attention"]
strict = (attention["us"] + step["layer_weight_bytes"] / run["ceilings"]["read_gb_per_s"] * 1e-3
          + 2.5 + step["layer_launches"] - attention["launches"])
assert math.isclose(step["layer_strict_bound_us"], strict, rel_tol=1e-6), step
assert math.isclose(step["layer_bound_us"], strict + attention["launches"], rel_tol=1e-6), step
assert math.isclose(step["of_bound"], step["layer_us"] / step["layer_bound_us"]), step
