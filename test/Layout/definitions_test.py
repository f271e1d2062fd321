#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each check of definitions.py complains about what it is there for, and only then."""

import unittest

import definitions
from testing import CheckTest


class DefinitionsTest(CheckTest):
    def test_def_mlir(self):
        self.write("include/mla/IR/Ops/A.td", "text\n")
        self.expect(definitions.def_mlir, "found none")
        self.write_tool("mla-opt", "grep -q 'f(%a: tensor<?xf32>, %i: index)'\n")
        example = "    ```mlir\n    %r = mla.a ins(a = %a : TYPE, i = %i : index)\n    ```\n"
        self.write("include/mla/IR/Ops/A.td", example.replace("TYPE", "tensor<?xf32>"))
        self.expect(definitions.def_mlir)
        self.write("include/mla/IR/Ops/A.td", example.replace("TYPE", "vector<2xf32>"))
        self.expect(definitions.def_mlir, "A.td")

    def write_constraints(self, listed="C2", verified="C2", tested="C2", shared="(C1)"):
        self.write("include/mla/IR/MLADialect.td", "* **(C1)** all\n")
        for name in definitions.SHARED_VERIFIERS:
            self.write(name, f'error("{shared}")')
        self.write("include/mla/IR/Ops/A.td", f'Op<"a"> beyond (C1):\n* **({listed})** x\n')
        self.write("lib/IR/Ops/A.cpp", f'verify("{verified}")')
        self.write("test/IR/a_invalid.mlir", f"{{{{'mla.a' op (C1) x}}}} {{{{'mla.a' op ({tested}) x}}}}"
                                             " {{'mla.b' op (C4) x}}")

    def test_def_constraints(self):
        self.write_constraints()
        self.expect(definitions.def_constraints)
        self.write_constraints(verified="C1")
        self.expect(definitions.def_constraints, "lib/IR/Ops/A.cpp: expected a diagnostic of mla.a with (C2)")
        self.write_constraints(tested="C1")
        self.expect(definitions.def_constraints, "a_invalid.mlir: expected a diagnostic of mla.a with (C2)")
        self.write_constraints(shared="no")
        self.expect(definitions.def_constraints, "with (C1)")
        self.write_constraints(listed="C3")
        self.expect(definitions.def_constraints, "expected constraints C1, C2, got C1, C3",
                    "A.cpp: expected", "a_invalid.mlir: expected", "A.cpp: (C2)", "a_invalid.mlir: (C2)")


if __name__ == "__main__":
    unittest.main()
