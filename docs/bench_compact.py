#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes recorded runs of mla-bench smaller, in place: a case a line, figures with five digits.

    bench_compact.py FILE... [--without=FIELD,...]

For a grid of a thousand cases, which is part of the sources. Whole numbers stay as they are. It
is done before the tables are made, so that these are of what the file says; twice is as once.
"""

import argparse
import json
import pathlib


def rounded(value):
    if isinstance(value, float):
        short = value if value.is_integer() else float(f"{value:.5g}")
        return int(short) if short.is_integer() else short
    if isinstance(value, list):
        return [rounded(one) for one in value]
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return value


def compact(result, without=()):
    """The text: what isn't cases as it was, with two spaces a level."""
    runs, cases = [], []
    for run in result["runs"]:
        kept = [{key: rounded(value) for key, value in case.items() if key not in without}
                for case in run["cases"]]
        lines = [json.dumps(case, separators=(",", ":"), ensure_ascii=False) for case in kept]
        cases.append("[\n" + ",\n".join(lines) + "\n]")
        runs.append({**run, "cases": f"@{len(cases) - 1}@"})
    text = json.dumps({**result, "runs": runs}, indent=2, ensure_ascii=False)
    for number, lines in enumerate(cases):
        text = text.replace(f'"cases": "@{number}@"', f'"cases": {lines}', 1)
    return text + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--without", type=lambda text: text.split(","), default=[],
                        metavar="FIELD,...", help="leave out of every case, such as all_us: "
                        "the tables need the percentiles alone")
    options = parser.parse_args()
    for file in options.files:
        file.write_text(compact(json.loads(file.read_text()), options.without))


if __name__ == "__main__":
    main()
