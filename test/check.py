#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the lit suite and ctest of a build directory and adds up both.

    check.py BUILD_DIR [PATTERN]

Prints every failing test's output and, alone on the last line,
`N passed, N failed, N skipped`. Exits 1 unless all is well: a runner that
stopped before it recorded anything, or that reports a failure which it did not
record, counts as one failure.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

LIT_PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
LIT_SKIPPED = {"UNSUPPORTED", "SKIPPED"}
LIT_FILTERED = {"EXCLUDED"}


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def fail(self, name, output):
        self.failed += 1
        print(f"=== FAILED: {name}\n{output.strip()}\n", flush=True)


def run(command, log):
    """Runs a command with its output in `log` and returns its exit status."""
    start = time.monotonic()
    with open(log, "w") as output:
        status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode
    name = pathlib.Path(command[0]).name
    print(f"{name} took {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return status


def read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def add_lit(results, status, totals):
    failed = totals.failed
    record = results / "lit.json"
    if record.exists():
        for test in json.loads(record.read_text())["tests"]:
            code = test["code"]
            if code in LIT_PASSED:
                totals.passed += 1
            elif code in LIT_SKIPPED:
                totals.skipped += 1
            elif code not in LIT_FILTERED:
                totals.fail(test["name"], f"{code}\n{test['output']}")
    # lit keeps no record of a run that its filter leaves empty.
    log = read(results / "lit.log")
    is_empty = status == 0 and "filter did not match any tests" in log
    if (status or not record.exists()) and not is_empty and totals.failed == failed:
        totals.fail(f"lit, exit {status}", log)


def add_ctest(results, status, totals):
    failed = totals.failed
    record = results / "ctest.xml"
    if record.exists():
        for test in ElementTree.parse(record).getroot().iter("testcase"):
            skipped = test.find("skipped")
            reason = "" if skipped is None else skipped.get("message", "")
            output = test.findtext("system-out") or ""
            if test.get("status") == "run":
                totals.passed += 1
            elif test.get("status") == "disabled" or reason.startswith("SKIP_"):
                totals.skipped += 1
            else:  # also a test whose program is missing
                totals.fail(test.get("name"), f"{reason}\n{output}")
    if (status or not record.exists()) and totals.failed == failed:
        totals.fail(f"ctest, exit {status}", read(results / "ctest.log"))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("pattern", nargs="?", help="only tests whose names match")
    options = parser.parse_args()

    build = options.build.resolve()
    results = build / "test/results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    # What a user may have set for the tools is not for the tests.
    for name in ("MLA_TRACE", "SKIP_ROPE_IN_MLA_GENERATION"):
        os.environ.pop(name, None)
    jobs = str(len(os.sched_getaffinity(0)))

    totals = Totals()
    if (build / "test/lit.site.cfg.py").exists():
        lit = re.search(r"^LLVM_EXTERNAL_LIT:\w+=(.*)$", read(build / "CMakeCache.txt"), re.M)
        command = [lit.group(1), "-q", "-j", jobs, "--output", results / "lit.json"]
        if options.pattern:
            command += [f"--filter={options.pattern}", "--allow-empty-runs"]
        add_lit(results, run(command + [build / "test"], results / "lit.log"), totals)
    command = ["ctest", "--test-dir", build, "-j", jobs,
               "--output-junit", results / "ctest.xml", "--test-output-size-failed", "1000000"]
    if options.pattern:
        command += ["-R", options.pattern]
    add_ctest(results, run(command, results / "ctest.log"), totals)

    print(f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped")
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
