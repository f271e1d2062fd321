#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times the pipeline mla-to-llvm on functions of many layers.

    compile_time.py MLA_OPT [--layers=100,300,1000] [--cache=own,threaded,sliced]
                    [--pipeline=mla-to-llvm]

Every layer is one mla.attention with its own projections and weights; lengths and
rotary table are shared. The caches: `own`, one argument a layer; `threaded`, one
argument that all layers append to, each with its own page table; `sliced`, one
argument of which each layer takes a slice and puts it back. Bufferization is
about cubic in what shares a buffer, unless the pipeline prevents it.
"""

import argparse
import subprocess
import sys
import time

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
}
CACHE = "tensor<?x64x576xbf16>"
# operand of mla.attention: argument of the function
INPUTS = {"q": "q", "c_kv": "c_kv", "k_pe": "k_pe", "w_kv_b": "w",
          "page_table": "pages", "kv_lens": "lens", "cu_q": "cu_q", "cos_sin": "table"}


class Module:
    """A function of `layers` layers, as text."""

    def __init__(self, layers, cache):
        self.cache = cache
        self.types = {"%" + name: type for name, type in SHARED.items()}
        self.body, self.returned = [], []
        self.all_layers = f"tensor<{layers}x?x64x576xbf16>"
        if cache == "threaded":
            self.value = self.add("cache", CACHE)
        if cache == "sliced":
            self.value = self.add("cache", self.all_layers)
            self.add("num_pages", "index")
        for layer in range(layers):
            self.add_layer(layer)
        if cache != "own":
            self.returned.append((self.value, self.types["%cache"]))

    def add(self, name, type):
        self.types["%" + name] = type
        return "%" + name

    def add_layer(self, i):
        values = {name: "%" + name for name in SHARED}
        for name, type in LAYER.items():
            values[name] = self.add(f"{name}{i}", type)
        place = f"[{i}, 0, 0, 0] [1, %num_pages, 64, 576] [1, 1, 1, 1]"
        if self.cache == "own":
            cache = self.add(f"cache{i}", CACHE)
        elif self.cache == "threaded":
            values["pages"] = self.add(f"pages{i}", SHARED["pages"])
            cache = self.value
        else:
            cache = f"%c{i}"
            self.body.append(f"{cache} = tensor.extract_slice {self.value}{place} : "
                             f"{self.all_layers} to {CACHE}")
        inputs = ", ".join(f"{operand} = {values[name]} : {self.types[values[name]]}"
                           for operand, name in INPUTS.items())
        self.body.append(
            f"%r{i}:2 = mla.attention ins({inputs}) "
            f"outs(out = {values['out']} : {LAYER['out']}, cache = {cache} : {CACHE}) "
            "{rope = #mla.rope<interleaved, head_dim = 64>, "
            "softmax_scale = 0.07216878364870322 : f64}")
        self.returned.append((f"%r{i}#0", LAYER["out"]))
        if self.cache == "own":
            self.returned.append((f"%r{i}#1", CACHE))
        elif self.cache == "threaded":
            self.value = f"%r{i}#1"
        else:
            self.body.append(f"%all{i} = tensor.insert_slice %r{i}#1 into "
                             f"{self.value}{place} : {CACHE} into {self.all_layers}")
            self.value = f"%all{i}"

    def __str__(self):
        arguments = ", ".join(f"{name}: {type}" for name, type in self.types.items())
        values = ", ".join(value for value, _ in self.returned)
        types = ", ".join(type for _, type in self.returned)
        body = "\n".join("  " + line for line in self.body)
        return (f"func.func @step({arguments}) -> ({types}) {{\n{body}\n"
                f"  return {values} : {types}\n}}\n")


def seconds(mla_opt, pipeline, layers, cache):
    text = str(Module(layers, cache))
    start = time.monotonic()
    run = subprocess.run([mla_opt, "-", "--" + pipeline, "-o", "/dev/null"], input=text,
                         capture_output=True, text=True)
    elapsed = time.monotonic() - start
    if run.returncode:
        sys.exit(f"mla-opt failed on {layers} layers, {cache}: {run.stderr[:2000]}")
    return elapsed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mla_opt")
    parser.add_argument("--layers", default="100,300,1000")
    parser.add_argument("--cache", default="own,threaded,sliced")
    parser.add_argument("--pipeline", default="mla-to-llvm")
    options = parser.parse_args()

    print(f"{'cache':>9} {'layers':>7} {'seconds':>8} {'ms a layer':>11}")
    for cache in options.cache.split(","):
        for layers in sorted(int(number) for number in options.layers.split(",")):
            elapsed = seconds(options.mla_opt, options.pipeline, layers, cache)
            print(f"{cache:>9} {layers:>7} {elapsed:>8.2f} "
                  f"{1000 * elapsed / layers:>11.2f}", flush=True)


if __name__ == "__main__":
    main()
