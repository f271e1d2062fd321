#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/reference.py writes what it should, and sees a page that is stale."""

import pathlib
import subprocess
import sys
import unittest

from testing import CheckTest

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "docs/reference.py"
README = "before\n<!-- models: begin, made by a tool -->\nTABLE\n<!-- models: end -->\nafter\n"

DEFINITIONS = r"""#!/bin/sh
cat <<'JSON'
{"!instanceof": {"PassBase": ["B", "A"]},
 "A": {"!locs": ["Passes.td:9"], "argument": "a", "summary": "Does a", "baseClass": "ModuleOp",
       "description": "\n    Text.\n\n        code\n  ", "options": [{"def": "O"}]},
 "B": {"!locs": ["Passes.td:10"], "argument": "b", "summary": "Does b", "baseClass": "",
       "description": "", "options": []},
 "O": {"argument": "o", "defaultValue": "\"x|y\"", "description": "What it is"}}
JSON
"""
MLA_OPT = r"""
case $1 in
--help) echo "  --mla-bufferize  -  One way"
        echo "        --p=<long>   - An option"
        echo "  --mla-to-llvm    -  All the way" ;;
--mla-bufferize) printf 'Pass Manager:\nbuiltin.module(\n  a{o=z p=3},\n  b\n)\n' >&2 ;;
--mla-to-llvm) printf 'Pass Manager:\nbuiltin.module(\n  a{o=z p=3},\n  b,\n  a{o=x p=1}\n)\n' >&2 ;;
--a) printf 'builtin.module(\n  a{o=x p=3}\n)\n' >&2 ;;
--b) printf 'builtin.module(\n  b\n)\n' >&2 ;;
esac
"""


class ReferenceTest(CheckTest):
    def run_page(self, page, *arguments):
        return subprocess.run([sys.executable, "-B", REFERENCE, page, f"--bin={self.project.bin}",
                               *arguments], cwd=self.project.root, capture_output=True, text=True)

    def write_definitions(self, text=DEFINITIONS):
        self.write("tblgen", text, 0o755)
        self.write_tool("mla-opt", MLA_OPT)

    def test_passes(self):
        self.write_definitions()
        run = self.run_page("passes", "--tblgen=./tblgen", "-o", "passes.md")
        self.assertEqual(run.returncode, 0, run.stderr)
        text = self.project.text("passes.md")
        for part in ("### `mla-bufferize`\n\nOne way. These passes, in this order:\n\n"
                     "```text\na{o=z}\nb\n```\n\n"
                     "| option | default | is |\n|---|---|---|\n| `p` | `3` | An option |\n",
                     "Those of `mla-bufferize`, then these passes, in this order:\n\n"
                     "```text\na{p=1}\n```\n\n## Passes",
                     "### `a`\n\nDoes a. It runs on a module.\n\nText.\n\n    code\n\n"
                     "| option | default | is |\n|---|---|---|\n| `o` | `x\\|y` | What it is |\n\n### `b`"):
            self.assertIn(part, text)

    def test_stale(self):
        self.write_definitions()
        self.run_page("passes", "--tblgen=./tblgen", "-o", "passes.md")
        self.assertEqual(self.run_page("passes", "--tblgen=./tblgen", "--check", "passes.md").returncode, 0)
        self.write_definitions(DEFINITIONS.replace("What it is", "What it was"))
        run = self.run_page("passes", "--tblgen=./tblgen", "--check", "passes.md")
        self.assertEqual(run.returncode, 1)
        self.assertIn("run the target mla-docs-passes", run.stderr)

    def test_models(self):
        self.write_tool("mla-parity", "for word; do case $word in --markdown=*) echo new > ${word#*=}; "
                                      "esac; done\n")
        self.write("README.md", README.replace("TABLE", "old\ntable"))
        self.assertEqual(self.run_page("models", "--check", "README.md").returncode, 1)
        self.assertEqual(self.run_page("models", "-o", "README.md").returncode, 0)
        self.assertEqual(self.project.text("README.md"), README.replace("TABLE", "new"))
        self.assertEqual(self.run_page("models", "--check", "README.md").returncode, 0)

    def test_models_errors(self):
        self.write("README.md", "no marks\n")
        self.write_tool("mla-parity", "")
        self.assertIn("expected the marks", self.run_page("models", "-o", "README.md").stderr)
        self.write_tool("mla-parity", "echo one FAIL; exit 1\n")
        self.assertIn("one FAIL", self.run_page("models", "-o", "README.md").stderr)


if __name__ == "__main__":
    unittest.main()
