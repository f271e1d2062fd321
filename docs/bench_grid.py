# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tables of a large grid of append or gather_kv: each function makes lines of Markdown of cases.

No case is left out of `rows`: a case that has no time says why.
"""

import math

from bench_results import microseconds, number, percent, rank, ratio
from bench_targets import TARGETS, judge


def table(head, rows):
    """Columns whose head ends in `:` are numbers."""
    lines = ["| " + " | ".join(name.rstrip(":") for name in head) + " |",
             "|" + "|".join("---:" if name.endswith(":") else "---" for name in head) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def megabytes(value):
    return number(value / 1e6, 3 if value < 1e6 else 1)


def group(items, key):
    """In the order of the keys."""
    found = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return dict(sorted(found.items()))


#===--- Targets ----------------------------------------------------------------===#


def targets(cases):
    """How many cases meet each target."""
    measured = [case for case in cases if case.us is not None]
    graphs = sum(case.graph_us is not None for case in measured)
    lines = [f"{len(measured)} of {len(cases)} rows have a time, {graphs} of them in a graph.", ""]
    verdicts, rows = judge(cases), []
    for target, text in TARGETS.items():
        those = [verdict for verdict in verdicts if verdict.target == target]
        if not those:
            continue
        met = [verdict for verdict in those if verdict.met]
        spread = sum(verdict.within_spread for verdict in met)
        worst = max(those, key=lambda verdict: verdict.badness)
        rows.append([target, text, str(len(those)),
                     f"{len(met)}, {spread} within the spread" if spread else str(len(met)),
                     str(sum(verdict.met is False for verdict in those)),
                     str(sum(verdict.met is None for verdict in those)),
                     f"{worst.got}, wanted {worst.wanted}: `{worst.case.label()}`"])
    return lines + table(["", "target", "checks:", "met:", "missed:", "undecided:", "worst"], rows)


def where(cases):
    """Of how many checks how many don't meet a target: where they lie."""
    verdicts = judge(cases)
    tokens = sorted({verdict.case.T for verdict in verdicts})
    body = []
    for (target, phase, query, cache, bare), those in group(verdicts, lambda verdict: (
            list(TARGETS).index(verdict.target), rank("phase", verdict.case.phase),
            rank("query", verdict.case.query), rank("cache", verdict.case.cache),
            verdict.case.rope == "none")).items():
        if all(verdict.met for verdict in those):
            continue
        body.append([list(TARGETS)[target], phase[1], query[1], cache[1], "no" if bare else "yes"])
        for token in tokens:
            here = [verdict.met for verdict in those if verdict.case.T == token]
            body[-1].append(f"{sum(not met for met in here)} of {len(here)}" if here else "-")
    if not body:
        return ["Nowhere."]
    return table(["target", "phase", "query", "cache", "rope", *(f"T={token}:" for token in tokens)],
                 body)


def misses(cases):
    """Every case that doesn't meet a target, or of which that can't be said."""
    rows = [[verdict.target, f"`{verdict.case.label()}`", megabytes(verdict.case.bytes),
             microseconds(verdict.case.us), verdict.got, verdict.wanted,
             "missed" if verdict.met is False else "undecided"]
            for verdict in judge(cases) if not verdict.met]
    rows += [["-", f"`{case.label()}`", megabytes(case.bytes), "-", "-", "-", why_not(case)]
             for case in cases if case.us is None]
    rows.sort(key=lambda row: list(TARGETS).index(row[0]) if row[0] in TARGETS else len(TARGETS))
    if not rows:
        return ["None."]
    return table(["target", "case", "MB:", "µs:", "got:", "wanted:", ""], rows)


def why_not(case):
    return f"no time: {case.fields.get('not_implemented', 'nothing said')}"


#===--- Every row --------------------------------------------------------------===#


def marks(case, verdicts):
    """What stands behind a figure: nothing where no target applies."""
    if not verdicts:
        return ""
    missed = sorted({verdict.target for verdict in verdicts if verdict.met is False})
    if missed:
        return " " + ",".join(missed)
    return " ✓" if all(verdict.met for verdict in verdicts) else " ?"


def cell(case, verdicts):
    if case.us is None:
        return why_not(case)
    share = "-" if case.pattern_share is None else percent(case.pattern_share)
    mark = marks(case, verdicts)
    text = f"{microseconds(case.us)} ({share}){mark}"
    return f"**{text}**" if any(verdict.met is False for verdict in verdicts) else text


def by_case(verdicts):
    found = {}
    for verdict in verdicts:
        found.setdefault(id(verdict.case), []).append(verdict)
    return found


def varying(cases, names):
    """The fields that aren't the same in all cases."""
    return [name for name in names if len({case.fields.get(name) for case in cases}) > 1]


def rows(cases):
    """A table for each phase, query and cache; T goes to the right."""
    verdicts, lines = by_case(judge(cases)), []
    tables = group(cases, lambda case: (rank("phase", case.phase), rank("query", case.query),
                                        rank("cache", case.cache), str(case.dtype)))
    for (phase, query, cache, dtype), those in tables.items():
        tokens = sorted({case.T for case in those})
        more = varying(those, ("L", "N", "P"))
        lines += [f"### {phase[1].capitalize()}, query {query[1]}, {dtype}, cache {cache[1]}", ""]
        by_row = group(those, lambda case: (rank("rope", case.rope), case.R, case.H, case.sliced,
                                            *(case.fields.get(name) or 0 for name in more)))
        body = []
        for (rope, r, heads, sliced, *others), line in by_row.items():
            body.append([rope[1], str(r), str(heads), "sliced" if sliced else "contiguous",
                         *map(str, others)])
            for token in tokens:
                here = [case for case in line if case.T == token]
                body[-1].append("; ".join(cell(case, verdicts.get(id(case), []))
                                          for case in here) or "-")
        lines += [*table(["rope", "R:", "H:", "inputs", *(f"{name}:" for name in more),
                          *(f"T={token}:" for token in tokens)], body), ""]
    return lines[:-1]


def listing(cases):
    """A row a case: of gather_kv."""
    verdicts, body = by_case(judge(cases)), []
    for case in cases:
        if case.us is None:
            body.append([f"`{case.label()}`", megabytes(case.bytes), why_not(case)] + ["-"] * 4)
            continue
        share = ratio(case.gb_per_s, case.run.ceilings["copy_gb_per_s"])
        body.append([f"`{case.label()}`", megabytes(case.bytes), microseconds(case.us),
                     number(case.gb_per_s, 0), percent(share),
                     "-" if case.pattern_share is None else percent(case.pattern_share),
                     marks(case, verdicts.get(id(case), [])).strip() or "-"])
    return table(["case", "MB:", "µs:", "GB/s:", "of copy:", "of the pattern copy:", "target"], body)


#===--- Others -----------------------------------------------------------------===#


def peers(cases):
    """Others' times over ours: geometric mean, least and greatest of the cases of a cell."""
    found = {}
    for case in cases:
        for name, us in case.peers.items():
            if case.us is not None and us:
                key = (rank("phase", case.phase), rank("query", case.query),
                       rank("cache", case.cache), case.rope == "none", name)
                found.setdefault(key, []).append((case.T, us / case.us))
    if not found:
        return ["No other was measured in this run."]
    tokens = sorted({token for pairs in found.values() for token, _ in pairs})
    body = []
    for (phase, query, cache, bare, name), pairs in sorted(found.items()):
        body.append([phase[1], query[1], cache[1], "no" if bare else "yes", f"`{name}`",
                     f"{sum(times < 1 for _, times in pairs)} of {len(pairs)}"])
        for token in tokens:
            times = [times for one, times in pairs if one == token]
            mean = math.exp(sum(map(math.log, times)) / len(times)) if times else 0
            body[-1].append(f"{mean:.2f} ({min(times):.2f}-{max(times):.2f})" if times else "-")
    return table(["phase", "query", "cache", "rope", "peer", "quicker than ours:",
                  *(f"T={token}:" for token in tokens)], body)


PARTS = {function.__name__: function for function in (targets, where, misses, rows, listing, peers)}
