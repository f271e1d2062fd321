#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times the pipeline mla-to-llvm on functions of many layers.

    compile_time.py MLA_OPT [--layers=100,300,1000] [--check]

Every layer is one mla.attention with its own projections, weights and cache; lengths,
page table and rotary table are shared. With --check exits 1 where a layer of the
longest function takes more than 5 ms, or more than twice what one of the shortest
takes: bufferization is about cubic in what shares a buffer, unless the pipeline
prevents it.
"""

import argparse
import subprocess
import sys
import time

MS_A_LAYER = 5.0
GROWTH = 2.0

SHARED = {
    "pages": "tensor<?x?xi32>",
    "lens": "tensor<?xi32>",
    "cu_q": "tensor<?xi32>",
    "table": "tensor<?x64xf32>",
}
LAYER = {
    "q": "tensor<?x16x192xbf16>",
    "c_kv": "tensor<?x512xbf16>",
    "k_pe": "tensor<?x64xbf16>",
    "w": "tensor<16x256x512xbf16>",
    "out": "tensor<?x16x128xbf16>",
    "cache": "tensor<?x64x576xbf16>",
}


def module(layers):
    arguments = [f"%{name}: {type}" for name, type in SHARED.items()]
    body, results, types = [], [], []
    for i in range(layers):
        arguments += [f"%{name}{i}: {type}" for name, type in LAYER.items()]

        def operand(keyword, name, i=i):
            if name in LAYER:
                return f"{keyword} = %{name}{i} : {LAYER[name]}"
            return f"{keyword} = %{name} : {SHARED[name]}"

        inputs = ", ".join(operand(*pair) for pair in (
            ("q", "q"), ("c_kv", "c_kv"), ("k_pe", "k_pe"), ("w_kv_b", "w"),
            ("page_table", "pages"), ("kv_lens", "lens"), ("cu_q", "cu_q"),
            ("cos_sin", "table")))
        outputs = ", ".join(operand(name, name) for name in ("out", "cache"))
        body.append(
            f"  %r{i}:2 = mla.attention ins({inputs}) outs({outputs}) "
            "{rope = #mla.rope<interleaved, head_dim = 64>, "
            "softmax_scale = 0.07216878364870322 : f64}")
        results += [f"%r{i}#0", f"%r{i}#1"]
        types += [LAYER["out"], LAYER["cache"]]
    return (f"func.func @step({', '.join(arguments)}) -> ({', '.join(types)}) {{\n"
            + "\n".join(body)
            + f"\n  return {', '.join(results)} : {', '.join(types)}\n}}\n")


def seconds(mla_opt, layers):
    text = module(layers)
    start = time.monotonic()
    run = subprocess.run([mla_opt, "-", "--mla-to-llvm", "-o", "/dev/null"], input=text,
                         capture_output=True, text=True)
    elapsed = time.monotonic() - start
    if run.returncode:
        sys.exit(f"mla-opt failed on {layers} layers: {run.stderr[:2000]}")
    return elapsed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mla_opt")
    parser.add_argument("--layers", default="100,300,1000")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()

    costs = []
    print(f"{'layers':>7} {'seconds':>8} {'ms a layer':>11}")
    for layers in sorted(int(number) for number in options.layers.split(",")):
        elapsed = seconds(options.mla_opt, layers)
        costs.append(1000 * elapsed / layers)
        print(f"{layers:>7} {elapsed:>8.2f} {costs[-1]:>11.2f}", flush=True)
    if options.check:
        if costs[-1] > MS_A_LAYER:
            sys.exit(f"expected at most {MS_A_LAYER} ms a layer, got {costs[-1]:.2f}")
        if costs[-1] > GROWTH * costs[0]:
            sys.exit(f"expected a linear time, got {costs[-1] / costs[0]:.1f} times as much a layer")


if __name__ == "__main__":
    main()
