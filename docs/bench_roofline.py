#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws recorded runs of mla-bench on their machine's ceilings, or says whether drawings are
current.

    bench_roofline.py RESULTS... (-o DIR [--clean] | --check DIR)

RESULTS are files that `mla-bench --json` wrote, or folders of them. For each operation, phase and
number of threads there are one or two files:

DEVICE-OP[-PHASE][-THREADS]-roofline.svg
    FLOP/s over operations a byte, a point a case, under the bandwidths and peaks of its run.
DEVICE-OP[-PHASE][-THREADS]-bandwidth.svg
    Of operations that move data: GB/s over bytes moved, under the copy bandwidth and the time
    that a launch takes besides; below it the share of the pattern copy, where it was measured.

Colours say what the cache holds, shapes what is rotated; pointing at a point tells its case.
Where several results have cases of an operation, those of the result with the most are drawn.
"""

import argparse
import pathlib
import sys

from bench_plots import bandwidth, roofline
from bench_results import read

DRAWN = {"roofline": roofline, "bandwidth": bandwidth}
TARGET = "mla-docs-cuda-performance"


def chosen(files):
    """{(device, op): (result, its cases)}; a result is the path NAME of NAME.json and the like."""
    results = {}
    for file in files:
        name = file.with_name(file.name.split(".")[0])
        for run in read(file):
            for case in run.cases:
                by_name = results.setdefault((run.result["device"], case.op), {})
                by_name.setdefault(name, []).append(case)
    return {key: max(by_name.items(), key=lambda item: len(item[1]))
            for key, by_name in sorted(results.items())}


def drawings(files, of=None):
    """{file name: SVG}, of one result or of all."""
    found = {}
    for (device, op), (result, cases) in chosen(files).items():
        if of not in (None, result):
            continue
        several = len({case.run.threads for case in cases}) > 1
        groups = {}
        for case in cases:
            words = [device, op, *([case.phase] if case.phase else []),
                     *([str(case.run.threads)] if several else [])]
            groups.setdefault("-".join(words), []).append(case)
        for name, those in groups.items():
            for kind, draw in DRAWN.items():
                svg = draw(those)
                if svg:
                    found[f"{name}-{kind}.svg"] = svg
    return found


def links(result):
    """Markdown that shows what is drawn of the result NAME, beside others in its folder."""
    names = drawings(sorted(result.parent.glob("*.json")), of=result)
    lines = [f"[![{name[:-4]}]({name})]({name})" for name in names]
    return "\n\n".join(lines or ["Nothing of it is drawn."]).splitlines()


def drawn_in(folder):
    return {path.name for kind in DRAWN for path in folder.glob(f"*-{kind}.svg")}


def stale(drawn, folder):
    """One complaint a file."""
    present = drawn_in(folder)
    for name in sorted(present | set(drawn)):
        if name not in drawn:
            yield f"{folder / name}: expected no such drawing, found one: remove it"
        elif name not in present or (folder / name).read_text() != drawn[name]:
            yield (f"{folder / name}: expected the drawing of the recorded runs, "
                   f"{'got another' if name in present else 'found none'}: run the target {TARGET}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=pathlib.Path, metavar="RESULTS")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("-o", dest="output", type=pathlib.Path, metavar="DIR",
                        help="write the drawings")
    action.add_argument("--check", type=pathlib.Path, metavar="DIR",
                        help="exit 1 where a drawing there is stale, missing or left over")
    parser.add_argument("--clean", action="store_true",
                        help="with -o: remove other drawings from there")
    options = parser.parse_args()
    files = [file for given in options.results
             for file in (sorted(given.glob("*.json")) if given.is_dir() else [given])]
    drawn = drawings(files)
    if options.check:
        complaints = list(stale(drawn, options.check))
        if complaints:
            sys.exit("\n".join(complaints))
        return
    options.output.mkdir(parents=True, exist_ok=True)
    for name, svg in drawn.items():
        file = options.output / name
        if not file.exists() or file.read_text() != svg:
            file.write_text(svg)
    for name in drawn_in(options.output) - set(drawn) if options.clean else ():
        (options.output / name).unlink()


if __name__ == "__main__":
    main()
