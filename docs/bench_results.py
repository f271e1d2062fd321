# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What mla-bench recorded: results, their runs, and their cases with one name a figure.

A result NAME is the file NAME.json and, where a grid was measured in parts, NAME.PART.json.
Figures that a file doesn't have are None: older files have fewer.
"""

import json
import sys

# Of a case's name, what a cache holds.
CACHES = {"f8E4M3FN": "fp8", "fp8_query": "fp8_query", "fp8_block": "fp8_block"}
# In which order they are shown.
ORDER = {"phase": ["context", "generation"], "query": ["none", "in_place", "pe", "assembled"],
         "cache": ["same", "fp8", "fp8_query", "fp8_block"],
         "rope": ["interleaved", "half", "rope", "none"]}


def rank(field, value):
    """What a field is ordered by; values that nobody listed come last."""
    known = ORDER[field]
    return (known.index(value) if value in known else len(known), str(value))


def number(value, digits=1):
    """Thousands are apart, and then have no decimals."""
    return f"{value:,.0f}".replace(",", " ") if value >= 1000 else f"{value:.{digits}f}"


def microseconds(value):
    return number(value, 2 if value < 100 else 1)


def percent(share):
    return f"{100 * share:.0f} %"


def split_name(fields):
    """(what is computed on which input, cache format)."""
    op, types, *sizes = fields["case"].split()
    dtype, _, cache = types.partition("/")
    return " ".join([op, dtype, *sizes]), CACHES.get(cache, cache) or "same"


class Case:
    """One case of a run; times are in µs."""

    def __init__(self, fields, run):
        self.fields, self.run = fields, run
        get = fields.get
        self.name = fields["case"]
        self.op = get("op", self.name.split()[0])
        self.dtype, self.phase, self.query = get("dtype"), get("phase"), get("query")
        self.cache = get("cache") or split_name(fields)[1]
        # The query is quantized too.
        if self.cache == "fp8" and str(get("query_dtype")).startswith("f8"):
            self.cache = "fp8_query"
        self.rope = get("rope")
        if self.rope is None and self.op == "append":
            self.rope = "none" if "no rope" in self.name else "rope"
        self.sliced = bool(get("sliced"))
        self.R, self.H, self.T = get("R"), get("H"), get("T")
        self.bytes, self.flops = get("bytes"), get("flops")

        # What counts: of a GPU the median, of a CPU the least. What isn't implemented has none.
        self.us = get("counted_us", get("median_us"))
        self.p10, self.p90 = self.spread()
        self.gb_per_s = get("gb_per_s") or ratio(self.bytes, self.us, 1e-3)
        self.gflop_per_s = get("gflop_per_s") or ratio(self.flops, self.us, 1e-3)
        self.graph_us = get("graph_median_us", self.us if get("counted") == "graph" else None)
        self.event_us = get("event_median_us")
        self.pattern_us = get("pattern_copy_us")
        self.pattern_share = get("pattern_copy_share") or ratio(self.pattern_us, self.us)
        self.peers = get("peers") or {}

    def spread(self):
        """The 10th and the 90th percentile of what counts."""
        times = sorted(self.fields.get("all_us") or [self.us])
        return (self.fields.get("p10_us", times[(len(times) - 1) // 10]),
                self.fields.get("p90_us", times[-1 - (len(times) - 1) // 10]))

    def label(self):
        """The name without the op; of append's grid, what its tables are made by."""
        if self.query is None or self.phase is None:
            return self.name.partition(" ")[2]
        parts = [self.phase, self.dtype, f"query {self.query}", f"cache {self.cache}",
                 f"rope {self.rope}", f"R={self.R}", f"H={self.H}", f"T={self.T}"]
        return " ".join(parts + ["sliced"] * self.sliced)

    def short(self):
        """The same without what is said around it."""
        if self.query is None or self.phase is None:
            return self.label()
        parts = [self.dtype, self.query, self.cache, self.rope, f"R={self.R} H={self.H} T={self.T}"]
        return " ".join(parts + ["sliced"] * self.sliced)


def ratio(above, below, scale=1):
    return None if above is None or not below else above / below * scale


class Run:
    """The cases that were measured with one number of threads, and the ceilings of that run."""

    def __init__(self, file, result, run):
        self.file, self.result, self.threads = file, result, run["threads"]
        self.ceilings = run["ceilings"]
        self.cases = [Case(fields, self) for fields in run["cases"]]
        self.steps = run.get("steps", [])  # of compiled modules

    def machine(self):
        """What the device is called."""
        named = self.result.get("machine", {})
        return named.get("gpu") or named.get("processor") or self.result["device"]

    def units(self):
        one = "multiprocessor" if self.result["device"] == "cuda" else "thread"
        return f"{self.threads} {one}{'s' * (self.threads != 1)}"


def parts(file):
    """The files of the result NAME whose first one is or would be NAME.json."""
    return ([file] if file.exists() else []) + sorted(file.parent.glob(f"{file.stem}.*.json"))


def read(file):
    """The runs of one file."""
    try:
        result = json.loads(file.read_text())
        return [Run(file, result, run) for run in result["runs"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{file}: expected what mla-bench --json writes, got {type(error).__name__}: "
                 f"{error}")
