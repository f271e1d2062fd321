# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of what the definitions of operations and passes say of themselves."""

import re
import textwrap

from documents import is_excerpt
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


def pass_examples(project):
    """Every pass has an example in its description that says what it does today. The
    paragraph before a block says what it is, and the options that the pass is given:

        Before, with `phase=generation`:    what the pass gets
        After:                              what it makes of that
        After, with `form=expanded`:        the same for other options
        After, in part:                     text, lines of what mla-opt prints; `...`
                                            stands for others
        Rejected:                           what the pass refuses, with the messages
                                            as mlir-opt's -verify-diagnostics wants them
    """
    for name in PASSES:
        passes = re.split(r"^def \w+ : Pass<\"", project.text(name), flags=re.M)[1:]
        if not passes:
            yield f"{name}: expected passes, found none"
        for text in passes:
            argument = text.split('"', 1)[0]
            yield from pass_example(project, f"{name}: {argument}", argument, textwrap.dedent(
                re.search(r"let description = \[\{\n(.*?)\}\];", text, re.S).group(1)))


def pass_example(project, place, argument, description):
    before, given, used, made = None, "", 0, 0
    for kind, words, language, block in re.findall(
            r"^(Before|After|Rejected)\b((?:.|\n(?!\n))*):\n\n```(\w+)\n((?:.*\n)*?)```$",
            description, re.M):
        options = re.search(r"with `([^`]*)`", words)
        options = options.group(1) if options else ""
        used += 1
        if kind == "Before":
            before, given = block, options
            continue
        command = f"--{argument}={options or given}" if options or given else f"--{argument}"
        made += 1
        if kind == "Rejected":
            run = project.mla_opt(block, command, "--verify-diagnostics")
            if run.returncode or "// expected-error" not in block:
                yield f"{place}: expected the errors that its example gives:\n{run.stderr}"
            continue
        if before is None:
            yield f"{place}: expected 'Before:' and a block before 'After{words}:', found none"
            continue
        run = project.mla_opt(before, command)
        if language == "text":
            expected, is_right = block, is_excerpt(block, run.stdout)
        else:
            expected = project.mla_opt(block).stdout
            is_right = run.stdout == expected
        if run.returncode or not expected or not is_right:
            yield f"{place}: expected 'After{words}:' to be what {command} makes:\n{run.stdout}{run.stderr}"
    if len(re.findall("^ *```(?!$)", description, re.M)) != used:
        yield f"{place}: expected blocks after 'Before:', 'After:' or 'Rejected:', got others"
    if not made:
        yield f"{place}: expected an example, found none"


def custom_calls(project):
    """The table of custom calls has every operation's operands, attributes and results,
    as its definition does, `?` behind those that may be absent."""
    document = "docs/custom-calls.md"
    rows = dict(re.findall(r"^\| `mla\.(\w+)` \| (.*) \|$", project.text(document), re.M))
    for name in op_definitions(project):
        text = project.text(name)
        op = re.search(r'Op<"(\w+)"', text).group(1)
        listed = re.findall(r"^ *([\w<>]*?(?:MLA_\w+|Attr\b)).*:\$(\w+)[,\n]",
                            re.search(r"let arguments = \(ins\n(.*?\n) *\);", text, re.S).group(1), re.M)

        def cell(is_meant, is_optional):
            return ", ".join(f"`{argument}`" + "?" * bool(re.search(is_optional, kind))
                             for kind, argument in listed if re.search(is_meant, kind)) or "–"
        operand = r"^MLA_(\w*In|HostScalar|\w*Out)$"
        expected = " | ".join((cell(operand, "Opt|HostScalar"),
                               cell(r"Attr", "Optional|Unit"),
                               cell(r"^MLA_\w*Out$", "Opt")))
        if rows.get(op) != expected:
            yield f"{document}: mla.{op}: expected | {expected} |, got | {rows.get(op)} |"


CHECKS = (def_mlir, def_constraints, pass_examples, custom_calls)
