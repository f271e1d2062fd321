#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""test/Benchmark/compile_time.py runs the tools on what it says, and its tables follow."""

import pathlib
import subprocess
import sys

from testing import CheckTest

import unittest

BENCHMARK = pathlib.Path(__file__).resolve().parents[2] / "test/Benchmark"
sys.path.insert(0, str(BENCHMARK))
import compile_time  # noqa: E402

PAGE = "before\n<!-- begin: compile-time; made -->\nOLD<!-- end: compile-time -->\nafter\n"
REPORT = """  Total Execution Time: 3.0000 seconds

  ----Wall Time----  ----Name----
    1.2500 ( 41.7%)  Canonicalizer
    0.0000 (  0.0%)    (A) DominanceInfo
    0.7500 ( 25.0%)  CSE
    0.5000 ( 16.7%)  Canonicalizer
    0.5000 ( 16.7%)  Rest
    3.0000 (100.0%)  Total
"""


class CompileTimeTest(CheckTest):
    def test_passes(self):
        self.assertEqual(compile_time.passes(REPORT), {"Canonicalizer": 1.75, "CSE": 0.75})

    def test_tables(self):
        result = {"shape": "own", "sizes": {100: [0.6, 0.5], 1000: [4.1], 4000: [19.1, 21]},
                  "passes": {1000: {"CSE": 1, "Other": 0.1}, 4000: {"CSE": 4, "Other": 1.2}}}
        self.assertEqual(compile_time.tables([result]).splitlines()[2:], [
            "| module | 100 | 1000 | 4000 | 100 to 1000 | 1000 to 4000 | slopes differ by |",
            "|---|---:|---:|---:|---:|---:|---:|",
            "| `own` | 5.00 | 4.10 | 4.78 | 4.00 | 5.00 | 25 % |",
            "",
            "| pass, `own` | µs an attention, 1000 | µs an attention, 4000 | growth |",
            "|---|---:|---:|---:|",
            "| CSE | 1000 | 1000 | 1.00 |",
            "| Other | 100 | 300 | 3.00 |"])

    def test_modules(self):
        """As many attentions as asked for, in one function or in as many."""
        for shape, text in ((name, make(3)) for name, make in compile_time.SHAPES.items()):
            self.assertEqual(text.count("= mla.attention"), 3, shape)
            self.assertEqual(text.count("func.func"), 3 if shape == "functions" else 1, shape)

    def run_script(self, *arguments):
        return subprocess.run([sys.executable, "-B", BENCHMARK / "compile_time.py",
                               self.project.bin, "--sizes=2", "--shape=own", "--runs=2", *arguments],
                              cwd=self.project.root, capture_output=True, text=True)

    def test_page(self):
        """Each tool is run on the module, the compiler as often as asked for."""
        log = self.project.root / "log"
        self.write_tool("mla-compile", f'grep -c "= mla.attention" $1 >> {log}; echo $2 >> {log}')
        self.write_tool("mla-opt", f'echo opt $2 $3 >> {log}; echo "{REPORT}" >&2')
        self.write("page.md", PAGE)
        run = self.run_script("-o", "page.md")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(log.read_text().splitlines(),
                         ["2", "--emit=llvm"] * 2 + ["opt --mla-to-llvm -mlir-timing"])
        page = self.project.text("page.md")
        self.assertIn("| Canonicalizer | 875000 | - |", page)
        self.assertTrue(page.startswith("before\n") and page.endswith("\nafter\n"), page)
        self.assertNotIn("OLD", page)

    def test_failures(self):
        self.write_tool("mla-compile", "echo no such op >&2; exit 3")
        self.assertRegex(self.run_script().stderr, "expected exit status 0, got 3: no such op")
        self.assertIn("--shape: expected some of own,", self.run_script("--shape=ring").stderr)


if __name__ == "__main__":
    unittest.main()
