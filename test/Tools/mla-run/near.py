#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether a bf16 tensor of two files is nearly the same: near.py A B NAME TOLERANCE

The norm of the difference over the norm of A's tensor is at most TOLERANCE, and not 0.
"""

import json
import math
import struct
import sys


def values(path, name):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    entry = json.loads(data[8 : 8 + size])[name]
    assert entry["dtype"] == "BF16", entry
    begin, end = (8 + size + offset for offset in entry["data_offsets"])
    bits = struct.unpack(f"<{(end - begin) // 2}H", data[begin:end])
    return [struct.unpack("<f", struct.pack("<I", b << 16))[0] for b in bits]


def main():
    first, second = (values(path, sys.argv[3]) for path in sys.argv[1:3])
    assert len(first) == len(second)
    error = math.dist(first, second) / math.hypot(*first)
    print(f"error {error:.3g}")
    sys.exit(not 0 < error <= float(sys.argv[4]))


main()
