# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The drawings of an operation's cases: `roofline` and `bandwidth` make the text of an SVG.

None where there is nothing to draw. The ceilings are those of the first case's run.
"""

import math

from bench_results import ORDER, microseconds, number, percent, rank
from bench_targets import LARGE, LAUNCH_US, PATTERN_SHARE, SMALL_US
from svg_chart import COLORS, SHAPES, Axis, Chart, Panel, decades, quantity

MOVERS = ("append", "gather_kv")
WIDTH, LEFT, RIGHT, TOP = 1000, 90, 760, 90
COPY, READ, PEAK, LAUNCH = "#222222", "#777777", "#444444", "#b03060"


#===--- What cases look like ---------------------------------------------------===#


def shape_name(case):
    if case.rope:
        return f"rope {case.rope}".replace("rope rope", "rope")
    return f"R = {case.R}"


def tooltip(case):
    text = f"{case.short()}: {microseconds(case.us)} µs, {number(case.gb_per_s)} GB/s"
    if case.op not in MOVERS:
        return text + f", {quantity(case.gflop_per_s * 1e9, 'FLOP/s')}"
    return text + (f", {percent(case.pattern_share)}" if case.pattern_share else "")


def by_look(cases):
    """{(shape, its meaning, colour, its meaning): cases}; a meaning keeps its look in all
    charts."""
    shapes = sorted({shape_name(case) for case in cases}, reverse=True)
    known = {f"rope {rope}": SHAPES[number] for number, rope in
             enumerate(rope for rope in ORDER["rope"] if rope != "rope")}
    found = {}
    for case in sorted(cases, key=lambda case: rank("cache", case.cache)):
        name = shape_name(case)
        shape = known.get(name, SHAPES[shapes.index(name) % len(SHAPES)])
        color = COLORS[min(rank("cache", case.cache)[0], len(COLORS) - 1)]
        found.setdefault((shape, name, color, case.cache), []).append(case)
    return found


def looks(cases):
    """The legend's entries for shapes and colours."""
    found = by_look(cases)
    caches = dict.fromkeys((color, cache) for _, _, color, cache in found)
    shapes = dict.fromkeys((shape, name) for shape, name, _, _ in found)
    return [*(("c", f"cache {cache}", color) for color, cache in caches), ("", ""),
            *((shape, name, "#555") for shape, name in sorted(shapes, key=lambda pair: pair[1]))]


#===--- Drawings ---------------------------------------------------------------===#


def start(kind, cases, height):
    """A chart whose title says what, where and when."""
    runs = list({id(case.run): case.run for case in cases}.values())
    where = [runs[0].machine(), runs[0].units()]
    when = sorted({run.result["date"][:10] for run in runs})
    commits = sorted({run.result["commit"][:12] for run in runs if "commit" in run.result})
    phase = f", {cases[0].phase}" if cases[0].phase else ""
    return Chart(WIDTH, height, f"{cases[0].op}{phase}: {kind}",
                 [", ".join([*where, *when, *(f"revision {commit}" for commit in commits)]) +
                  f"; {len(cases)} cases"])


def roofline(cases):
    """FLOP/s over FLOP a byte; None where no case computes anything."""
    cases = [case for case in cases if case.us and case.flops and case.bytes]
    if not cases:
        return None
    top = cases[0].run.ceilings
    slopes = [(name, top[f"{name}_gb_per_s"] * 1e9, color, dash) for name, color, dash in
              (("read", READ, "-"), ("copy", COPY, "-6 3")) if top.get(f"{name}_gb_per_s")]
    peaks = [(name, top[f"{name}_gflop_per_s"] * 1e9) for name in ("fp8", "bf16", "f32")
             if top.get(f"{name}_gflop_per_s")]
    highest = max(peak for _, peak in peaks)
    fastest = max(bandwidth for _, bandwidth, _, _ in slopes)
    intensity = [case.flops / case.bytes for case in cases]
    least, most = decades(min(intensity), max(*intensity, 3 * highest / fastest))
    low, high = decades(min(case.gflop_per_s for case in cases) * 1e9, highest * 1.5)
    chart = start("roofline", cases, 640)
    panel = Panel(chart, Axis(least, most, LEFT, RIGHT), Axis(low, high, 570, TOP),
                  "FLOP / byte", "FLOP/s", lambda value: f"{value:g}",
                  lambda value: quantity(value, ""))
    for name, bandwidth, color, dash in slopes:
        panel.line([(least, least * bandwidth), (highest / bandwidth, highest)], color, dash[1:])
    above = -math.inf
    for name, peak in sorted(peaks, key=lambda pair: -pair[1]):
        panel.line([(peak / fastest, peak), (most, peak)], PEAK)
        # Below the line where another's name is right above.
        place = panel.y.place(peak)
        lift = 5 if place - above > 16 else -14
        above = place
        panel.name_line(most, peak, (most * 10, peak), f"{name} {quantity(peak, 'FLOP/s')} ", PEAK,
                        anchor="end", lift=lift)
    first = max(least, low / fastest) * 1.2
    panel.name_line(first, first * fastest, (first * 10, first * 10 * fastest),
                    " and ".join(f"{name} {quantity(rate, 'B/s')}" for name, rate, _, _ in slopes),
                    READ)
    for (shape, _, color, _), those in by_look(cases).items():
        panel.points(shape, color, [(case.flops / case.bytes, case.gflop_per_s * 1e9,
                                     tooltip(case)) for case in those])
    chart.legend(RIGHT + 24, TOP + 8, [
        *looks(cases), ("", ""),
        *((dash, f"{name} bandwidth", color) for name, _, color, dash in slopes),
        ("-", "peak", PEAK)])
    return chart.svg()


def bandwidth(cases):
    """GB/s over bytes, and the share of the pattern copy over bytes."""
    cases = [case for case in cases if case.us and case.bytes]
    if not cases or cases[0].op not in MOVERS:
        return None
    run = cases[0].run
    copy = run.ceilings["copy_gb_per_s"]
    shared = [case for case in cases if case.pattern_share]
    least, most = decades(min(case.bytes for case in cases), max(case.bytes for case in cases))
    most = max(most, 10 * least)
    low, high = decades(min(case.gb_per_s for case in cases),
                        max(copy, *(case.gb_per_s for case in cases)))
    chart = start("bandwidth", cases, 890 if shared else 640)
    x = Axis(least, most, LEFT, RIGHT)
    text = lambda value: quantity(value, "B")
    panel = Panel(chart, x, Axis(low, high, 570, TOP), "" if shared else "bytes moved", "GB/s", text,
                  lambda value: f"{value:g}")
    panel.line([(least, copy), (most, copy)], COPY)
    panel.name_line(least * 1.1, copy, (most, copy), f"copy {number(copy)} GB/s", COPY)
    ceilings = [("-", "copy bandwidth", COPY)]
    if run.result["device"] == "cuda":
        for us, dash in ((LAUNCH_US, "-"), (SMALL_US, "-6 3")):
            sizes = [least * (most / least) ** (step / 48) for step in range(49)]
            panel.line([(size, size / (us * 1e3 + size / copy)) for size in sizes], LAUNCH,
                       dash[1:])
            ceilings.append((dash, f"{us} µs + bytes / copy", LAUNCH))
    panel.ticks([(case.bytes, case.bytes / case.pattern_us * 1e-3) for case in cases
                 if case.pattern_us], "#111", 7)
    if shared:
        ceilings.append(("-7 20", "pattern copy of a case", "#111"))
    for (shape, _, color, _), those in by_look(cases).items():
        panel.points(shape, color, [(case.bytes, case.gb_per_s, tooltip(case)) for case in those])
    chart.legend(RIGHT + 24, TOP + 8, [*looks(cases), ("", ""), *ceilings])
    if shared:
        shares(chart, x, shared, text)
    return chart.svg()


def shares(chart, x, cases, text):
    values = [case.pattern_share for case in cases]
    least, most = math.floor(min(0.8, *values) * 5) / 5, math.ceil(max(1.1, *values) * 5) / 5
    panel = Panel(chart, x, Axis(least, most, 830, 620, log=False),
                  "bytes moved", "share of the pattern copy", text, lambda value: f"{value:.1f}")
    panel.line([(x.least, 1), (x.most, 1)], COPY)
    entries = [("-", "pattern copy", COPY)]
    if cases[0].op == "append" and cases[0].run.result["device"] == "cuda":
        panel.line([(LARGE, PATTERN_SHARE), (max(LARGE, x.most), PATTERN_SHARE)], LAUNCH)
        entries.append(("-", f"{PATTERN_SHARE:.2f} from {quantity(LARGE, 'B')} on", LAUNCH))
    for (_, _, color, _), those in by_look(cases).items():
        panel.dots(color, [(case.bytes, case.pattern_share) for case in those])
    chart.legend(RIGHT + 24, 628, entries)
