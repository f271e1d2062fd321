# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The targets of the operations that move data, and how the cases of recorded runs do.

A case and its counterpart are of one run. A target that can't be decided, for want of a
figure or of the counterpart, is not met: it is counted apart.
"""

import dataclasses
import typing

from bench_results import microseconds, percent, ratio

MB = 1e6
LARGE, GATHERED = 100 * MB, 64 * MB
# One launch in a graph: a constant, above it time for the bytes.
SMALL, SMALL_US, LAUNCH_US = 2.3 * MB, 2.5, 1.5
PATTERN_SHARE, FP8_SHARE, GATHER_SHARE = 0.90, 0.97, 0.85

TARGETS = {
    "a": f"{LARGE / MB:.0f} MB and more: {percent(PATTERN_SHARE)} of the pattern copy",
    "b": f"in a graph, up to {SMALL / MB} MB: {SMALL_US} µs",
    "B": f"in a graph, more bytes: {LAUNCH_US} µs + bytes / copy bandwidth",
    "c": "without rope not slower than with it",
    "d": f"fp8 cache, assembled query, {LARGE / MB:.0f} MB and more: {FP8_SHARE:.2f} of the share "
         "of the pattern copy that the same cache has",
    "D": "the same with fewer bytes",
    "e": f"gather_kv, {GATHERED / MB:.0f} MB and more: {percent(GATHER_SHARE)} of the copy bandwidth",
}


@dataclasses.dataclass
class Verdict:
    target: str  # A key of TARGETS.
    case: typing.Any
    met: typing.Optional[bool]  # None: can't be decided.
    got: str
    wanted: str
    badness: float = 0  # What is to be small over what it may be: above 1 misses.
    within_spread: bool = False  # Met only as the two spreads overlap.


def at_least(target, case, got, limit, of=""):
    if got is None or limit is None:
        return Verdict(target, case, None, "-" if got is None else percent(got),
                       "-" if limit is None else percent(limit) + of)
    return Verdict(target, case, got >= limit, f"{100 * got:.1f} %", f"{100 * limit:.1f} %{of}",
                   limit / got)


def same_otherwise(case, *but):
    """What two cases of a run have in common that differ in the fields `but` alone."""
    fields = case.fields
    key = {name: fields.get(name) for name in ("L", "N", "V", "P", "B", "kv")}
    key.update({name: getattr(case, name) for name in
                ("op", "dtype", "phase", "query", "cache", "rope", "R", "H", "T", "sliced")})
    return (id(case.run), *(value for name, value in key.items() if name not in but))


def moved(case):
    """a: what has many bytes is near a copy of them."""
    if case.bytes >= LARGE:
        yield at_least("a", case, case.pattern_share, PATTERN_SHARE)


def launched(case):
    """b: what has few is near a launch. What is quick enough for a graph should have one."""
    quick = case.event_us is not None and case.event_us < 50
    if case.run.result["device"] != "cuda" or (case.graph_us is None and not quick):
        return
    target, limit = "b", SMALL_US
    if case.bytes > SMALL:
        target = "B"
        limit = LAUNCH_US + case.bytes / case.run.ceilings["copy_gb_per_s"] * 1e-3
    if case.graph_us is None:
        yield Verdict(target, case, None, "-", f"{limit:.2f} µs")
    else:
        yield Verdict(target, case, case.graph_us <= limit, f"{case.graph_us:.2f} µs",
                      f"{limit:.2f} µs", case.graph_us / limit)


def without_rope(case, rotating):
    """c: against each style of rope; overlapping spreads (p10 to p90) are equal."""
    if case.rope != "none" or not case.R:
        return
    others = rotating.get(same_otherwise(case, "rope"), [])
    for other in others:
        less, overlap = case.us <= other.us, case.p10 <= other.p90
        yield Verdict("c", case, less or overlap, f"{microseconds(case.us)} µs",
                      f"{microseconds(other.us)} µs ({other.rope})", case.us / other.us,
                      within_spread=overlap and not less)
    if not others:
        yield Verdict("c", case, None, f"{microseconds(case.us)} µs", "-")


def quantized(case, plain):
    """d: quantizing on the way costs no bandwidth."""
    if case.cache not in ("fp8", "fp8_query") or case.query != "assembled":
        return
    others = plain.get(same_otherwise(case, "cache"), [])
    target = "d" if case.bytes >= LARGE else "D"
    for other in others or [None]:
        limit = other and ratio(other.pattern_share, 1, FP8_SHARE)
        yield at_least(target, case, case.pattern_share, limit, " of the pattern copy")


def gathered(case):
    """e"""
    if case.bytes >= GATHERED:
        yield at_least("e", case, ratio(case.gb_per_s, case.run.ceilings["copy_gb_per_s"]),
                       GATHER_SHARE)


def index(cases, *but):
    found = {}
    for case in cases:
        found.setdefault(same_otherwise(case, *but), []).append(case)
    return found


def judge(cases):
    """All verdicts, in the order of the cases; what wasn't measured has none."""
    measured = [case for case in cases if case.us is not None]
    appends = [case for case in measured if case.op == "append"]
    rotating = index([case for case in appends if case.rope != "none"], "rope")
    plain = index([case for case in appends if case.cache == "same"], "cache")
    verdicts = []
    for case in measured:
        if case.op == "append":
            verdicts += [*moved(case), *launched(case), *without_rope(case, rotating),
                         *quantized(case, plain)]
        elif case.op == "gather_kv":
            verdicts += gathered(case)
    return verdicts
