# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The checks of install trees see what they are for."""

import pathlib
import tempfile
import types
import unittest

import install_tree
from command import Failure


class InstallTree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.prefix = pathlib.Path(folder.name)
        self.package = types.SimpleNamespace(
            libdir="lib64", source="/src/project", build="/src/build", work="/src/work",
            readelf="readelf")

    def write(self, name, text=""):
        path = self.prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def check_layout(self):
        install_tree.check_layout(self.package, self.prefix, "bin/mla-run LIB/libMLA\\w+\\.a")

    def test_layout(self):
        self.write("bin/mla-run")
        with self.assertRaisesRegex(Failure, "expected installed files like .*libMLA"):
            self.check_layout()
        self.write("lib64/libMLAIR.a")
        self.check_layout()
        (self.prefix / "include").mkdir()
        with self.assertRaisesRegex(Failure, "^include: expected files"):
            self.check_layout()
        self.write("include/stray.h")
        with self.assertRaisesRegex(Failure, "^include/stray.h: expected no such file"):
            self.check_layout()

    def test_no_places(self):
        self.write("lib64/a.cmake", "set(x /usr/lib)\n")
        self.write("lib64/libx.a", "/src/build")
        install_tree.check_no_places(self.package, self.prefix)
        for place in ("/src/project/include", "/src/build", "/src/work/staging"):
            self.write("lib64/a.cmake", f"set(x\n  {place})\n")
            with self.assertRaisesRegex(Failure, f"a.cmake:2: expected no .*{place}"):
                install_tree.check_no_places(self.package, self.prefix)

    def test_search_path(self):
        library = self.prefix / "libx.so"

        def check(lines):
            reader = self.prefix / "readelf"
            reader.write_text("#!/bin/sh\necho ' 0x1 (NEEDED) Shared library: [libPATH.so]'\n"
                              + "".join(f"echo ' 0x1d (RUNPATH) Library runpath: [{line}]'\n"
                                        for line in lines))
            reader.chmod(0o755)
            self.package.readelf = reader
            install_tree.check_search_path(self.package, library, "$ORIGIN")

        check(["$ORIGIN"])
        for lines in ([], ["/usr/local/cuda/lib64"], ["$ORIGIN:/usr/local/cuda/lib64"]):
            with self.assertRaisesRegex(Failure, "libx.so: expected the search path"):
                check(lines)


if __name__ == "__main__":
    unittest.main()
