#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each check of layout.py complains about what it is there for, and only then."""

import hashlib
import pathlib
import shutil
import tempfile
import unittest

import layout

TAG = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n"
DEV = """cat <<'USAGE'
  build    builds
USAGE
case $habit in
build) build ;;
esac
"""


class LayoutTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.project = layout.Project(pathlib.Path(folder.name), pathlib.Path(folder.name) / "bin")

    def write(self, name, text, mode=0o644):
        path = self.project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def complaints(self, check):
        return list(check(self.project))

    def expect(self, check, *words):
        """One complaint a word, in order, that holds the word."""
        got = self.complaints(check)
        self.assertEqual(len(got), len(words), got)
        for complaint, word in zip(got, words):
            self.assertIn(word, complaint)

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
                 "test/Runtime/cpu/absorb_q_test.cpp", "test/Runtime/reference/absorb_q.cpp",
                 "include/mla/IR/Ops/Attention.td", "lib/IR/Ops/Attention.cpp",
                 "test/IR/attention.mlir", "test/IR/attention_invalid.mlir",
                 "runtime/core/ops/fill.cpp", "runtime/cpu/fill.cpp",
                 "test/Runtime/cpu/fill_test.cpp", "test/Runtime/reference/fill.cpp"]
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

    def test_doc_links(self):
        self.write("docs/a.md", "[b](b.md#part) [web](https://example.org/x) [up](../c.md)\n")
        self.write("docs/b.md", "")
        self.write("c.md", "")
        self.expect(layout.doc_links)
        self.write("c.md", "[a](a.md)\n")
        self.expect(layout.doc_links, "a.md")

    def test_doc_mlir(self):
        self.expect(layout.doc_mlir, "found none")
        self.write("bin/mla-opt", "#!/bin/sh\nread -r line\ntest \"$line\" = good\n", 0o755)
        self.write("a.md", "text\n```mlir\ngood\n```\n")
        self.expect(layout.doc_mlir)
        self.write("a.md", "text\n```mlir\ngood\n```\n\n```mlir\nbad\n```\n")
        self.expect(layout.doc_mlir, "a.md:7")

    def test_def_mlir(self):
        self.write("include/mla/IR/Ops/A.td", "text\n")
        self.expect(layout.def_mlir, "found none")
        self.write("bin/mla-opt", "#!/bin/sh\ngrep -q 'f(%a: tensor<?xf32>, %i: index)'\n", 0o755)
        example = "    ```mlir\n    %r = mla.a ins(a = %a : TYPE, i = %i : index)\n    ```\n"
        self.write("include/mla/IR/Ops/A.td", example.replace("TYPE", "tensor<?xf32>"))
        self.expect(layout.def_mlir)
        self.write("include/mla/IR/Ops/A.td", example.replace("TYPE", "vector<2xf32>"))
        self.expect(layout.def_mlir, "A.td")

    def test_readme_example(self):
        self.write("README.md", "```mlir\nx\n```\n")
        self.expect(layout.readme_example, "got 1 blocks")
        self.write("bin/mla-opt", "#!/bin/sh\ntest \"$2\" && tr x y || cat\n", 0o755)
        self.write("README.md", "```mlir\nx\n```\n```mlir\ny\n```\n")
        self.expect(layout.readme_example)
        self.write("README.md", "```mlir\nx\n```\n```mlir\nz\n```\n")
        self.expect(layout.readme_example, "second block")

    def test_doc_console(self):
        self.write("CMakePresets.json", '{"configurePresets": [{"name": "release"}]}')
        self.write("bin/mla-run", "#!/bin/sh\necho ' --time   Time it'\n", 0o755)
        self.write("a.md", "```console\n$ cmake --preset release && build/bin/mla-run a.so --time\n"
                           "output --of it\n```\n")
        self.expect(layout.doc_console)
        self.write("a.md", "```console\n$ cmake --preset fast\n$ mla-run a.so \\\n    --tim\n"
                           "$ mla-fly x\n```\n")
        self.expect(layout.doc_console, "fast", "--tim", "mla-fly")


if __name__ == "__main__":
    unittest.main()
