# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of compiled steps that mla-bench --module timed: a row a step, times of a layer."""

from bench_grid import table
from bench_results import number

PARTS = {"absorbed_attention": "attention", "absorb_q": "absorb_q", "append": "append",
         "project_v": "project_v"}


def shown(value, digits=1):
    return "-" if value is None else number(value, digits)


def row(step, read_gb_per_s):
    parts = [step["parts"].get(part, {}).get("us") for part in PARTS]
    known = [us for us in parts if us is not None]
    return [f"`{step['step']}`", shown(step["counted_us"]), shown(step["layer_us"]),
            *map(shown, parts), shown(sum(known) if len(known) == len(PARTS) else None),
            shown(step["layer_weight_bytes"] / read_gb_per_s * 1e-3),
            shown(step.get("layer_launches"), 2), shown(step.get("layer_bound_us")),
            shown(step.get("of_bound"), 2), shown(step.get("of_strict_bound"), 2),
            shown(step["event_median_us"])]


def listing(steps, ceilings):
    """Steps of fewer sequences first, then of fewer heads and keys."""
    ordered = sorted(steps, key=lambda step: (step["B"], step["H"], step["kv"]))
    head = ["step", "step µs:", "layer µs:", *(f"{name} µs:" for name in PARTS.values()),
            "their sum:", "weights µs:", "launches:", "bound µs:", "of bound:", "of strict:",
            "event µs:"]
    return table(head, [row(step, ceilings["read_gb_per_s"]) for step in ordered])
