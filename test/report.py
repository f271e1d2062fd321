#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Adds up what lit and ctest recorded in a directory.

Prints every failing test's output and, alone on the last line,
`N passed, N failed, N skipped`. Exits 1 unless all is well: a runner that
stopped before it recorded anything, or that reports a failure which it did not
record, counts as one failure.
"""

import argparse
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

LIT_PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
LIT_SKIPPED = {"UNSUPPORTED", "SKIPPED"}
LIT_FILTERED = {"EXCLUDED"}


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def fail(self, name, output):
        self.failed += 1
        print(f"=== FAILED: {name}\n{output.rstrip()}\n")


def read_log(path):
    return path.read_text(errors="replace") if path.exists() else ""


def add_lit(directory, status, totals):
    failed = totals.failed
    results = directory / "lit.json"
    if results.exists():
        for test in json.loads(results.read_text())["tests"]:
            code = test["code"]
            if code in LIT_PASSED:
                totals.passed += 1
            elif code in LIT_SKIPPED:
                totals.skipped += 1
            elif code not in LIT_FILTERED:
                totals.fail(test["name"], f"{code}\n{test['output']}")
    if status and totals.failed == failed:
        totals.fail(f"lit, exit {status}", read_log(directory / "lit.log"))


def add_ctest(directory, status, totals):
    failed = totals.failed
    results = directory / "ctest.xml"
    if results.exists():
        for test in ElementTree.parse(results).getroot().iter("testcase"):
            skipped = test.find("skipped")
            reason = "" if skipped is None else skipped.get("message", "")
            output = test.findtext("system-out") or ""
            if test.get("status") == "run":
                totals.passed += 1
            elif test.get("status") == "disabled" or reason.startswith("SKIP_"):
                totals.skipped += 1
            else:  # also a test whose program is missing
                totals.fail(test.get("name"), f"{reason}\n{output}")
    if status and totals.failed == failed:
        totals.fail(f"ctest, exit {status}", read_log(directory / "ctest.log"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--lit-status", default="none", help="lit's exit status, or none")
    parser.add_argument("--ctest-status", default="none", help="ctest's exit status, or none")
    options = parser.parse_args()

    totals = Totals()
    if options.lit_status != "none":
        add_lit(options.directory, int(options.lit_status), totals)
    if options.ctest_status != "none":
        add_ctest(options.directory, int(options.ctest_status), totals)
    print(f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped")
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
