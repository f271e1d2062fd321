#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An entry and so many private functions, each of which calls the next twice.

    prepare_entries_calls.py COUNT
"""

import sys

ROWS = "tensor<4x8xf32>"
TYPE = f"({ROWS}, {ROWS}) -> {ROWS}"


def main():
    count = int(sys.argv[1])
    for i in range(count + 1):
        print(f"func.func {'private ' if i else ''}@f{i}(%x: {ROWS}, %y: {ROWS}) -> {ROWS} {{")
        if i < count:
            print(f"%a = call @f{i + 1}(%x, %y) : {TYPE}")
            print(f"%r = call @f{i + 1}(%x, %a) : {TYPE}")
        else:
            print(f"%r = mla.rope ins(x = %x : {ROWS}) outs(y = %y : {ROWS})")
        print(f"return %r : {ROWS} }}")


if __name__ == "__main__":
    main()
