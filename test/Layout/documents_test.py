#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each check of documents.py complains about what it is there for, and only then."""

import unittest

import documents
from testing import CheckTest


class DocumentsTest(CheckTest):
    def test_doc_links(self):
        self.write("docs/a.md", "[b](b.md#part) [web](https://example.org/x) [up](../c.md)\n")
        self.write("docs/b.md", "")
        self.write("c.md", "")
        self.expect(documents.doc_links)
        self.write("c.md", "[a](a.md)\n")
        self.expect(documents.doc_links, "a.md")

    def test_doc_languages(self):
        self.write("a.md", "```text\nx\n```\n\n* item\n\n  ```console\n  $ x\n  ```\n\n    indented\n")
        self.expect(documents.doc_languages)
        self.write("b.md", "```\nx\n```\n~~~sh\nx\n~~~\n\n```console $\nx\n```\n")
        self.expect(documents.doc_languages, "b.md:2", "'sh'", "'console $'")
        # What comes after a fence that nothing closes is in it.
        self.write("b.md", "```rust\nx\n")
        self.expect(documents.doc_languages, "'rust'")

    def test_doc_mlir(self):
        self.expect(documents.doc_mlir, "found none")
        self.write_tool("mla-opt", "read -r line\ntest \"$line\" = good\n")
        self.write("a.md", "text\n```mlir\ngood\n```\n")
        self.expect(documents.doc_mlir)
        self.write("a.md", "text\n```mlir\ngood\n```\n\n```mlir\nbad\n```\n")
        self.expect(documents.doc_mlir, "a.md:7")

    def test_doc_mlir_snippets(self):
        self.write_tool("mla-opt", "grep -qE 'func @f\\(%a: index\\)|mla.example1 = #mla.b'\n")
        self.write("a.md", "```mlir\n%r = mla.a ins(a = %a : index)\n```\n"
                           "```mlir\n// comment\n#mla.a<1>\n\n#mla.b\n```\n")
        self.expect(documents.doc_mlir)
        self.write("a.md", "```mlir\nfoo %a : index\n```\n```mlir\n#mla.b\n```\n")
        self.expect(documents.doc_mlir, "a.md:2", "a.md:5")

    def test_readme_example(self):
        self.write("README.md", "```mlir\nx\n```\n")
        self.expect(documents.readme_example, "got 1 blocks")
        self.write_tool("mla-opt", "test \"$2\" && tr x y || cat\n")
        self.write("README.md", "```mlir\nx\n```\n```mlir\ny\n```\n")
        self.expect(documents.readme_example)
        self.write("README.md", "```mlir\nx\n```\n```mlir\nz\n```\n")
        self.expect(documents.readme_example, "second block")

    def test_doc_excerpts(self):
        self.write("test/a.c", "int f() {\n  one();\n  two();\n  three();\n}\n")
        for block in ("  one();\n  two();\n", "int f() {\n  // ...\n  three();\n}\n",
                      "...\n  two();\n...\n"):
            self.write("a.md", f"```c\n{block}```\n")
            self.expect(documents.doc_excerpts)
        for block in ("one();\n", "  three();\n...\n  one();\n", "  one();\n  three();\n",
                      "", "// ...\n"):
            self.write("a.md", f"```c\n{block}```\n")
            self.expect(documents.doc_excerpts, "a.md:2: expected lines of a c file")
        # Of another language, and of a file that nothing tests.
        self.write("lib/a.py", "x = 1\n")
        self.write("a.md", "```python\n  one();\n```\n```python\nx = 1\n```\n")
        self.expect(documents.doc_excerpts, "none of 0", "none of 0")

    def test_doc_console(self):
        self.write("CMakePresets.json", '{"configurePresets": [{"name": "release"}]}')
        self.write_tool("mla-run", "echo ' --time   Time it'\n")
        self.write("a.md", "```console\n$ cmake --preset release && X=1 build/bin/mla-run a --time\n"
                           "output --of it\n```\n")
        self.expect(documents.doc_console)
        self.write("a.md", "```console\n$ cmake --preset fast\n$ mla-run a.so \\\n    --tim\n"
                           "$ mla-fly x\n```\n")
        self.expect(documents.doc_console, "fast", "--tim", "mla-fly")

    def test_commands(self):
        block = documents.Block("a.md", 5, "console",
                                "$ one \\\n    more\n$ two\nits\noutput\n$ three\n")
        self.assertEqual(documents.commands(block),
                         [("a.md:5", "one \\\n    more", None), ("a.md:7", "two", ["its", "output"]),
                          ("a.md:10", "three", None)])

    def test_not_run(self):
        for command in ("./dev test", "apt-get install x", "sudo apt-get update", "X=1 git clone y",
                        "cmake --preset release && ninja -C build", "cd x && ./dev build",
                        "build-fuzz/bin/fuzz-ir", "build/bin/mla-run x --device=cuda:1 -v",
                        "./run-gpu-tests --list"):
            self.assertTrue(documents.not_run(command), command)
        for command in ("cat dev", "build/bin/mla-run x", "mla-run x --device=cpu", "cmake -S a -B b", "./a.out", "echo git x"):
            self.assertFalse(documents.not_run(command), command)

    def run_document(self, text, *words):
        self.write("a.md", f"```console\n{text}```\n")
        self.expect(documents.doc_run, *words)

    def test_doc_run(self):
        self.write("data/file", "content\n")
        self.write_tool("mla-run", "echo ran $*\n")
        self.run_document("$ build/bin/mla-run 1 \\\n    2\nran 1 2\n$ mla-run 3\nran 3\n")
        self.run_document("$ mla-run 1\nran 2\n", "a.md:2: mla-run 1: expected the output given")
        self.run_document("$ echo more than shown\n$ false\n", "expected success, got exit status 1")
        self.run_document("$ false | cat\n", "expected success")
        self.run_document("$ exit 3\n$ true\n", "expected it to return")
        self.run_document("output\n", "expected a command")

    def test_doc_run_elisions(self):
        command = "$ printf 'first\\ntook 5 s\\nlast\\n'\n"
        for output in ("first\n...\nlast\n", "...\n", "first\ntook ... s\nlast\n", "...\nlast\n"):
            self.run_document(command + output)
        for output in ("first\nlast\n", "first\ntook ... ms\nlast\n", "first\n...\nother\n", "last\n"):
            self.run_document(command + output, "expected the output given")

    def test_doc_run_errors(self):
        self.run_document("$ echo error: no >&2 && false\nerror: no\n")
        self.run_document("$ echo error: no\nerror: no\n", "expected an error, got exit status 0")

    def test_doc_run_is_apart(self):
        """Commands share a shell, not with other documents and not with the sources."""
        self.write("data/file", "content\n")
        self.write("a.md", "```console\n$ cd data && export X=1\n$ echo new > file\n```\n"
                           "text\n```console\n$ cat file; echo $X\nnew\n1\n```\n")
        self.write("b.md", "```console\n$ cat data/file; echo $X\ncontent\n\n```\n")
        self.expect(documents.doc_run)
        self.assertEqual(self.project.text("data/file"), "content\n")


if __name__ == "__main__":
    unittest.main()
