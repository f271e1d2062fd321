#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A module whose tables of entries and of arguments are long.

    many.py module ENTRIES ARGUMENTS    to stdout: the entries one, two, ... of 3 arguments
                                        each, and `wide` of 3 * ARGUMENTS
    many.py inputs FILE ARGUMENTS       inputs of `wide`
    many.py check FILE ARGUMENTS        exits 1 unless the outputs are those of these

Each product is of its own two inputs, and no two are equal.
"""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Pipelines"))
import batches

TYPES = {"q": "tensor<1x1x2xf32>", "w": "tensor<1x2x4xf32>", "y": "tensor<1x1x4xf32>"}


def entry(name, count):
    signature, body, results = [], [], []
    for i in range(count):
        for each, type in TYPES.items():
            role = "output" if each == "y" else "input"
            signature.append(f'%{each}{i}: {type} {{mla.name = "{each}{i}", mla.role = "{role}"}}')
        body.append(f"  %r{i} = mla.absorb_q ins(q_nope = %q{i} : {TYPES['q']}, "
                    f"w_uk = %w{i} : {TYPES['w']}) outs(query = %y{i} : {TYPES['y']})")
        results.append(f"%r{i}")
    types = ", ".join([TYPES["y"]] * count)
    return "\n".join([f"func.func @{name}({', '.join(signature)}) -> ({types}) {{", *body,
                      f"  return {', '.join(results)} : {types}", "}"])


def values(i):
    """Small integers: the products are exact."""
    return [i + 1, 2], [1, i, 3, 0, 0, 1, i, 2]


def main():
    command, *arguments = sys.argv[1:]
    count = int(arguments[-1])
    if command == "module":
        for i in range(int(arguments[0])):
            print(entry(f"entry{i}", 1))
        print(entry("wide", count))
    elif command == "inputs":
        tensors = {}
        for i in range(count):
            q, w = values(i)
            tensors[f"q{i}"] = "F32", [1, 1, 2], q
            tensors[f"w{i}"] = "F32", [1, 2, 4], w
        batches.write(arguments[0], tensors)
    else:
        outputs = batches.read(arguments[0])
        for i in range(count):
            q, w = values(i)
            expected = [q[0] * w[j] + q[1] * w[4 + j] for j in range(4)]
            got = list(struct.unpack("<4f", outputs[f"y{i}"][2]))
            if got != expected:
                sys.exit(f"y{i}: expected {expected}, got {got}")


if __name__ == "__main__":
    main()
