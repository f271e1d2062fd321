#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The pack's size limit, and its script with programs that only play their part.

    pack_test.py MLA_GPU_PROBE
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

import pack

PROBE = sys.argv.pop(1) if len(sys.argv) > 1 else None
GTEST = 'echo "[  PASSED  ] $((3 + ${GTEST_SHARD_INDEX:-0})) tests."'


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "pack"
        self.folder.mkdir()


class Size(Folder):
    def test_limit(self):
        (self.folder / "lib").mkdir()
        with open(self.folder / "lib/large.so", "wb") as file:
            file.truncate(3 << 20)
        self.assertEqual(pack.check_size(self.folder, 3), 3 << 20)
        (self.folder / "one").write_text("x")
        with self.assertRaisesRegex(pack.Failure, r"expected at most 3 MiB, got 3\.0 \(lib 3\.0"):
            pack.check_size(self.folder, 3)

    def test_replaces_only_packs(self):
        (self.folder / "thesis.tex").write_text("x")
        with self.assertRaisesRegex(pack.Failure, "expected an empty folder or a pack"):
            pack.make_empty(self.folder)
        (self.folder / pack.MARK).write_text("")
        pack.make_empty(self.folder)
        self.assertEqual(list(self.folder.iterdir()), [])


class Script(Folder):
    def setUp(self):
        super().setUp()
        pack.add_scripts(self.folder)
        (self.folder / pack.MARK).write_text("commit=abc\ncuda=13.0\n")
        (self.folder / "lib").mkdir()
        for name in ("libcudart.so.13", "libcublasLt.so.13"):
            (self.folder.parent / name).write_text("")
        with tarfile.open(self.folder / "parity.tar.gz", "w:gz") as archive:
            for name in ("parity/one", "parity/two"):
                archive.add(self.folder / "lib", name)
        (self.folder / "steps").mkdir()
        (self.folder / "steps/one.so").write_text("")
        self.program("mla-gpu-probe", "echo 'GPU 0: none'")
        self.program("mla-ops-tests", GTEST)
        self.program("mla-parity", "echo '1 model: 5 passed, 0 failed, 1 skipped'")
        self.program("mla-graph-tests", "echo '2 passed, 0 failed'")
        self.write("check-tools", "echo '1 passed, 0 failed'")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def program(self, name, text):
        self.write(f"bin/{name}", text)

    def run_tests(self, *options, **environment):
        environment = os.environ | {"LD_LIBRARY_PATH": str(self.folder.parent)} | environment
        result = subprocess.run([self.folder / "run-gpu-tests", *options], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
        return result.returncode, result.stdout

    def rows(self, output):
        return {name: tuple(map(int, counts)) for name, *counts in
                re.findall(r"^([\w-]+) +(\d+) +(\d+) +(\d+) +\d+\.\d$", output, re.M)}

    def test_list(self):
        status, output = self.run_tests("--list")
        self.assertEqual((status, output.split()), (0, ["mla-ops-tests", "parity", "graphs", "tools"]))

    def test_counts(self):
        status, output = self.run_tests()
        self.assertEqual(status, 0, output)
        self.assertEqual(self.rows(output), {"mla-ops-tests": (18, 0, 0), "parity": (10, 0, 2),
                                             "graphs": (2, 0, 0), "tools": (1, 0, 0)})
        self.assertTrue(output.endswith("31 passed, 0 failed\n"), output)

    def test_parts_and_logs(self):
        logs = self.folder.parent / "logs"
        status, output = self.run_tests("graphs", f"--logs={logs}")
        self.assertEqual((status, self.rows(output)), (0, {"graphs": (2, 0, 0)}), output)
        self.assertIn("2 passed", (logs / "graphs.one.log").read_text())
        status, output = self.run_tests("nothing")
        self.assertEqual(status, 2, output)

    def check_failure(self, program, text, row, *options):
        self.program(program, text)
        status, output = self.run_tests(*options)
        self.assertEqual(status, 1, output)
        self.assertIn(row, self.rows(output).items(), output)

    def test_failures(self):
        self.check_failure("mla-graph-tests", "echo 'a: FAILED: x'; echo '1 passed, 1 failed'; exit 1",
                           ("graphs", (1, 1, 0)))
        # A crash, a silent program, and one that says that it was skipped.
        for text in ("echo '2 passed, 0 failed'; kill -SEGV $$", "true", "exit 77"):
            with self.subTest(text):
                self.check_failure("mla-graph-tests", text, ("graphs", (2 * ("2" in text), 1, 0)),
                                   "graphs")
        self.check_failure("mla-ops-tests", "echo '[  PASSED  ] 1 test.'\n"
                           "echo '[  FAILED  ] 2 tests, listed below:'; exit 1",
                           ("mla-ops-tests", (4, 8, 0)), "mla-ops-tests")
        self.check_failure("mla-graph-tests", "echo '2 passed, 0 failed'; sleep 20",
                           ("graphs", (2, 1, 0)), "graphs", "--timeout=1")

    def test_sanitizer(self):
        tools = self.folder.parent / "tools"
        tools.mkdir()
        sanitizer = tools / "compute-sanitizer"
        # Each of its options has a value.
        sanitizer.write_text("#!/bin/sh\n[ $2 != racecheck ] || bad=1\n"
                             "echo \"========= ERROR SUMMARY: ${bad:-0} errors\"\n"
                             "while [ \"${1#--}\" != \"$1\" ]; do shift 2; done; \"$@\"\n")
        sanitizer.chmod(0o755)
        status, output = self.run_tests("--sanitize", "graphs", PATH=f"{tools}:{os.environ['PATH']}")
        # initcheck is for the operations' tests alone.
        self.assertEqual(self.rows(output), {"memcheck": (2, 0, 0), "racecheck": (2, 1, 0),
                                             "initcheck": (0, 0, 0)}, output)
        self.assertEqual(status, 1)

    def test_without_libraries(self):
        # Of a toolkit that no machine has.
        (self.folder / pack.MARK).write_text("cuda=99.1\n")
        (self.folder.parent / "libcudart.so.99").write_text("")
        status, output = self.run_tests()
        self.assertEqual(status, 1)
        self.assertIn("error: expected libcublasLt.so.99 in LD_LIBRARY_PATH", output)

    def test_without_gpu(self):
        if subprocess.run([PROBE], capture_output=True).returncode == 0:
            self.skipTest("expected no GPU on this machine, got one")
        shutil.copy(PROBE, self.folder / "bin/mla-gpu-probe")
        status, output = self.run_tests()
        self.assertEqual(status, 77, output)
        self.assertRegex(output, "^run-gpu-tests: skipped: expected an NVIDIA GPU, got .*\n$")


if __name__ == "__main__":
    unittest.main()
