# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the checks' own tests share: a project of a few files in a temporary folder."""

import pathlib
import tempfile
import unittest

from project import Project


class CheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        self.project = Project(root, root / "build/bin")
        self.project.bin.mkdir(parents=True)

    def write(self, name, text, mode=0o644):
        path = self.project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def write_tool(self, name, script):
        self.write(f"build/bin/{name}", "#!/bin/sh\n" + script, 0o755)

    def expect(self, check, *words):
        """One complaint a word, in order, that holds the word."""
        got = list(check(self.project))
        self.assertEqual(len(got), len(words), got)
        for complaint, word in zip(got, words):
            self.assertIn(word, complaint)
