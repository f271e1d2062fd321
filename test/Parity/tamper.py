#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Copies a golden file with one thing in it wrong.

    tamper.py IN OUT [--set KEY=VALUE] [--rotate-like FILE] [--swap-kv]
              [--add TENSOR=VALUE]

What mla-parity says of the copy shows whether it would notice the same mistake in
the compiler or in a kernel.
"""

import argparse
import array
import json
import struct


def read(path):
    """(metadata, {name: (dtype, shape, bytes)})"""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    base = 8 + size
    return metadata, {
        name: (entry["dtype"], entry["shape"],
               data[base + entry["data_offsets"][0]:base + entry["data_offsets"][1]])
        for name, entry in header.items()}


def write(path, metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def swap_kv(dtype, shape, content):
    """Every head's second half of rows first: V where K belongs."""
    heads, rows, _ = shape
    size = len(content) // heads
    assert rows % 2 == 0
    halves = [content[i * size // 2:(i + 1) * size // 2] for i in range(2 * heads)]
    return dtype, shape, b"".join(
        halves[2 * head + half] for head in range(heads) for half in (1, 0))


def add(dtype, shape, content, value):
    assert dtype == "F32"
    values = array.array("f", content)
    return dtype, shape, array.array("f", [x + value for x in values]).tobytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--set", metavar="KEY=VALUE", help="change the metadata")
    parser.add_argument("--rotate-like", metavar="FILE",
                        help="take cos, sin and rope from another file")
    parser.add_argument("--swap-kv", action="store_true",
                        help="swap the K and V rows of w_kv_b")
    parser.add_argument("--add", metavar="TENSOR=VALUE", help="add to every element")
    options = parser.parse_args()
    metadata, tensors = read(options.input)
    if options.set:
        key, value = options.set.split("=", 1)
        assert key in metadata and metadata[key] != value
        metadata[key] = value
    if options.rotate_like:
        other_metadata, other = read(options.rotate_like)
        metadata["rope"] = other_metadata["rope"]
        tensors["cos"], tensors["sin"] = other["cos"], other["sin"]
    if options.swap_kv:
        tensors["w_kv_b"] = swap_kv(*tensors["w_kv_b"])
    if options.add:
        name, value = options.add.split("=", 1)
        tensors[name] = add(*tensors[name], float(value))
    write(options.output, metadata, tensors)


if __name__ == "__main__":
    main()
