#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times the compiler on modules of many attentions, from parsing to LLVM IR.

    compile_time.py BIN_DIR [--sizes=100,1000,4000] [--shape=own,threaded,sliced,functions]
                    [--runs=3] [-o PAGE | --json=FILE]

Shapes: one function of many layers, every one an mla.attention with its own projections and
weights, or many functions of one layer. Lengths and rotary table are shared. The layers' caches:
`own`, one argument a layer; `threaded`, one argument that all layers append to, each with its own
page table; `sliced`, one argument of which each layer takes a slice and puts it back; `functions`:
one layer each, with its own cache.

What counts is the least processor time of several runs of `mla-compile --emit=llvm`: of user and
kernel, of all its threads, with the start of the tool. Where the largest module's time goes is
told by `mla-opt --mla-to-llvm -mlir-timing`. With -o the tables go between the marks of a page.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

from compile_modules import SHAPES

AIM_MS = 5
MARKS = re.compile(r"(<!-- begin: compile-time[^\n]*-->\n).*?(<!-- end: compile-time -->)", re.S)
PASS = re.compile(r"^ +([\d.]+) \( *[\d.]+%\)  (\S.*)$", re.M)


def fail(sentence):
    sys.exit(f"compile_time.py: error: {sentence}")


def run(command):
    """(processor seconds, what it said on stderr)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        fail(f"{' '.join(map(str, command))}: expected exit status 0, got {result.returncode}: "
             f"{result.stderr[:500]}")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, result.stderr


def passes(report):
    """{pass: seconds} of what -mlir-timing says; a pass that runs several times counts once."""
    found = {}
    for seconds, name in PASS.findall(report):
        if name not in ("Total", "Rest") and not name.startswith("("):
            found[name] = found.get(name, 0) + float(seconds)
    return found


def measure(bin_dir, shape, sizes, runs):
    result = {"shape": shape, "sizes": {}}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "module.mlir")
        for size in sizes:
            file.write_text(SHAPES[shape](size))
            command = [bin_dir / "mla-compile", file, "--emit=llvm", "-o", os.devnull]
            times = [run(command)[0] for _ in range(runs)]
            result["sizes"][size] = times
            print(f"{shape:>9} {size:>6} {min(times):>8.2f} s {1000 * min(times) / size:>8.2f} ms "
                  "an attention", flush=True)
            timed = [bin_dir / "mla-opt", file, "--mla-to-llvm", "-mlir-timing",
                     "-mlir-disable-threading", "-o", os.devnull]
            result.setdefault("passes", {})[size] = passes(run(timed)[1])
    return result


#===--- Tables -----------------------------------------------------------------===#


def number(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def milliseconds(result, size):
    return 1000 * min(result["sizes"][size]) / size


def slopes(result):
    """Milliseconds that an attention more costs, between a size and the next one."""
    sizes = sorted(result["sizes"])
    least = {size: min(result["sizes"][size]) for size in sizes}
    return [1000 * (least[b] - least[a]) / (b - a) for a, b in zip(sizes, sizes[1:])]


def total_table(results):
    sizes = sorted(results[0]["sizes"])
    steps = [f"{a} to {b}" for a, b in zip(sizes, sizes[1:])]
    lines = ["| module | " + " | ".join([*map(str, sizes), *steps, "slopes differ by"]) + " |",
             "|---|" + "---:|" * (len(sizes) + len(steps) + 1)]
    for result in results:
        slope = slopes(result)
        spread = f"{100 * (max(slope) / min(slope) - 1):.0f} %" if slope and min(slope) > 0 else "-"
        cells = [*(number(milliseconds(result, size)) for size in sizes), *map(number, slope), spread]
        lines.append(f"| `{result['shape']}` | " + " | ".join(cells) + " |")
    return lines


def pass_table(result, shown=12):
    """Of the two largest sizes, and how many times their ratio the time grows."""
    sizes = sorted(result["passes"])[-2:]
    largest = result["passes"][sizes[-1]]
    names = sorted(largest, key=largest.get, reverse=True)[:shown]
    head = [f"µs an attention, {size}" for size in sizes]
    lines = [f"| pass, `{result['shape']}` | " + " | ".join([*head, "growth"]) + " |",
             "|---|" + "---:|" * (len(sizes) + 1)]
    for name in names:
        each = [1e6 * result["passes"][size].get(name, 0) / size for size in sizes]
        growth = f"{each[-1] / each[0]:.2f}" if len(each) > 1 and each[0] else "-"
        lines.append(f"| {name} | " + " | ".join([*(f"{us:.0f}" for us in each), growth]) + " |")
    return lines


def tables(results):
    lines = ["Milliseconds of processor time an attention; then those that one more costs.", "",
             *total_table(results)]
    for result in results:
        lines += ["", *pass_table(result)]
    return "\n".join(lines) + "\n"


def fill(page, text):
    new, count = MARKS.subn(lambda found: found[1] + text + found[2], page.read_text())
    if count != 1:
        fail(f"{page}: expected marks 'begin: compile-time' and 'end: compile-time' once, got "
             f"{count} times")
    page.write_text(new)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_dir", type=pathlib.Path)
    parser.add_argument("--sizes", default="100,1000,4000")
    parser.add_argument("--shape", default="own,threaded,sliced,functions")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("-o", dest="page", type=pathlib.Path)
    options = parser.parse_args()
    sizes = sorted({int(size) for size in options.sizes.split(",")})
    results = []
    for shape in options.shape.split(","):
        if shape not in SHAPES:
            fail(f"--shape: expected some of {', '.join(SHAPES)}, got {shape}")
        results.append(measure(options.bin_dir, shape, sizes, options.runs))
    text = tables(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.page:
        fill(options.page, text)
    else:
        print(f"\n{text}(The aim: {AIM_MS} ms, and slopes that differ by no more than 15 %.)")


if __name__ == "__main__":
    main()
