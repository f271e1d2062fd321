# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what mla-bench's JSON says of the cases of cases.test: cases.py FILE
CHOSEN, the latter of keys that tokens choose"""

import json
import math
import sys

with open(sys.argv[1]) as file:
    report = json.load(file)
assert report["commit"] == "abc"
cases = report["runs"][0]["cases"]
assert len(cases) == 5

# By hand: 4 tokens of 3 heads; 9 keys, of which the first of two tokens sees one
# less; a query and a state each.
tokens, heads, latent, pe, keys = 4, 3, 128, 16, 9
rows = {"bf16": 2 * (128 + 16), "fp8": 128 + 16, "fp8_block": 128 + 4 + 2 * 16}
for case, row, query in zip(cases, ("bf16", "fp8", "fp8", "fp8_block"), (2, 2, 1, 2)):
    assert case["row_bytes"] == rows[row], case
    assert case["bytes"] == (tokens * heads * ((latent + pe) * query + latent * 2 + 4)
                             + keys * rows[row]), case
    assert case["flops"] == 2 * (2 * keys - 2) * heads * (2 * latent + pe), case
    assert case["all_kv"] == keys and case["T"] == tokens, case
    assert case["best_peer"] == "quick" and case["best_peer_us"] == 20, case
    assert math.isclose(case["file_limit_us"], 10), case
    assert math.isclose(case["ratio_to_best_peer"], case["least_us"] / 20, rel_tol=1e-6), case
assert cases[4]["dtype"] == "f32" and "best_peer" not in cases[4]

with open(sys.argv[2]) as file:
    cases = json.load(file)["runs"][0]["cases"]
# The tokens see 1, 2, 6 and 7 of their sequences' keys, 2 and 7. Of three chosen the
# first sequence's tokens attend to 1 and 2, which are all its rows, the second's to
# three each: each of the first six is left out with a chance of 3/6 * 4/7, the last
# with one of 4/7. Of nine they attend to all that they see.
few = 2 + 6 * (1 - 3 / 6 * 4 / 7) + (1 - 4 / 7)
for case, topk, pairs, rows in zip(cases, (3, 0, 9, 3), (9, 16, 16, 5), (few, 9, 9, 5),
                                   strict=True):
    tokens = case["T"]
    assert case.get("topk", 0) == topk, case
    expected = (tokens * heads * ((latent + pe) * 2 + latent * 2 + 4)
                + rows * 2 * (latent + pe) + tokens * topk * 4)
    assert math.isclose(case["bytes"], expected, rel_tol=1e-12), case
    # What one token chooses is known.
    assert tokens > 2 or case["bytes"] == expected, case
    assert case["flops"] == 2 * pairs * heads * (2 * latent + pe), case
