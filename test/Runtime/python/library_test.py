# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finding the library, and other libraries than it."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import support

MODULE = support.BUILD / "share/mla/python/mla_runtime.py"
LIBRARY = support.BUILD / "lib/libmla_runtime.so.0"


class Library(unittest.TestCase):
    """Each in a process of its own: a library is loaded once."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.prefix = pathlib.Path(folder.name).resolve()

    def python(self, module, code, **variables):
        run = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True,
                             env={**os.environ, "PYTHONPATH": str(module.parent), **variables})
        return run.returncode, run.stdout.strip(), run.stderr.strip().split("\n")[-1]

    def install(self, folder):
        """A copy of the module in an install tree without a library."""
        place = self.prefix / folder
        place.mkdir(parents=True)
        return pathlib.Path(shutil.copy(MODULE, place))

    LOAD = "import mla_runtime; print(mla_runtime.load_library())"

    def test_in_an_install_tree(self):
        module = self.install("share/mla/python")
        for folder in ("lib", "lib64"):
            (self.prefix / folder).mkdir()
            link = self.prefix / folder / LIBRARY.name
            link.symlink_to(LIBRARY)
            self.assertEqual(self.python(module, self.LOAD), (0, str(link), ""))
            link.unlink()

    def test_beside_the_module_comes_first(self):
        module = self.install("share/mla/python")
        (self.prefix / "lib").mkdir()
        for place in (module.parent, self.prefix / "lib"):
            (place / LIBRARY.name).symlink_to(LIBRARY)
        self.assertEqual(self.python(module, self.LOAD)[:2],
                         (0, str(module.parent / LIBRARY.name)))

    def test_by_the_dynamic_loader(self):
        module = self.install("somewhere/else/python")
        self.assertEqual(
            self.python(module, self.LOAD, LD_LIBRARY_PATH=str(LIBRARY.parent))[:2],
            (0, LIBRARY.name))
        # The same by another name is no other.
        code = f"{self.LOAD}; mla_runtime.load_library({str(LIBRARY)!r})"
        self.assertEqual(
            self.python(module, code, LD_LIBRARY_PATH=str(LIBRARY.parent))[:2],
            (0, LIBRARY.name))

    def test_the_error_lists_what_was_tried(self):
        module = self.install("share/mla/python")
        broken = module.parent / LIBRARY.name
        broken.write_text("no library")
        status, _, error = self.python(module, self.LOAD)
        self.assertEqual(status, 1)
        self.assertIn("mla_runtime.NotFound: libmla_runtime.so.0: expected the runtime's library, "
                      f"got none; tried {broken} (", error)
        self.assertIn(f"{self.prefix}/lib/libmla_runtime.so.0, ", error)
        self.assertIn(f"{self.prefix}/lib64/libmla_runtime.so.0, ", error)
        self.assertIn("the dynamic loader (", error)

    def test_a_named_one_and_no_other(self):
        code = ("import mla_runtime, sys\n"
                "try: print(mla_runtime.load_library(sys.argv[1] if sys.argv[1:] else 'absent'))\n"
                "except mla_runtime.NotFound as e: print(e)\n")
        module = self.install("share/mla/python")
        self.assertEqual(self.python(module, code)[1],
                         "libmla_runtime.so.0: expected the runtime's library, got none; tried "
                         "absent")
        code = ("import mla_runtime\n"
                f"mla_runtime.load_library({str(LIBRARY)!r})\n"
                f"mla_runtime.load_library({str(LIBRARY)!r})\n"
                "mla_runtime.Context('cpu').close()\n"
                "import _ctypes\n"
                "for other in (_ctypes.__file__, 'absent'):\n"
                "    try: mla_runtime.load_library(other)\n"
                "    except mla_runtime.FailedPrecondition as error: print(error)\n")
        status, output, _ = self.python(module, code)
        self.assertEqual(status, 0)
        self.assertRegex(output, "^/.*: expected no other library of the runtime, got /.* loaded "
                         "already\nabsent: expected no other library of the runtime, got ")

    def test_a_named_one_in_the_working_directory(self):
        module = self.install("share/mla/python")
        (self.prefix / "here.so").symlink_to(LIBRARY)
        code = (f"import os; os.chdir({str(self.prefix)!r}); import mla_runtime\n"
                "for _ in range(2): print(mla_runtime.load_library('here.so'))\n")
        self.assertEqual(self.python(module, code), (0, "here.so\nhere.so", ""))

    def test_another_abi(self):
        module = self.install("share/mla/python")
        text = module.read_text()
        self.assertEqual(text.count("\nABI_VERSION = 1\n"), 1)
        module.write_text(text.replace("\nABI_VERSION = 1\n", "\nABI_VERSION = 2\n"))
        code = f"import mla_runtime; mla_runtime.load_library({str(LIBRARY)!r})"
        status, _, error = self.python(module, code)
        self.assertEqual(status, 1)
        self.assertEqual(error, f"mla_runtime.FailedPrecondition: {LIBRARY}: expected a runtime of "
                         "ABI 2, as mla_runtime.py is, got ABI 1")

    def test_another_library(self):
        module = self.install("share/mla/python")
        code = ("import mla_runtime, _ctypes\n"
                "mla_runtime.load_library(_ctypes.__file__)\n")
        status, _, error = self.python(module, code)
        self.assertEqual(status, 1)
        self.assertIn("expected a runtime of ABI 1, as mla_runtime.py is, got ABI none", error)

    def test_objects_that_nobody_closed_do_no_harm_at_the_end(self):
        code = ("import mla_runtime, numpy, sys, threading\n"
                "ctx = mla_runtime.Context('cpu', workspace=1 << 20)\n"
                "class Wrapped:\n"
                "    def __init__(self, a): self.a = a\n"
                "    def __dlpack__(self, **k): return self.a.__dlpack__()\n"
                "    def __dlpack_device__(self): return self.a.__dlpack_device__()\n"
                "kept = mla_runtime.tensor(Wrapped(numpy.zeros(3, 'f4')))\n"
                "also = mla_runtime.tensor(bytearray(8))\n"
                "cycle = [ctx, kept]; cycle.append(cycle)\n"
                "sys.kept = (ctx, kept, also)\n"
                "threading.current_thread().kept = ctx\n")
        self.assertEqual(self.python(MODULE, code), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
