#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes a page's tables from recorded runs of mla-bench, or says whether they are current.

    bench_table.py (-o FILE | --check FILE)

Between the marks `<!-- begin: NAME ... -->` and `<!-- end: NAME -->` of the page go the tables of
NAME.json beside it, what `mla-bench --json` wrote. Where a file's cases say what others need,
a row has all cache formats of a case; else a row is a case.
"""

import argparse
import json
import pathlib
import re
import sys

MARKS = re.compile(r"(<!-- begin: ([\w-]+)[^\n]*-->\n).*?(<!-- end: \2 -->)", re.S)
# Of a case's name, what a cache holds.
CACHES = {"f8E4M3FN": "fp8", "fp8_query": "fp8_query", "fp8_block": "fp8_block"}
TARGET = "mla-docs-cuda-performance"


def number(value, digits=1):
    """Thousands are apart, and then have no decimals."""
    return f"{value:,.0f}".replace(",", " ") if value >= 1000 else f"{value:.{digits}f}"


def percent(share):
    return f"{100 * share:.0f} %"


def bound(case):
    """As mla-bench counts: the peak of the operands' type, and the memory that they fit in."""
    return next(case[key] for key in ("roofline_bf16", "roofline_in_cache", "roofline")
                if key in case)


def table(head, rows):
    """Columns whose head ends in `:` are numbers."""
    lines = ["| " + " | ".join(name.rstrip(":") for name in head) + " |",
             "|" + "|".join("---:" if name.endswith(":") else "---" for name in head) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def split_name(case):
    """(what is computed on which input, cache format)."""
    op, types, *sizes = case["case"].split()
    dtype, _, cache = types.partition("/")
    return " ".join([op, dtype, *sizes]), CACHES.get(cache, cache) or "same"


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
        eager = case.get("eager_median_us")
        rows.append([f"`{case['case']}`", number(case["median_us"]),
                     "-" if eager is None else number(eager), number(case["gb_per_s"], 0),
                     number(case["gflop_per_s"] * 1e-3), bound(case)["limit"],
                     percent(bound(case)["share"])])
    return table(["case", "µs:", "eager µs:", "GB/s:", "TFLOP/s:", "limit", "share:"], rows)


def describe(result, run):
    """One paragraph: on what, when, and what that machine can do."""
    machine, top = result.get("machine", {}), run["ceilings"]
    where = [machine.get("gpu", result["device"])]
    for key, text in (("driver", "driver {}"), ("cuda_of_the_tool", "CUDA {}"),
                      ("sm_clock_when_busy", "multiprocessors at {}"),
                      ("memory_clock_when_busy", "memory at {}"), ("power_limit", "limit {}")):
        if key in machine:
            where.append(text.format(machine[key]))
    revision = f"; revision `{result['commit']}`" if "commit" in result else ""
    peaks = [f"read {number(top['read_gb_per_s'])} GB/s", f"copy {number(top['copy_gb_per_s'])} GB/s",
             f"f32 {number(top['f32_gflop_per_s'] * 1e-3)} TFLOP/s"]
    if "bf16_gflop_per_s" in top:
        peaks.append(f"bf16 {number(top['bf16_gflop_per_s'] * 1e-3)} TFLOP/s")
    for key, text in (("smallest_kernel_between_events_us", "an empty kernel {} µs between events"),
                      ("smallest_kernel_in_graph_us", "{} µs in a graph")):
        if key in top:
            peaks.append(text.format(number(top[key], 2)))
    return (f"{result['date'][:10]}, {', '.join(where)}{revision}. Ceilings with {run['threads']} "
            f"multiprocessors: {', '.join(peaks)}.")


def tables(file):
    if not file.exists():
        return "No run is recorded.\n"
    result = json.loads(file.read_text())
    parts = []
    for run in result["runs"]:
        cases = run["cases"]
        compared = any("best_peer_us" in case for case in cases)
        parts += [describe(result, run), "",
                  *(comparison(cases) if compared else listing(cases)), ""]
    return "\n".join([f"Raw: [{file.name}]({file.name}).", "", *parts[:-1]]) + "\n"


def page(file, text):
    new, count = MARKS.subn(
        lambda found: found[1] + tables(file.with_name(f"{found[2]}.json")) + found[3], text)
    if not count:
        sys.exit(f"bench_table.py: error: {file}: expected marks 'begin: NAME' and 'end: NAME', "
                 "found none")
    return new


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("-o", dest="output", type=pathlib.Path)
    action.add_argument("--check", type=pathlib.Path)
    options = parser.parse_args()
    file = options.check or options.output
    old = file.read_text()
    new = page(file, old)
    if options.output and new != old:
        file.write_text(new)
    elif new != old:
        sys.exit(f"{file}: expected the tables of the recorded runs, got others: run the target "
                 f"{TARGET}")


if __name__ == "__main__":
    main()
