#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each check of definitions.py complains about what it is there for, and only then."""

import textwrap
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

    def write_pass(self, description):
        self.write(definitions.PASSES[1], 'def B : Pass<"b"> {\n let description = [{\n'
                   "Before:\n\n```mlir\nx\n```\n\nAfter:\n\n```mlir\nx --b\n```\n}];\n")
        self.write(definitions.PASSES[0], 'def A : Pass<"a", "Module"> {\n  let summary = "";\n'
                   f"  let description = [{{\n    Text.\n\n{textwrap.indent(description, '    ')}\n  }}];\n")

    def test_pass_examples(self):
        # Adds its options to what it reads, and refuses `bad`.
        self.write_tool("mla-opt", """read -r line; shift; echo "$line $*" | sed 's/ *$//'
        test "$line" != bad && test "$*" != "--a --verify-diagnostics" -o "$line" = "// expected-error"
        """)

        def block(title, text, language="mlir"):
            return f"{title}:\n\n```{language}\n{text}\n```\n\n"

        before = block("Before, with `p=1 q`", "x")
        for good in (block("Before", "x") + block("After", "x --a"),
                     before + block("After, of course", "x --a=p=1 q"),
                     before + block("After, with `r=2`,\nand more", "x --a=r=2"),
                     before + block("After, in part", "...\nx --a=p=1 q", "text"),
                     block("Rejected", "// expected-error")):
            self.write_pass(good)
            self.expect(definitions.pass_examples)
        for bad, complaint in (
                ("", "a: expected an example"),
                (before + block("After", "x --a"), "a: expected 'After:' to be what --a=p=1 q makes"),
                (before + block("After, in part", "--a", "text"), "a: expected 'After, in part:'"),
                (block("Before", "bad") + block("After", "bad --a"), "a: expected 'After:'"),
                (block("After", "x --a"), "a: expected 'Before:' and a block"),
                (before + block("After", "x --a=p=1 q") + block("So", "x"), "a: expected blocks after"),
                (block("Rejected", "x"), "a: expected the errors"),
                (block("Rejected", "bad // expected-error"), "a: expected the errors")):
            self.write_pass(bad)
            self.expect(definitions.pass_examples, f"{definitions.PASSES[0]}: {complaint}")

    def test_custom_calls(self):
        self.write("include/mla/IR/Ops/A.td", 'Op<"a">\n  let arguments = (ins\n'
                   '    MLA_In<X, "T,H", "a, b">:$x,\n    MLA_OptIn<X, "T", "">:$y,\n'
                   '    MLA_HostScalar<"n">:$n,\n    MLA_OptOut<X, "T", "">:$o,\n'
                   '    F64Attr:$scale,\n    OptionalAttr<MLA_RopeAttr>:$rope\n  );\n')
        row = "| `mla.a` | `x`, `y`?, `n`?, `o`? | `scale`, `rope`? | `o`? |\n"
        self.write("docs/custom-calls.md", row)
        self.expect(definitions.custom_calls)
        for bad in ("", row.replace("`x`, ", ""), row.replace("`y`?", "`y`"),
                    row.replace("`rope`?", "`rope`"), row.replace("| `o`? |\n", "| `x` |\n")):
            self.write("docs/custom-calls.md", bad)
            self.expect(definitions.custom_calls, "docs/custom-calls.md: mla.a: expected")


if __name__ == "__main__":
    unittest.main()
