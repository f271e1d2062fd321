#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Inputs of an entry with a scalar, `first`: scalars.py FILE {I64|I32|F32} VALUE

Rows 0 to 7 of x hold their number, y and result what those from 1 on are.
"""

import struct
import sys

import steps


def main():
    path, dtype, value = sys.argv[1:]
    number = struct.pack({"I64": "<q", "I32": "<i", "F32": "<f"}[dtype], int(value))
    rows = struct.pack("<8f", *(1 + i // 2 for i in range(8)))
    tensors = {
        "x": ("F32", [8, 2], struct.pack("<16f", *(i // 2 for i in range(16)))),
        "cos_sin": ("F32", [4, 2], struct.pack("<8f", *[1, 0] * 4)),
        "positions": ("I64", [4], struct.pack("<4q", *range(4))),
        "y": ("F32", [4, 2], rows),
        "result": ("F32", [4, 2], rows),
        "first": (dtype, [], number),
    }
    steps.write(path, tensors)


main()
