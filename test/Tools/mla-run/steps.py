#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cuts a golden file into calls of its attention core.

    steps.py GOLDEN DIR SIZE,SIZE,... [--page-size P]

Writes DIR/weights.safetensors, with what all calls share, and DIR/call0.safetensors,
call1, ..., with SIZE tokens each and the output that they should have. The cache's
pages are in reverse order.
"""

import argparse
import json
import struct


def read(path):
    """{name: (dtype, shape, bytes)}"""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        tensors[name] = (entry["dtype"], entry["shape"], data[begin:end])
    return tensors


def write(path, tensors):
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def rows(tensor, begin, end):
    dtype, shape, content = tensor
    row = len(content) // shape[0]
    return dtype, [end - begin] + shape[1:], content[begin * row : end * row]


def i32(values, shape):
    return "I32", shape, struct.pack(f"<{len(values)}i", *values)


def table(golden):
    """cos and sin side by side; the recorded positions count from 0."""
    (_, (count, half), cos), (_, _, sin) = golden["cos"], golden["sin"]
    width = half * 4
    content = b"".join(
        part[i * width : (i + 1) * width] for i in range(count) for part in (cos, sin)
    )
    return "F32", [count, 2 * half], content


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("golden")
    parser.add_argument("directory")
    parser.add_argument("sizes")
    parser.add_argument("--page-size", type=int, default=16)
    args = parser.parse_args()
    golden = read(args.golden)

    shared = {"w_kv_b": golden["w_kv_b"]}
    if "cos" in golden:
        shared["cos_sin"] = table(golden)
    if "sinks" in golden:
        shared["sinks"] = golden["sinks"]
    pages = -(-golden["q"][1][0] // args.page_size)
    shared["page_table"] = i32(list(range(pages))[::-1], [1, pages])
    write(f"{args.directory}/weights.safetensors", shared)

    begin = 0
    for number, size in enumerate(map(int, args.sizes.split(","))):
        end = begin + size
        call = {
            name: rows(golden[name], begin, end) for name in ("q", "c_kv", "out")
        }
        if golden["k_pe"][1][1]:
            call["k_pe"] = rows(golden["k_pe"], begin, end)
        if "topk_indices" in golden:
            call["indices"] = rows(golden["topk_indices"], begin, end)
        call["kv_lens"] = i32([end], [1])
        call["cu_q"] = i32([0, size], [2])
        write(f"{args.directory}/call{number}.safetensors", call)
        begin = end


if __name__ == "__main__":
    main()
