#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs one batch in every form of attention.

    forms.py DIRECTORY [--chunks N,N,...] [--set NAME=VALUE]... [OPTIONS of batches.py]

Every form's output is compared with the formula's, its cache with the absorbed form's,
byte for byte. Rows of form=auto have the bytes of one of the others, unless hints split
the batch: a backend may round otherwise where there are fewer rows. Prints a line a form;
exits 1 on a difference.
"""

import argparse
import re
import subprocess
import sys

import batches

TOLERANCES = {"f32": "1e-5", "bf16": "1e-2", "f16": "1e-2"}


def run(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout


def rows(path):
    _, shape, content = batches.read(path)["out"]
    # Several layers of a batch have one token dimension each.
    count = shape[0] if len(shape) == 3 else shape[0] * shape[1]
    width = len(content) // count if count else 0
    return [content[i * width : (i + 1) * width] for i in range(count)]


def compare(got, absorbed, expanded):
    """How many rows have the bytes of which form."""
    counts = {"absorbed": 0, "expanded": 0, "both": 0, "neither": 0}
    for row, first, second in zip(got, absorbed, expanded):
        if first == second:
            counts["both" if row == first else "neither"] += 1
        else:
            counts[{first: "absorbed", second: "expanded"}.get(row, "neither")] += 1
    return ", ".join(f"{n} as {what}" for what, n in counts.items() if n)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--chunks", default="7")
    parser.add_argument("--set", action="append", default=[])
    args, options = parser.parse_known_args()
    batch = batches.parse(["module", *options])
    place = f"{args.directory}/batch"
    with open(f"{place}.mlir", "w") as file:
        batches.module(batch, file)
    batch.file = f"{place}.safetensors"
    batches.inputs(batch)

    forms = [("absorbed", None), ("expanded", 0)]
    forms += [("expanded", int(n)) for n in args.chunks.split(",")]
    forms += [("auto", chunk) for form, chunk in forms if form == "expanded"]
    outputs = {}
    for form, chunk in forms:
        name = form if chunk is None else f"{form} {chunk}"
        stem = f"{args.directory}/{form}{'' if chunk is None else chunk}"
        outputs[name] = f"{stem}.safetensors"
        length = [] if chunk is None else [f"--chunk-length={chunk}"]
        run(
            ["mla-compile", f"{place}.mlir", f"--form={form}", *length, "-o", f"{stem}.so"]
        )
        command = ["mla-run", f"{stem}.so", "--input", f"{place}.safetensors", "--poison"]
        for value in args.set:
            command += ["--set", value]
        command += ["--check", f"out={TOLERANCES[batch.dtype]}", "--output", outputs[name]]
        error = re.search(r"error (\S+),", run(command))
        batches.same(outputs["absorbed"], outputs[name], ["cache"])
        note = ""
        if form == "auto":
            others = [outputs[name], outputs["absorbed"], outputs[f"expanded {chunk}"]]
            note = ": " + compare(*map(rows, others))
            if "neither" in note and not batch.hints:
                sys.exit(f"{name}{note}")
        print(f"{name}: error {error[1]}{note}")


if __name__ == "__main__":
    main()
