#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures how many one-line mistakes the tests see: a mutation score.

    mutants.py SCRATCH [--count=N] [--seed=N] [--only=ID,...]
    mutants.py --list [--count=N] [--seed=N]

Picks lines of runtime/cpu and of lib at random, one change each: a comparison, a
sum, a logical operator, a condition, min and max, a constant, success and failure.
All changes go into one copy of the sources, each behind a question that is asked
when the line runs, so that one build serves all: the variable MLA_MUTANT in that
copy's tests says which is on. A change that doesn't compile is dropped. Then, one
at a time, the tests run until one fails. The last line is `N mutants: N killed, N
survived`; exits 2 where the tests fail without a change, else 0: survivors are for
a person to read.
"""

import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import time
from collections import namedtuple

from faults import ROOT, Copy, fail

AREAS = {
    "runtime/cpu": ["runtime/cpu/*.cpp", "runtime/cpu/*.h", "runtime/cpu/*/*.cpp",
                    "runtime/cpu/*/*.h", "runtime/cpu/*/*.inc"],
    "lib": ["lib/**/*.cpp"],
}

# What runs, in this order; the quick and the likely come first.
RUNTIME = [["bin/mla-cpu-tests", "--gtest_fail_fast", "--gtest_brief=1"],
           ["bin/mla-cpu-level-tests", "generic", "--gtest_fail_fast", "--gtest_brief=1"],
           ["bin/mla-cpu-level-tests", "avx2", "--gtest_fail_fast", "--gtest_brief=1"],
           ["bin/mla-core-tests", "--gtest_fail_fast", "--gtest_brief=1"],
           ["{lit}", "-q", "--max-failures=1", "test", "--filter=Parity/f32|Tools/mla-run"]]
COMPILER = [["{lit}", "-q", "--max-failures=1", "test",
             "--filter=MLA :: (IR|Transforms|Conversion|Import|Pipelines)/"],
            ["bin/mla-import-tests", "--gtest_fail_fast", "--gtest_brief=1"],
            ["bin/mla-conversion-tests", "--gtest_fail_fast", "--gtest_brief=1"],
            ["{lit}", "-q", "--max-failures=1", "test",
             "--filter=MLA :: (Tools|Runner)/|Parity/(f32|tampered)"]]

HEADER = """#pragma once
#ifdef __cplusplus
#include <cstdlib>
static inline bool mla_mutant(int id) {
  static const char *text = std::getenv("MLA_MUTANT");
  static const int chosen = text ? std::atoi(text) : 0;
  return chosen == id;
}
#endif
"""

Mutant = namedtuple("Mutant", "id area file line old new")

# ===--- Changes ----------------------------------------------------------=== #

SWAPS = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "),
         (" == ", " != "), (" != ", " == "), (" && ", " || "), (" || ", " && "),
         (" + ", " - "), (" - ", " + "), (" * ", " + "), ("std::min", "std::max"),
         ("std::max", "std::min"), ("true", "false"), ("false", "true"),
         ("success()", "failure()"), ("failure()", "success()"), ("failed(", "succeeded("),
         ("succeeded(", "failed(")]

# A line's expression, between what comes before and behind it.
CONDITION = re.compile(r"^(\s*(?:\} else )?(?:if|while) \()(.*)(\)(?: \{)?)$")
LOOP = re.compile(r"^(\s*for \([^;]*; )([^;]*)(; .*\)(?: \{)?)$")
RETURN = re.compile(r"^(\s*return )([^;{}]+)(;)$")
VALUE = re.compile(r"^(\s*(?:[\w:<>*& ]+ )?[\w.\[\]]+ [-+]?= )([^;{}]+)(;)$")


def balanced(text):
    depth = 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if depth < 0:
            return False
    return depth == 0


def expression(line):
    """The three parts of a line that has an expression to change."""
    if re.match(r"\s*(//|#|\*|static_assert|constexpr|assert|case |using )", line):
        return None
    if "constexpr" in line or "asm" in line:
        return None
    for pattern in (CONDITION, LOOP, RETURN, VALUE):
        found = pattern.match(line)
        if not found:
            continue
        before, middle, behind = found.groups()
        if pattern is CONDITION and "; " in middle:
            declared, middle = middle.rsplit("; ", 1)
            before += declared + "; "
        # A declaration in a condition has no value to replace.
        if pattern is CONDITION and re.search(r" = ", middle):
            return None
        if balanced(middle) and '"' not in middle and middle.strip():
            return before, middle, behind
    return None


def changes(line):
    parts = expression(line)
    if not parts:
        return
    before, middle, behind = parts
    results = []
    for old, new in SWAPS:
        for found in re.finditer(r"(?<!\w)" + re.escape(old) if old[0].isalpha()
                                 else re.escape(old), middle):
            results.append(middle[:found.start()] + new + middle[found.end():])
    if CONDITION.match(line):
        results.append(f"!({middle})")
    for result in results:
        yield before, middle, behind, result


def sources(area):
    return sorted({path for pattern in AREAS[area] for path in ROOT.glob(pattern)
                   if path.is_file()})


def pick(count, seed):
    """`count` mutants, shared evenly by the areas and by the lines of each."""
    chosen = []
    for area in AREAS:
        lines = []
        for path in sources(area):
            for number, line in enumerate(path.read_text().split("\n")):
                options = list(changes(line))
                if options:
                    lines.append((str(path.relative_to(ROOT)), number, options))
        source = random.Random(seed)
        for file, number, options in source.sample(lines, min(len(lines), count // len(AREAS))):
            before, middle, behind, new = source.choice(options)
            chosen.append(Mutant(len(chosen) + 1, area, file, number,
                                 (before, middle, behind), new))
    return chosen


# ===--- The copy ---------------------------------------------------------=== #


def put(copy, mutants):
    """Writes the files that have mutants, each line asking which one is on."""
    by_file = {}
    for mutant in mutants:
        by_file.setdefault(mutant.file, []).append(mutant)
    for file, its in by_file.items():
        lines = (ROOT / file).read_text().split("\n")
        for mutant in its:
            before, middle, behind = mutant.old
            # What a condition asks may be a class that only converts to bool.
            cast = "bool" if re.match(r"\s*(\} else )?(if|while|for) ", before) else ""
            lines[mutant.line] = (f"{before}(::mla_mutant({mutant.id}) ? {cast}({mutant.new}) "
                                  f": {cast}({middle})){behind}")
        path = copy.tree / file
        text = "\n".join(lines)
        if path.read_text() != text:
            path.write_text(text)


def build(copy, mutants):
    """Builds; returns the mutants that compile."""
    dropped_files = {mutant.file for mutant in mutants}
    while True:
        put(copy, mutants)
        for file in dropped_files - {mutant.file for mutant in mutants}:
            (copy.tree / file).write_text((ROOT / file).read_text())
        done = subprocess.run(["ninja", "-C", copy.build, "-k", "0", f"-j{copy.jobs}", "--quiet"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 0:
            return mutants
        bad = set()
        for file, line in re.findall(r"([\w./+-]+):(\d+):(?:\d+:)? +(?:error|required from)",
                                     done.stdout):
            bad.add((os.path.relpath(os.path.join(copy.build, file), copy.tree), int(line) - 1))
        good = [mutant for mutant in mutants if (mutant.file, mutant.line) not in bad]
        if len(good) == len(mutants):
            # Where a declaration ends, say: the last change before it is to blame.
            above = [max((mutant for mutant in mutants
                          if mutant.file == file and mutant.line < line),
                         key=lambda mutant: mutant.line, default=None)
                     for file, line in bad]
            good = [mutant for mutant in mutants if mutant not in above]
        if len(good) == len(mutants):
            fail(f"the copy doesn't build\n{done.stdout[-4000:]}")
        mutants = good


def run(copy, commands, mutant):
    """The command that failed, or None where all passed."""
    environment = dict(os.environ, MLA_MUTANT=str(mutant))
    for command in commands:
        command = [word.format(lit=copy.lit) for word in command]
        process = subprocess.Popen(command, cwd=copy.build, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=environment,
                                   start_new_session=True)
        try:
            # 77: this machine has no such level of instructions.
            if process.wait(timeout=300) not in (0, 77):
                return " ".join(command[:1] + command[-1:])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return "a limit of 300 s"
    return None


def show(mutant):
    before, middle, behind = mutant.old
    return (f"{mutant.file}:{mutant.line + 1}\n"
            f"      - {(before + middle + behind).strip()}\n"
            f"      + {(before + mutant.new + behind).strip()}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scratch", nargs="?", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="these ids alone")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    mutants = pick(options.count, options.seed)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.id:4}  {show(mutant)}")
        return 0
    if not options.scratch:
        parser.error("expected SCRATCH or --list")

    scratch = options.scratch.resolve()
    header = scratch / "mutant.h"
    scratch.mkdir(parents=True, exist_ok=True)
    if not header.exists() or header.read_text() != HEADER:
        header.write_text(HEADER)
    # No warning: a changed line may well deserve one.
    flags = f"-DCMAKE_CXX_FLAGS=-include {header} -w"
    copy = Copy(scratch, options.jobs, [flags, "-DCMAKE_COMPILE_WARNING_AS_ERROR=OFF"])
    # lit hands its tests no variable that it isn't told of.
    config = copy.tree / "test/lit.cfg.py"
    config.write_text(config.read_text() + '\nconfig.environment["MLA_MUTANT"] = '
                      'os.environ.get("MLA_MUTANT", "0")\n')
    print(f"building {len(mutants)} mutants in {options.scratch}", flush=True)
    mutants = build(copy, mutants)
    print(f"{len(mutants)} compile", flush=True)
    if failed := run(copy, RUNTIME + COMPILER, 0):
        fail(f"the tests fail without a change: {failed}")

    only = {int(word) for word in options.only.split(",") if word}
    killed, survivors = {area: 0 for area in AREAS}, {area: [] for area in AREAS}
    for mutant in mutants:
        if only and mutant.id not in only:
            continue
        start = time.monotonic()
        by = run(copy, RUNTIME if mutant.area == "runtime/cpu" else COMPILER, mutant.id)
        verdict = f"killed by {by}" if by else "SURVIVED"
        print(f"{mutant.id:4}  {verdict} ({time.monotonic() - start:.0f} s): {show(mutant)}",
              flush=True)
        if by:
            killed[mutant.area] += 1
        else:
            survivors[mutant.area].append(mutant)

    print("\nsurvivors:")
    for area in AREAS:
        for mutant in survivors[area]:
            print(f"{mutant.id:4}  {show(mutant)}")
    for area in AREAS:
        print(f"{area}: {killed[area]} killed, {len(survivors[area])} survived")
    total = sum(killed.values())
    left = sum(map(len, survivors.values()))
    print(f"{total + left} mutants: {total} killed, {left} survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
