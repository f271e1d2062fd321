#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes the tables of pages from recorded runs of mla-bench, or says whether they are current.

    bench_table.py (-o | --check) PAGE...

Between the marks `<!-- begin: NAME ... -->` and `<!-- end: NAME -->` of a page go the tables of
NAME.json beside it, what `mla-bench --json` wrote. Where a file's cases say what others need,
a row has all cache formats of a case; else a row is a case, or a compiled step. `begin: NAME/PART`, closed by
`end: NAME/PART`, takes a part of a grid of operations that move data: run (on what, and its
ceilings), plots, targets, where (they are missed), misses, peers, rows (of append), listing (of
gather_kv). A grid that was measured in parts has files NAME.PART.json beside NAME.json, or instead
of it.
"""

import argparse
import pathlib
import re
import sys

import bench_grid
import bench_roofline
import bench_steps
from bench_grid import table
from bench_results import number, parts, percent, read, split_name

MARKS = re.compile(r"(<!-- begin: ([\w-]+)((?:/\w+)?)[^\n]*-->\n).*?(<!-- end: \2\3 -->)", re.S)
TARGET = "mla-docs-cuda-performance"


def bound(case):
    """As mla-bench counts: the peak of the operands' type, and the memory that they fit in."""
    return next(case[key] for key in ("roofline_bf16", "roofline_in_cache", "roofline")
                if key in case)


#===--- Tables -----------------------------------------------------------------===#


def comparison(cases):
    """A row a case, with others' times of the cache of 16 bits."""
    by_name, formats = {}, []
    for case in cases:
        name, cache = split_name(case)
        by_name.setdefault(name, {})[cache] = case
        if cache not in ["same", *formats]:
            formats.append(cache)
    head = ["case", "µs:", "limit µs:", "share:", "best peer", "its µs:", "ratio:"]
    for cache in formats:
        head += [f"{cache} µs:", "share:", "of plain:"]
    rows = []
    for name, by_cache in by_name.items():
        same = by_cache.get("same", {})
        row = [f"`{name}`", *own_time(same, with_limit=True)]
        if same.get("ratio_to_best_peer"):
            row += [same["best_peer"], number(same["best_peer_us"]),
                    f"{same['ratio_to_best_peer']:.2f}"]
        else:
            row += ["-"] * 3
        for cache in formats:
            case = by_cache.get(cache, {})
            both = "median_us" in case and "median_us" in same
            row += [*own_time(case, with_limit=False),
                    f"{case['median_us'] / same['median_us']:.2f}" if both else "-"]
        rows.append(row)
    return table(head, rows)


def own_time(case, with_limit):
    if "median_us" not in case:
        return ["-"] * (3 if with_limit else 2)
    limit = [number(bound(case)["us"])] if with_limit else []
    return [number(case["median_us"]), *limit, percent(bound(case)["share"])]


def listing(cases):
    rows = []
    for case in cases:
        if "median_us" not in case:
            rows.append([f"`{case['case']}`", "not implemented"] + ["-"] * 5)
            continue
        # Of what a graph was replayed for, also the call alone.
        event = case.get("event_median_us") if case.get("counted") == "graph" else None
        event = case.get("eager_median_us", event)
        rows.append([f"`{case['case']}`", number(case["median_us"]),
                     "-" if event is None else number(event), number(case["gb_per_s"], 0),
                     number(case["gflop_per_s"] * 1e-3), bound(case)["limit"],
                     percent(bound(case)["share"])])
    return table(["case", "µs:", "event µs:", "GB/s:", "TFLOP/s:", "limit", "share:"], rows)


def describe(run):
    """One paragraph: on what, when, and what that machine can do."""
    result, top = run.result, run.ceilings
    machine = result.get("machine", {})
    where = [run.machine()]
    for key, text in (("driver", "driver {}"), ("cuda_of_the_tool", "CUDA {}"),
                      ("sm_clock_when_busy", "multiprocessors at {}"),
                      ("memory_clock_when_busy", "memory at {}"), ("power_limit", "limit {}")):
        if key in machine:
            where.append(text.format(machine[key]))
    revision = f"; revision `{result['commit']}`" if "commit" in result else ""
    peaks = [f"{key} {number(top[f'{key}_gb_per_s'])} GB/s" for key in ("read", "write", "copy")
             if f"{key}_gb_per_s" in top]
    peaks += [f"{key} {number(top[f'{key}_gflop_per_s'] * 1e-3)} TFLOP/s"
              for key in ("f32", "bf16", "fp8") if f"{key}_gflop_per_s" in top]
    for key, text in (("smallest_kernel_between_events_us", "an empty kernel {} µs between events"),
                      ("smallest_kernel_in_graph_us", "{} µs in a graph")):
        if key in top:
            peaks.append(text.format(number(top[key], 2)))
    missing = "".join(f" {sentence[0].upper()}{sentence[1:].rstrip('.')}."
                      for sentence in top.get("missing", []))
    return (f"{result['date'][:10]}, {', '.join(where)}{revision}. Ceilings with "
            f"{run.units()}: {', '.join(peaks)}.{missing}" +
            logged("While reading", [top]) + logged("During products", [top], "products_") +
            logged("During the cases", [case.fields for case in run.cases]))


def logged(when, measured, prefix=""):
    """Clocks and power, from the least to the greatest of what was measured."""
    text = []
    for key, form in (("sm_clock_mhz", "multiprocessors at {} MHz"),
                      ("memory_clock_mhz", "memory at {} MHz"), ("power_w", "{} W")):
        values = [one[prefix + key] for one in measured if one.get(prefix + key)]
        if values:
            least, most = f"{min(values):.0f}", f"{max(values):.0f}"
            text.append(form.format(least if least == most else f"{least} to {most}"))
    return f" {when}: {', '.join(text)}." if text else ""


def raw(files):
    return f"Raw: {', '.join(f'[{file.name}]({file.name})' for file in files)}."


def tables(file, part):
    """What goes between the marks of the result whose first file is `file`."""
    files = parts(file)
    if not files:
        return "No run is recorded.\n"
    runs = [run for one in files for run in read(one)]
    if part == "run":
        lines = [raw(files), *(line for run in runs for line in ("", describe(run)))]
    elif part == "plots":
        lines = bench_roofline.links(file.with_suffix(""))
    elif part:
        lines = bench_grid.PARTS[part]([case for run in runs for case in run.cases])
    else:
        lines = [raw(files)]
        for run in runs:
            cases = [case.fields for case in run.cases]
            compared = any("best_peer_us" in case for case in cases)
            lines += ["", describe(run)]
            if cases:
                lines += ["", *(comparison(cases) if compared else listing(cases))]
            if run.steps:
                lines += ["", *bench_steps.listing(run.steps, run.ceilings)]
    return "\n".join(lines) + "\n"


def page(file, text):
    def fill(found):
        mark, name, part, end = found.groups()
        if part[1:] not in ("", "run", "plots", *bench_grid.PARTS):
            sys.exit(f"bench_table.py: error: {file}: expected a part of a grid, got '{part[1:]}'")
        return mark + tables(file.with_name(f"{name}.json"), part[1:]) + end

    new, count = MARKS.subn(fill, text)
    if not count:
        sys.exit(f"bench_table.py: error: {file}: expected marks 'begin: NAME' and 'end: NAME', "
                 "found none")
    return new


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("-o", dest="write", action="store_true", help="write the tables")
    action.add_argument("--check", action="store_true", help="exit 1 where a page is stale")
    parser.add_argument("pages", nargs="+", type=pathlib.Path, metavar="PAGE")
    options = parser.parse_args()
    stale = []
    for file in options.pages:
        old = file.read_text()
        new = page(file, old)
        if new != old and options.write:
            file.write_text(new)
        elif new != old:
            stale.append(f"{file}: expected the tables of the recorded runs, got others: run the "
                         f"target {TARGET}")
    if stale:
        sys.exit("\n".join(stale))


if __name__ == "__main__":
    main()
