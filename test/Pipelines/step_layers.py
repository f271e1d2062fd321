#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a recorded model's calls in one entry of several layers and layer by layer.

    step_layers.py DIRECTORY GOLDEN LAYERS SIZE,SIZE,... TOLERANCE [OPTIONS of mla-import]

A call has SIZE tokens. Layer i's latents are the recorded ones times 2^i and its weights
those times 2^-i, which is exact; the rows of its values are turned by i, and so are the
columns of the output that it should have. So each layer is to be as near the recording as
the model, no two have the same output or cache, and the step's bytes are to be those of
the layers run one by one. Exits 1 on a difference.
"""

import array
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import batches

OWN = ("q", "c_kv", "k_pe", "w_kv_b", "sinks", "indices", "latent_scale", "pe_scale", "out")


def read(path):
    """{name: (dtype, shape, flat values)}"""
    tensors = {}
    for name, (dtype, shape, content) in batches.read(path).items():
        if dtype == "BF16":
            wide = array.array("I", (x << 16 for x in array.array("H", content)))
            dtype, content = "F32", wide.tobytes()
        tensors[name] = dtype, shape, array.array("i" if dtype == "I32" else "f", content)
    return tensors


def turn(values, width, first, by):
    """Turns the columns from `first` on of rows of `width` by `by`."""
    result = array.array("f")
    for begin in range(0, len(values), width):
        row = values[begin : begin + width]
        part = row[first:]
        result.extend(row[:first] + part[-by:] + part[:-by] if by else row)
    return result


def of_layer(name, tensor, layer, value_width):
    dtype, shape, values = tensor
    if name in ("c_kv", "latent_scale"):
        values = array.array("f", (x * 2.0**layer for x in values))
    if name == "w_kv_b":
        # A head's rows of nope, then of values, of which each is latents long.
        latent, rows = shape[2], shape[1]
        values = turn(values, rows * latent, (rows - value_width) * latent, layer * latent)
        values = array.array("f", (x * 2.0**-layer for x in values))
    if name == "out":
        values = turn(values, value_width, 0, layer)
    return dtype, shape, values


def run(command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}: expected exit status 0, got "
                 f"{result.returncode}: {result.stdout}{result.stderr}")
    return result.stdout


def call(entry, directory, calls, tolerance):
    command = ["mla-run", directory.parent / "core.so", "--entry", entry, "--poison",
               "--input", directory / "weights.safetensors", "--set", "pages=5",
               "--check", f"out={tolerance}", "--output", directory / "out.safetensors"]
    for name in calls:
        command += ["--call", directory / name]
    sys.stdout.write(run(command).replace(f"{directory.parent}/", ""))
    return batches.read(directory / "out.safetensors")


def prepare(root, golden, numbers, sizes, options):
    """The golden's calls, and both entries."""
    run([sys.executable, HERE / "../Tools/mla-run/steps.py", golden, root, sizes])
    run(["mla-import", golden, "--page-size=16", f"--layers=1,{numbers}", *options,
         "-o", root / "core.mlir"])
    run(["mla-compile", root / "core.mlir", "-o", root / "core.so"])


def main():
    root, golden, count, sizes, tolerance = sys.argv[1:6]
    root, options = pathlib.Path(root), sys.argv[6:]
    prepare(root, golden, count, sizes, options)
    calls = sorted(path.name for path in root.glob("call*.safetensors"))
    value_width = read(root / calls[0])["out"][1][2]
    layers = [f"layer{i}" for i in range(int(count))]
    for name in (*layers, "step"):
        (root / name).mkdir()
    scales = {name: ("F32", [], array.array("f", [0.0625]))
              for name in ("query_scale", "latent_scale", "pe_scale")}
    for file in ("weights.safetensors", *calls):
        tensors = read(root / file) | (scales if file.startswith("weights") else {})
        whole = {name: tensor for name, tensor in tensors.items() if name not in OWN}
        for i, layer in enumerate(layers):
            mine = {name: of_layer(name, tensor, i, value_width)
                    for name, tensor in tensors.items()}
            batches.write(root / layer / file, mine)
            whole |= {f"{name}_{i}": mine[name] for name in tensors if name in OWN}
        batches.write(root / "step" / file, whole)

    got = call(f"attention_l{count}", root / "step", calls, tolerance)
    seen = {}
    for i, layer in enumerate(layers):
        expected = call("attention_l1", root / layer, calls, tolerance)
        for name in ("out", "cache"):
            if got[f"{name}_{i}"] != expected[name]:
                sys.exit(f"{name}_{i}: expected the bytes of a layer alone, got others")
            # Otherwise one layer could have taken another's place. Where a scale of the
            # tensor makes up for the latents' factor, caches do have the same bytes.
            other = seen.setdefault(str(expected[name]), layer)
            if other != layer and (name == "out" or expected[name][0] != "F8_E4M3"):
                sys.exit(f"{name}_{i}: expected bytes of its own, got those of {other}")
    print(f"{count} layers: the bytes of each alone")


main()
