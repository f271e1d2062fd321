#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A step of six attentions in several functions, and a batch for it.

    hoist_metadata_layers.py DIRECTORY [--wide]

Writes step.mlir, whose five layers are an operation of the entry, a call, a call of a
function that attends twice, and a loop of two calls; and batch.safetensors. Lengths,
pages and queries are those of all layers; each has its own cache and output, slices of
one buffer. With --wide widths are those of DeepSeek-V3, in bf16, and there is no batch:
`mla-run --random` makes one.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir, "Pipelines"))
import batches

LAYERS = 5
LAYER = """
func.func private @layer({parameters}) -> ({results}) {{
  %r:2 = mla.attention ins({inputs}) outs({destinations}) {{{attributes}}}
  return %r#0, %r#1 : {results}
}}
func.func private @twice({parameters}) -> ({results}) {{
  %0:2 = call @layer({arguments}, %out, %cache) : ({types}) -> ({results})
  %1:2 = call @layer({arguments}, %0#0, %0#1) : ({types}) -> ({results})
  return %1#0, %1#1 : {results}
}}"""


class Step:
    def __init__(self, batch):
        operands = list(batches.operands(batch))
        self.shapes = {name: shape for name, shape, _ in operands}
        self.types = {name: batches.tensor(shape, kind) for name, shape, kind in operands}
        self.whole = dict(self.types)
        signature = []
        for name, shape, kind in operands:
            role = {"out": "output", "cache": "inout"}.get(name, "input")
            if role != "input":
                shape = [LAYERS, *shape]
                self.whole[name] = batches.tensor(shape, kind)
            dims = ", ".join(f'"{s if isinstance(s, str) else ""}"' for s in shape)
            signature.append(f'%{name}: {self.whole[name]} {{mla.dims = [{dims}], '
                             f'mla.name = "{name}", mla.role = "{role}"}}')
        self.signature = ", ".join(signature)
        self.inputs = [name for name in self.types if name not in ("out", "cache")]
        self.arguments = ", ".join(f"%{name}" for name in self.inputs)
        self.results = f"{self.types['out']}, {self.types['cache']}"
        self.all_types = ", ".join(self.types.values())
        self.attributes = f"softmax_scale = {batches.SCALE} : f64"
        if batch.rope:
            self.attributes += f", rope = #mla.rope<{batch.rope}, head_dim = {batch.pe}>"

    def layer(self):
        named = lambda names: ", ".join(f"{n} = %{n} : {self.types[n]}" for n in names)
        return LAYER.format(
            parameters=", ".join(f"%{n}: {kind}" for n, kind in self.types.items()),
            inputs=named(self.inputs), destinations=named(("out", "cache")),
            attributes=self.attributes, arguments=self.arguments,
            types=self.all_types, results=self.results)

    def place(self, name, index):
        """Of a layer, in the buffer of all."""
        sizes = [f"%{s}" if isinstance(s, str) else str(s) for s in self.shapes[name]]
        zeros, ones = ", 0" * len(sizes), ", 1" * len(sizes)
        return f"[{index}{zeros}] [1, {', '.join(sizes)}] [1{ones}]"

    def take(self, name, source, index):
        return (f"tensor.extract_slice %{source}{self.place(name, index)} : "
                f"{self.whole[name]} to {self.types[name]}")

    def put(self, name, value, into, index):
        return (f"tensor.insert_slice %{value} into %{into}{self.place(name, index)} : "
                f"{self.types[name]} into {self.whole[name]}")

    def entry(self):
        whole = f"{self.whole['out']}, {self.whole['cache']}"
        call = f"({self.all_types}) -> ({self.results})"
        lines = [f"func.func @attention({self.signature}) -> ({whole}) {{"]
        lines += [f"%c{i} = arith.constant {i} : index" for i in (0, 1, 3, LAYERS)]
        lines += [f"%T = tensor.dim %out, %c1 : {self.whole['out']}",
                  f"%pages = tensor.dim %cache, %c1 : {self.whole['cache']}"]
        inputs = ", ".join(f"{n} = %{n} : {self.types[n]}" for n in self.inputs)
        outs = ", ".join(f"{n} = %{n}0 : {self.types[n]}" for n in ("out", "cache"))
        layers = [f"mla.attention ins({inputs}) outs({outs}) {{{self.attributes}}}",
                  f"call @layer({self.arguments}, %out1, %cache1) : {call}",
                  f"call @twice({self.arguments}, %out2, %cache2) : {call}"]
        now = {"out": "out", "cache": "cache"}
        for i, layer in enumerate(layers):
            lines += [f"%{n}{i} = {self.take(n, now[n], i)}" for n in now]
            lines.append(f"%a{i}:2 = {layer}")
            for j, name in enumerate(now):
                lines.append(f"%{name}_{i} = {self.put(name, f'a{i}#{j}', now[name], i)}")
                now[name] = f"{name}_{i}"
        lines += [f"%r:2 = scf.for %i = %c3 to %c{LAYERS} step %c1 iter_args("
                  f"%o = %{now['out']}, %c = %{now['cache']}) -> ({whole}) {{",
                  f"%oi = {self.take('out', 'o', '%i')}",
                  f"%ci = {self.take('cache', 'c', '%i')}",
                  f"%ai:2 = func.call @layer({self.arguments}, %oi, %ci) : {call}",
                  f"%on = {self.put('out', 'ai#0', 'o', '%i')}",
                  f"%cn = {self.put('cache', 'ai#1', 'c', '%i')}",
                  f"scf.yield %on, %cn : {whole}", "}",
                  f"return %r#0, %r#1 : {whole}", "}"]
        return "\n".join(lines)


def main():
    directory, wide = sys.argv[1], "--wide" in sys.argv[2:]
    options = ["--rope=half", f"--layers={LAYERS}"]
    if wide:
        batches.L, batches.N, batches.V, batches.P = 512, 128, 128, 16
        options += ["--dtype=bf16", "--pe=64"]
    batch = batches.parse(["inputs", os.path.join(directory, "batch.safetensors"), *options])
    if not wide:
        batches.inputs(batch)
    step = Step(batch)
    with open(os.path.join(directory, "step.mlir"), "w") as file:
        print(step.entry(), step.layer(), sep="\n", file=file)


if __name__ == "__main__":
    main()
