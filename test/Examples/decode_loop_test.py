# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""decode_loop in C and in Python: both check themselves, and print the same.

MLA_BUILD names the build directory whose programs are run, by default build.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("MLA_BUILD", HERE.parents[1] / "build")).resolve()
os.environ["PYTHONPATH"] = str(BUILD / "share/mla/python")
IN_C = [str(BUILD / "bin/mla-decode-loop")]
IN_PYTHON = [sys.executable, "-B", str(HERE / "decode_loop.py")]


class DecodeLoop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def compile(self, model, *options):
        module = str(pathlib.Path(self.folder.name) / f"{model}.so")
        subprocess.run([str(BUILD / "bin/mla-compile"), "-o", module, "--heads=4", "--dtype=f32",
                        f"--config={HERE.parent}/Data/configs/{model}.json", *options], check=True)
        return module

    def run_both(self, *arguments):
        """Exit status and output of both, without names and times."""
        results = []
        for program in (IN_C, IN_PYTHON):
            run = subprocess.run(program + list(arguments), capture_output=True, text=True)
            output = re.sub(r"^time: prefill \d+\.\d\d ms, decode \d+\.\d{3} ms a step$", "time",
                            run.stdout, flags=re.M)
            results.append((run.returncode, output, run.stderr))
        return results

    def test_same_lines(self):
        for model, options in (("deepseek_v3", []), ("kimi_linear", ["--page-size=16"])):
            in_c, in_python = self.run_both(self.compile(model, *options))
            self.assertEqual(in_c, in_python)
            status, output, errors = in_c
            self.assertEqual((status, errors), (0, ""))
            lines = output.splitlines()
            self.assertEqual(len(lines), 6)
            self.assertEqual(lines[-1], "time")

    def test_an_output_that_differs_is_seen(self):
        """In Python: the same program, whose outputs must be equal to the last bit."""
        module = self.compile("deepseek_v3")
        code = ("import sys, decode_loop\n"
                "decode_loop.BOUND = 0\n"
                "sys.exit(decode_loop.main(sys.argv[1]))\n")
        run = subprocess.run([sys.executable, "-B", "-c", code, module], capture_output=True,
                             cwd=HERE, text=True)
        self.assertEqual((run.returncode, run.stderr), (1, ""))
        self.assertIn("bound 0e+00", run.stdout)

    def test_what_is_refused(self):
        for arguments, text in (
                ([], "error: expected one argument, a module made by mla-compile\n"),
                (["/nowhere/core.so"], "error: /nowhere/core.so: expected a compiled module, got "
                 "no readable file\n")):
            for status, output, errors in self.run_both(*arguments):
                self.assertEqual((status, output), (1, ""))
                self.assertTrue(errors.endswith(text), errors)
        # A model that attends to chosen keys needs them from its indexer.
        for status, output, errors in self.run_both(self.compile("glm5_next")):
            self.assertEqual((status, output), (1, ""))
            self.assertRegex(errors, "^decode_loop(.py)?: error: attention: .*indices.*\n$")


if __name__ == "__main__":
    unittest.main()
