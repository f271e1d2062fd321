# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The sources that the checks look at, and the compiler that they ask."""

import re
import subprocess


class Project:
    def __init__(self, root, bin_dir):
        self.root = root
        self.bin = bin_dir

    def files(self):
        """Paths of the sources, relative to the root."""
        git = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"],
            cwd=self.root, capture_output=True, text=True)
        if git.returncode == 0 and git.stdout:
            names = [name for name in git.stdout.split("\0") if name]
        else:  # an archive of the sources
            names = [str(path.relative_to(self.root)) for path in self.root.rglob("*")]
            names = [name for name in names
                     if not re.match(r"build|\.git/", name) and "__pycache__" not in name]
        return sorted(name for name in names if (self.root / name).is_file())

    def text(self, name):
        return (self.root / name).read_text(errors="replace")

    def documents(self):
        return [name for name in self.files() if name.endswith(".md")]

    def mla_opt(self, text, *options):
        return subprocess.run([self.bin / "mla-opt", "-", *options], input=text,
                              capture_output=True, text=True)


def as_module(text):
    """IR as documents show it, as a module that can be parsed: operations without a
    function get one whose arguments are their typed operands, attributes alone
    become a module's."""
    code = [line for line in text.splitlines() if not re.match(r"\s*(//|$)", line)]
    if code and all(re.match(r"\s*#\w+\.", line) for line in code):
        return "module attributes {" + ", ".join(
            f"mla.example{i} = {line}" for i, line in enumerate(code)) + "} {}\n"
    if code and re.match(r"\s*(%|mla\.)", code[0]):
        typed = dict(re.findall(r"(%\w+) : ((?:tensor|memref)<[^<>]*(?:<[^<>]*>)?>|index)", text))
        arguments = ", ".join(f"{value}: {type}" for value, type in typed.items())
        return f"func.func @f({arguments}) {{\n{text}\nreturn\n}}\n"
    return text


def parse(project, place, text):
    run = project.mla_opt(as_module(text))
    if run.returncode:
        yield f"{place}: expected IR that mla-opt accepts, got: {run.stderr.strip()}"
