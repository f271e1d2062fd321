# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of what the definitions of operations and passes say of themselves."""

import re

from project import parse

OPS = "include/mla/IR/Ops/"
# Where the constraints that all operations share are verified.
SHARED_VERIFIERS = ["lib/IR/OpSupport.cpp", "lib/IR/DimSolver.cpp", "lib/IR/Verification.cpp"]
PASSES = ["include/mla/Transforms/Passes.td", "include/mla/Conversion/Passes.td"]


def op_definitions(project):
    return [name for name in project.files() if re.match(rf"{OPS}\w+\.td$", name)]


def def_mlir(project):
    """Every example of an op's definition is valid, its operands being arguments."""
    for name in op_definitions(project):
        blocks = re.findall(r"^ *```mlir\n(.*?)^ *```$", project.text(name), re.M | re.S)
        if not blocks:
            yield f"{name}: expected an example in a ```mlir block, found none"
        for block in blocks:
            yield from parse(project, name, block)


def def_constraints(project):
    """Every numbered constraint of an op is in its verifier and in its test of invalid
    IR, under its number. Constraints that all ops share are in the shared verifier, and
    each op's test has them too."""
    listed = re.compile(r"\*\*\((C\d+)\)\*\*")
    shared = listed.findall(project.text("include/mla/IR/MLADialect.td"))
    for name in op_definitions(project):
        text = project.text(name)
        op = re.search(r'Op<"(\w+)"', text).group(1)
        labels = shared + listed.findall(text)
        numbers = [f"C{i + 1}" for i in range(len(labels))]
        if labels != numbers:
            yield f"{name}: expected constraints {', '.join(numbers)}, got {', '.join(labels)}"
        verifier = name.replace("include/mla", "lib").replace(".td", ".cpp")
        test = f"test/IR/{op}_invalid.mlir"
        sources = "".join(project.text(file) for file in SHARED_VERIFIERS)
        own = set(re.findall(r'["(](C\d+)[")]', project.text(verifier)))
        verified = own | set(re.findall(r'["(](C\d+)[")]', sources))
        tested = set(re.findall(rf"'mla\.{op}' op \((C\d+)\)", project.text(test)))
        for file, found in ((verifier, verified), (test, tested)):
            for label in sorted(set(labels) - found):
                yield f"{file}: expected a diagnostic of mla.{op} with ({label}), found none"
        for file, found in ((verifier, own), (test, tested)):
            for label in sorted(found - set(labels)):
                yield f"{file}: ({label}): expected a constraint that {name} lists, got another"


CHECKS = (def_mlir, def_constraints)
