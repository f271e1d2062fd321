#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each check of layout.py complains about what it is there for, and only then."""

import hashlib
import shutil
import unittest

import layout
from testing import CheckTest

TAG = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n"
DEV = """cat <<'USAGE'
  build    builds
USAGE
case $habit in
build) build ;;
esac
"""


class LayoutTest(CheckTest):
    def test_licence(self):
        self.write("good.h", "// " + TAG)
        self.write("LICENSE", "text")
        self.expect(layout.licence)
        self.write("bad.h", "int x;\n")
        self.expect(layout.licence, "bad.h")

    def test_op_files(self):
        self.write("runtime/include/mla_runtime/ops.def",
                   'MLA_OP_BEGIN(absorb_q, 1, "")\nMLA_OP_BEGIN(fill, 1, "")\n')
        names = ["include/mla/IR/Ops/AbsorbQ.td", "lib/IR/Ops/AbsorbQ.cpp",
                 "test/IR/absorb_q.mlir", "test/IR/absorb_q_invalid.mlir",
                 "runtime/core/ops/absorb_q.cpp", "runtime/cpu/absorb_q.cpp",
                 "runtime/cuda/absorb_q.cpp",
                 "test/Runtime/ops/absorb_q_test.cpp", "test/Runtime/reference/absorb_q.cpp",
                 "include/mla/IR/Ops/Attention.td", "lib/IR/Ops/Attention.cpp",
                 "test/IR/attention.mlir", "test/IR/attention_invalid.mlir",
                 "runtime/core/ops/fill.cpp", "runtime/cpu/fill.cpp", "runtime/cuda/fill.cu",
                 "test/Runtime/ops/fill_test.cpp", "test/Runtime/reference/fill.cpp"]
        for name in names:
            self.write(name, "")
        self.expect(layout.op_files)
        for name in names:
            (self.project.root / name).unlink()
            self.expect(layout.op_files, name)
            self.write(name, "")

    def test_private_paths(self):
        self.write("good.md", "workspace and framework/paths\n")
        self.expect(layout.private_paths)
        self.write("bad.md", "see /wo" "rk/tree\n")
        self.expect(layout.private_paths, "bad.md:1")

    def test_test_data(self):
        self.write("test/Data/goldens/a.safetensors", "a")
        self.write("test/Data/configs/b.json", "b")
        self.write("test/Data/make_goldens.py", "c")
        sums = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in
                       (("goldens/a.safetensors", "a"), ("configs/b.json", "b"),
                        ("make_goldens.py", "c")))
        self.write("test/Data/SHA256SUMS", sums)
        self.expect(layout.test_data)
        self.write("test/Data/goldens/a.safetensors", "changed")
        self.write("test/Data/configs/new.json", "")
        self.expect(layout.test_data, "new.json", "a.safetensors")

    @unittest.skipUnless(shutil.which("clang-format-22"), "no clang-format-22")
    def test_format(self):
        self.write("good.cpp", "int x;\n")
        self.expect(layout.format)
        self.write("bad.cpp", "int   x ;\n")
        self.expect(layout.format, "bad.cpp")

    def test_habits(self):
        self.write("dev", DEV)
        self.write("README.md", "Run `./dev build`.\n")
        self.expect(layout.habits)
        self.write("dev", DEV.replace("esac", "lint) lint ;;\nesac"))
        self.write("README.md", "Run `./dev tset`.\n")
        self.expect(layout.habits, "lint", "tset")


if __name__ == "__main__":
    unittest.main()
