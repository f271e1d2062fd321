#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes some tensors of a file under other names.

    rename.py FILE RESULT OLD=NEW...
"""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Pipelines"))
import batches


def main():
    tensors = batches.read(sys.argv[1])
    renamed = {}
    for old, new in (pair.split("=") for pair in sys.argv[3:]):
        dtype, shape, content = tensors[old]
        if dtype != "F32":
            sys.exit(f"{old}: expected F32, got {dtype}")
        renamed[new] = dtype, shape, struct.unpack(f"<{len(content) // 4}f", content)
    batches.write(sys.argv[2], renamed)


main()
