#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes recorded runs of mla-bench smaller, in place: a case a line, figures with five digits.

    bench_compact.py FILE...

For a grid of a thousand cases, which is part of the sources. Whole numbers stay as they are. It
is done before the tables are made, so that these are of what the file says; twice is as once.
"""

import json
import pathlib
import sys


def rounded(value):
    if isinstance(value, float):
        short = value if value.is_integer() else float(f"{value:.5g}")
        return int(short) if short.is_integer() else short
    if isinstance(value, list):
        return [rounded(one) for one in value]
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return value


def compact(result):
    """The text: what isn't cases as it was, with two spaces a level."""
    runs, cases = [], []
    for run in result["runs"]:
        lines = [json.dumps(rounded(case), separators=(",", ":"), ensure_ascii=False)
                 for case in run["cases"]]
        cases.append("[\n" + ",\n".join(lines) + "\n]")
        runs.append({**run, "cases": f"@{len(cases) - 1}@"})
    text = json.dumps({**result, "runs": runs}, indent=2, ensure_ascii=False)
    for number, lines in enumerate(cases):
        text = text.replace(f'"cases": "@{number}@"', f'"cases": {lines}', 1)
    return text + "\n"


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    for file in map(pathlib.Path, sys.argv[1:]):
        file.write_text(compact(json.loads(file.read_text())))


if __name__ == "__main__":
    main()
