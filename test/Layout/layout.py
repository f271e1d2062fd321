#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of the sources: licences, an op's files, formatting.

    layout.py CHECK [--root=DIR] [--bin=DIR]

documents.py has the checks of the documents, definitions.py those of what operations
and passes say of themselves.

Prints one line a complaint and exits 1, or 77 where the check can't be made.
"""

import argparse
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys

import definitions
import documents
from project import Project

SKIPPED = 77

# Runtime calls without an op of the dialect behind them.
RUNTIME_ONLY = {"copy", "fill"}
# Lowered to other ops before it can reach the runtime.
DIALECT_ONLY = {"attention"}

# Binary, or of a format without comments.
NO_LICENCE = [r"\.safetensors$", r"^test/Fuzz/corpus/", r"\.mlirbc$",
              r"^(test|docs/performance)/.*\.json$", r"^LICENSE$"]

# The second half of each is apart so that this file doesn't find itself.
PRIVATE = [r"(?<![\w.])/wo" r"rk/", r"/tmp/br" r"ief", r"(?<!\w)/ho" r"me/\w", r"(?<!\w)/ro" r"ot/\w"]

CXX = {".c", ".h", ".cpp", ".cu", ".cuh"}


def camel_case(op):
    return "".join(word.upper() if word == "kv" else word.capitalize()
                   for word in op.split("_"))


#===--- Checks -----------------------------------------------------------------===#


def licence(project):
    """Every file names the licence."""
    tag = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
    for name in project.files():
        if any(re.search(pattern, name) for pattern in NO_LICENCE):
            continue
        if tag not in project.text(name)[:1000]:
            yield f"{name}: expected '{tag}' near the top, found none"


def op_files(project):
    """Every op of the table has its files, under the one name."""
    table = project.text("runtime/include/mla_runtime/ops.def")
    ops = re.findall(r"^MLA_OP_BEGIN\((\w+), \d", table, re.M)
    if not ops:
        yield "ops.def: expected operations, found none"
    for op in sorted(DIALECT_ONLY) + ops:
        expected = []
        if op not in RUNTIME_ONLY:
            expected += [f"include/mla/IR/Ops/{camel_case(op)}.td",
                         f"lib/IR/Ops/{camel_case(op)}.cpp",
                         f"test/IR/{op}.mlir",
                         f"test/IR/{op}_invalid.mlir"]
        if op not in DIALECT_ONLY:
            expected += [f"runtime/core/ops/{op}.cpp",
                         f"runtime/cpu/{op}.cpp",
                         f"test/Runtime/ops/{op}_test.cpp",
                         f"test/Runtime/reference/{op}.cpp"]
        for name in expected:
            if not (project.root / name).is_file():
                yield f"{op}: expected {name}, found none"
        cuda = [f"runtime/cuda/{op}.cu", f"runtime/cuda/{op}.cpp"]
        if op not in DIALECT_ONLY and not any((project.root / name).is_file() for name in cuda):
            yield f"{op}: expected {' or '.join(cuda)}, found none"


def private_paths(project):
    """No path of somebody's machine."""
    for name in project.files():
        if name.endswith(".safetensors"):
            continue
        for number, line in enumerate(project.text(name).splitlines(), 1):
            if any(re.search(pattern, line) for pattern in PRIVATE):
                yield f"{name}:{number}: expected no path of one machine, got: {line.strip()}"


def test_data(project):
    """The test data are the files that PROVENANCE.md speaks of."""
    data = project.root / "test/Data"
    listed = {}
    for line in (data / "SHA256SUMS").read_text().splitlines():
        if line and not line.startswith("#"):
            digest, name = line.split()
            listed[name] = digest
    present = {str(path.relative_to(data)) for folder in ("goldens", "configs")
               for path in (data / folder).iterdir()} | {"make_goldens.py"}
    for name in sorted(present | set(listed)):
        if name not in listed:
            yield f"test/Data/{name}: expected a line in SHA256SUMS, found none"
        elif name not in present:
            yield f"test/Data/{name}: listed in SHA256SUMS, but missing"
        elif hashlib.sha256((data / name).read_bytes()).hexdigest() != listed[name]:
            yield f"test/Data/{name}: expected the contents listed in SHA256SUMS, got others"


def format(project):
    """C and C++ files are as clang-format leaves them."""
    tool = shutil.which("clang-format-22")
    if not tool:
        print("clang-format-22 is not installed")
        sys.exit(SKIPPED)
    names = [name for name in project.files() if pathlib.Path(name).suffix in CXX]
    if not names:
        yield "expected C or C++ files, found none"
        return
    run = subprocess.run([tool, "--dry-run", "-Werror", *names],
                         cwd=project.root, capture_output=True, text=True)
    if run.returncode:
        wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", run.stderr, re.M)))
        for name in wrong:
            yield f"{name}: expected what clang-format-22 makes of it; run ./dev format"
        if not wrong:
            yield run.stderr


def habits(project):
    """`./dev` lists exactly the habits that it knows; documents use only those."""
    source = project.text("dev")
    usage = source.split("<<'USAGE'\n", 1)[1].split("\nUSAGE\n", 1)[0]
    listed = set(re.findall(r"^  ([\w-]+) ", usage, re.M))
    handled = set(re.findall(r"^([\w-]+)\) ", source.split("case $habit in", 1)[1], re.M))
    for name in sorted(listed ^ handled):
        yield f"dev: {name}: expected in the help and in the code, found in one of them"
    for document in project.documents():
        for name in re.findall(r"\./dev (\w[\w-]*)", project.text(document)):
            if name not in listed:
                yield f"{document}: ./dev {name}: expected one of {sorted(listed)}"


CHECKS = {check.__name__: check for check in
          (licence, op_files, private_paths, test_data, format, habits,
           *definitions.CHECKS, *documents.CHECKS)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--bin", type=pathlib.Path, help="where the tools are")
    options = parser.parse_args()
    complaints = list(CHECKS[options.check](Project(options.root, options.bin)))
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
