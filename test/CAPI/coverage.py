#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that the C interface has what the dialect and the passes have.

    coverage.py LLVM_TBLGEN MLIR_INCLUDE [--root=DIR]

Every attribute of the dialect, every pass of every Passes.td, every pipeline.
Prints one line for each that is missing, "covered: A attributes, P passes,
L pipelines" otherwise; exits 1 if something is missing.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys


def records(options, definitions):
    """TableGen's records of a file, and its classes' instances, by name."""
    include = options.root / "include"
    text = subprocess.run(
        [options.tblgen, "--dump-json", f"-I{include}", f"-I{options.mlir_include}",
         definitions], check=True, capture_output=True, text=True).stdout
    return json.loads(text)


def instances(table, kind):
    return [table[name] for name in table["!instanceof"].get(kind, [])]


def expected_of_attributes(options):
    """A predicate, a constructor, a type id, and one getter a parameter."""
    table = records(options, options.root / "include/mla/IR/MLAAttrs.td")
    for attribute in instances(table, "AttrDef"):
        if attribute["dialect"]["def"] != "MLA_Dialect":
            continue
        name = attribute["cppClassName"].removesuffix("Attr")
        yield name, f"mlaAttributeIsA{name}("
        yield name, f"mla{name}AttrGet("
        yield name, f"mla{name}AttrGetTypeID("
        for _, parameter in attribute["parameters"]["args"]:
            words = "".join(word.capitalize() for word in parameter.split("_"))
            getter = "Is" if words == "Enabled" else "Get"
            yield f"{name}'s {parameter}", f"mla{name}Attr{getter}{words}("


def expected_of_passes(options):
    for definitions in sorted(options.root.glob("include/mla/*/Passes.td")):
        group = definitions.parent.name
        for record in instances(records(options, definitions), "PassBase"):
            yield (f"{group}/{record['!name']}",
                   f"mlirCreateMLA{group}{record['!name']}")


def expected_of_pipelines(options):
    text = (options.root / "include/mla/Pipelines/Pipelines.h").read_text()
    for name in re.findall(r"buildMLA(\w+)Pipeline\(", text):
        yield name, f"mlaOpPassManagerAdd{name}Pipeline("


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tblgen")
    parser.add_argument("mlir_include")
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    options = parser.parse_args()

    headers = "".join(path.read_text() for path in options.root.glob("include/mla-c/*.h"))
    # Passes' functions are generated; a program that calls each shows that the
    # headers have it.
    program = (options.root / "test/CAPI/passes.c").read_text()
    missing = []
    counts = []
    for text, expected in ((headers, list(expected_of_attributes(options))),
                           (program, list(expected_of_passes(options))),
                           (headers, list(expected_of_pipelines(options)))):
        missing += [f"{name}: expected {function.rstrip('(')} in "
                    f"{'include/mla-c' if text is headers else 'test/CAPI/passes.c'}, found none"
                    for name, function in expected if function not in text]
        counts.append(len({name.split("'")[0] for name, _ in expected}))
    if missing or not all(counts):
        print("\n".join(missing or [f"expected all three kinds, found {counts}"]))
        return 1
    print("covered: {} attributes, {} passes, {} pipelines".format(*counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
