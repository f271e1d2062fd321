#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prefill and decode with a compiled attention core.

    mla-compile --config=config.json --heads=4 --dtype=f32 -o core.so
    decode_loop.py core.so

Two sequences go through one layer's attention core as in a server: their prompts in one
launch, then a token of each a launch, over one paged cache. Noise stands in for the
projections. Then the same tokens go through in a single launch, and the outputs must be the
same. decode_loop.c is the same program in C. Needs numpy, and mla_runtime.py on the path.
"""

import math
import sys
import time

import mla_runtime
import numpy as np

PROMPTS = (37, 130)
STEPS = 24
BOUND = 1e-5  # of f32, as in docs/numerics.md


def noise(seed, shape, scale=1):
    """Numbers in [-scale, scale): a hash of their place, the same in C."""
    h = (np.arange(math.prod(shape), dtype=np.uint32) + np.uint32(seed * 65537)) * 2654435769
    h = (h ^ h >> 16) * np.uint32(2246822507)
    unit = ((h ^ h >> 13) >> 8).astype(np.float32) * np.float32(2**-23) - np.float32(1)
    return (unit * np.float32(scale)).reshape(shape)


def rotary_table(positions, width):
    """Cosines, then sines, of each position. The table of a model whose config scales its
    rotation comes from `mla-import --table`; this is the plain one."""
    half = width // 2
    angles = [[p * math.pow(10000, -i / half) for i in range(half)] for p in range(positions)]
    return np.array([[*map(math.cos, row), *map(math.sin, row)] for row in angles], np.float32)


class Cache:
    """Pages, and whose they are. A sequence gets a page when it grows into it, so the pages
    of all sequences mix."""

    def __init__(self, spec, longest):
        _, self.page_size, width = spec.shape
        columns = -(-longest // self.page_size)
        self.free = list(range(len(PROMPTS) * columns))
        self.pages = np.zeros((len(self.free), self.page_size, width), np.float32)
        self.page_table = np.full((len(PROMPTS), columns), -1, np.int32)
        self.lengths = np.zeros(len(PROMPTS), np.int32)

    def place(self, b):
        """The next token of sequence b: gives it a place, and returns its position."""
        page, row = divmod(int(self.lengths[b]), self.page_size)
        if row == 0:
            self.page_table[b, page] = self.free.pop()
        self.lengths[b] += 1
        return page * self.page_size + row


def launch(entry, ctx, constants, cache, tokens, counts, call=None):
    """Launches the next counts[b] tokens of each sequence b; `tokens` has their rows of q,
    c_kv, k_pe and out, all of those of sequence 0, then of sequence 1."""
    positions = [cache.place(b) for b, count in enumerate(counts) for _ in range(count)]
    arrays = dict(
        constants, **tokens, positions=np.array(positions, np.int64), cache=cache.pages,
        page_table=cache.page_table, kv_lens=cache.lengths,  # new tokens included
        cu_q=np.cumsum([0, *counts], dtype=np.int32))
    # Which arguments there are depends on the model; the entry misses those unknown here.
    arguments = {arg.name: arrays[arg.name] for arg in entry.arguments if arg.name in arrays}
    begin = time.perf_counter()
    (call or entry)(ctx, **arguments)
    return (time.perf_counter() - begin) * 1e3


def main(path):
    entry = mla_runtime.Module(path).entry("attention")
    specs = {arg.name: arg for arg in entry.arguments}
    count = sum(PROMPTS) + len(PROMPTS) * STEPS
    totals = [prompt + STEPS for prompt in PROMPTS]
    longest = max(totals)

    def rows(name, seed=None):
        """A row a token of what the projections give, or of what comes out."""
        shape = (count,) + specs[name].shape[1:]
        return np.zeros(shape, np.float32) if seed is None else noise(seed, shape)

    seeds = {"q": 0, "c_kv": 1, "k_pe": 2}
    tokens = {name: rows(name, seed) for name, seed in seeds.items() if name in specs}
    # The layer's constants are described once, for all launches.
    constants = {"w_kv_b": mla_runtime.tensor(noise(3, specs["w_kv_b"].shape, 0.25))}
    if "cos_sin" in specs:
        table = rotary_table(longest, specs["cos_sin"].shape[1])
        constants["cos_sin"] = mla_runtime.tensor(table)

    with mla_runtime.Context("cpu") as ctx:
        # Intermediates live in a workspace, here of the largest launch's size.
        planned = Cache(specs["cache"], longest)
        launch(entry, ctx, constants, planned, {**tokens, "out": rows("out")}, totals,
               entry.reserve)
        print(f"core: {specs['q'].shape[1]} heads, cache rows of {planned.pages.shape[2]}, "
              f"pages of {planned.page_size} tokens, workspace of {ctx.workspace} bytes")

        # The loop. Tokens are in the order of launches.
        tokens["out"] = rows("out")
        cache = Cache(specs["cache"], longest)

        def step(begin, counts):
            part = {name: array[begin:begin + sum(counts)] for name, array in tokens.items()}
            return launch(entry, ctx, constants, cache, part, counts)

        prefill = step(0, PROMPTS)
        decode = sum(step(begin, (1,) * len(PROMPTS))
                     for begin in range(sum(PROMPTS), count, len(PROMPTS)))
        # A call doesn't look at pages and positions: they may be on a device.
        ctx.check()

        # The same tokens in one launch, in the order of sequences.
        source = []
        for b, prompt in enumerate(PROMPTS):
            source += range(sum(PROMPTS[:b]), sum(PROMPTS[:b + 1]))
            source += range(sum(PROMPTS) + b, count, len(PROMPTS))
        whole = {name: array[source] for name, array in tokens.items()}
        launch(entry, ctx, constants, Cache(specs["cache"], longest), whole, totals)

    expected = whole["out"].astype(np.float64)
    difference = np.abs(tokens["out"][source] - expected).max()
    largest = np.abs(expected).max()
    print("sequence  tokens  last token's output")
    for b, total in enumerate(totals):
        out = tokens["out"][count - len(PROMPTS) + b].ravel()
        print(f"{b:8}  {total:6}  {out[0]:+.6f} {out[1]:+.6f} {out[2]:+.6f} ...")
    print(f"largest difference from one launch: {difference:.1e} of {largest:.2f}, "
          f"bound {BOUND:.0e}")
    print(f"time: prefill {prefill:.2f} ms, decode {decode / STEPS:.3f} ms a step")
    return 0 if difference <= BOUND * largest else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("decode_loop.py: error: expected one argument, a module made by mla-compile")
    try:
        sys.exit(main(sys.argv[1]))
    except mla_runtime.Error as error:
        sys.exit(f"decode_loop.py: error: {error}")
