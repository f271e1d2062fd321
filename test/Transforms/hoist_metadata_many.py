#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A private function with so many schedules, each of other heads, and a caller.

    hoist_metadata_many.py COUNT
"""

import sys

LENGTHS = "tensor<1xi32>, tensor<2xi32>"
PLAN = "tensor<4100xi32>"


def main():
    count = int(sys.argv[1])
    plans = ", ".join([PLAN] * count)
    results = ", ".join(f"%{i}" for i in range(count))
    print(f"func.func private @many(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> ({plans}) {{")
    print(f"%e = tensor.empty() : {PLAN}")
    for i in range(count):
        print(f"%{i} = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, "
              f"cu_q = %cu : tensor<2xi32>) outs(schedule = %e : {PLAN}) "
              f"{{num_heads = {i + 1} : i64, page_size = 16 : i64}}")
    print(f"return {results} : {plans}\n}}")
    print(f"func.func @caller(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> {PLAN} {{")
    print(f"%r:{count} = call @many(%lens, %cu) : ({LENGTHS}) -> ({plans})")
    print(f"return %r#0 : {PLAN}\n}}")


if __name__ == "__main__":
    main()
