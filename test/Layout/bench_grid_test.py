#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tables of a grid report every case, and a target that is missed as missed."""

import json
import pathlib
import sys
import unittest

import recorded
from recorded import append, gather
from testing import CheckTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "docs"))
import bench_compact
import bench_table


class BenchGridTest(CheckTest):
    def make(self, part, *cases, file="run.json"):
        """The lines of one part of the page."""
        self.write(file, json.dumps(recorded.result(*cases)))
        return self.page(part)

    def page(self, part):
        text = f"<!-- begin: run/{part}; made -->\n<!-- end: run/{part} -->\n"
        return bench_table.page(self.project.root / "page.md", text).splitlines()[1:-1]

    def counts(self, *cases):
        """{target: (checks, met, missed, undecided)}."""
        rows = [line.split(" | ") for line in self.make("targets", *cases)[4:]]
        return {row[0][2:]: tuple(row[2:6]) for row in rows}

    def test_all_met(self):
        grid = recorded.grid(tokens=(1, 4096))
        counts = self.counts(*grid)
        self.assertEqual(list(counts), ["a", "b", "B", "c", "d", "D"])
        for checks, met, missed, undecided in counts.values():
            self.assertEqual((met.split(",")[0], missed, undecided), (checks, "0", "0"))
        self.assertEqual(self.page("misses"), ["None."])
        rows = "\n".join(self.page("rows"))
        self.assertEqual(rows.count("(95 %) ✓") + rows.count("(95 %) |"), len(grid))
        self.assertNotIn("**", rows)

    def test_limits(self):
        """What is at a target meets it, what is just beyond doesn't."""
        plain = append(T=4096, H=128, cache="same", share=0.98)
        small = append(T=16, cache="same", share=0.98)
        rope = append(us=2.0, rope="half", query="none")
        for target, others, at, beyond in (
                ("a", [], append(T=16384, share=0.90), append(T=16384, share=0.8999)),
                ("b", [], append(bytes=2.3e6, us=2.5), append(bytes=2.3e6, us=2.501)),
                ("B", [], append(bytes=10e6, us=5.5), append(bytes=10e6, us=5.501)),
                ("c", [rope], append(us=2.0, rope="none", query="none"),
                 append(us=2.05, rope="none", query="none")),
                ("d", [plain], append(T=4096, H=128, cache="fp8", share=0.951),
                 append(T=4096, H=128, cache="fp8", share=0.950)),
                ("D", [small], append(T=16, cache="fp8", share=0.951),
                 append(T=16, cache="fp8", share=0.950)),
                ("e", [], gather(100000, us=230.4e6 / (0.85 * 2500e3)),
                 gather(100000, us=230.4e6 / (0.849 * 2500e3)))):
            with self.subTest(target=target):
                self.assertEqual(self.counts(*others, at)[target], ("1", "1", "0", "0"))
                self.assertEqual(self.page("misses"), ["None."])
                self.assertEqual(self.counts(*others, beyond)[target], ("1", "0", "1", "0"))
                misses = self.page("misses")[2:]
                self.assertEqual(len(misses), 1)
                self.assertRegex(misses[0], rf"^\| {target} \| .* \| missed \|$")

    def test_what_applies(self):
        """By bytes, and by what was timed in a graph."""
        self.assertEqual(list(self.counts(append(bytes=2.3e6, us=2), append(us=3, R=0),
                                          append(bytes=99.9e6, us=60, share=0.5),
                                          gather(27000, us=60))), ["b"])
        self.assertEqual(list(self.counts(append(bytes=2.31e6, us=2))), ["B"])

    def test_miss(self):
        """All that is said of it."""
        case = append(T=16384, H=128, rope="interleaved", cache="fp8_block", share=0.85,
                      bytes=500e6, us=240, sliced=True)
        name = "`generation bf16 query assembled cache fp8_block rope interleaved R=64 H=128 " \
               "T=16384 sliced`"
        self.assertEqual(self.make("misses", case)[2],
                         f"| a | {name} | 500.0 | 240.0 | 85.0 % | 90.0 % | missed |")
        self.assertTrue(self.page("targets")[4].endswith(f"| 85.0 %, wanted 90.0 %: {name} |"))
        self.assertEqual(self.page("rows"), [
            "### Generation, query assembled, bf16, cache fp8_block", "",
            "| rope | R | H | inputs | T=16384 |", "|---|---:|---:|---|---:|",
            "| interleaved | 64 | 128 | sliced | **240.0 (85 %) a** |"])

    def test_where(self):
        cases = [append(us=2.6), append(us=2.4), append(us=2.6, T=2), append(us=2.4, T=4),
                 append(us=2.4, query="pe")]
        self.assertEqual(self.make("where", *cases)[2:],
                         ["| b | generation | assembled | same | yes | 1 of 2 | 1 of 1 | 0 of 1 |"])
        self.assertEqual(self.make("where", append()), ["Nowhere."])

    def test_spread(self):
        """Times whose spreads overlap are equal, and are counted apart."""
        rope = append(us=2.0, rope="half")
        self.assertEqual(self.counts(rope, append(us=2.03, rope="none"))["c"],
                         ("1", "1, 1 within the spread", "0", "0"))
        self.assertEqual(self.counts(rope, append(us=2.03, rope="none", p10_us=2.021))["c"],
                         ("1", "0", "1", "0"))
        # Of all times where the file has no percentiles.
        for times, missed in (([1.9, 2.03, 2.1], "0"), ([2.025, 2.03, 2.1], "1")):
            case = append(us=2.03, rope="none", p10_us=None, p90_us=None, all_us=times)
            self.assertEqual(self.counts(rope, case)["c"][2], missed)

    def test_undecided(self):
        """What can't be said is never met."""
        self.assertEqual(self.counts(append(T=16384, H=128, share=0.95, pattern_copy_us=None,
                                            pattern_copy_share=None))["a"], ("1", "0", "0", "1"))
        self.assertIn("| undecided |", self.page("misses")[2])
        self.assertTrue(self.page("rows")[-1].endswith("(-) ? |"))
        self.assertEqual(self.counts(append(rope="none"))["c"], ("1", "0", "0", "1"))
        self.assertEqual(self.counts(append(cache="fp8"))["D"], ("1", "0", "0", "1"))
        self.assertEqual(self.counts(append(us=3, graph_median_us=None, counted="event"))["b"],
                         ("1", "0", "0", "1"))
        self.assertNotIn("c", self.counts(append(rope="none", R=0)))

    def test_not_measured(self):
        refused = {**append(T=4), "not_implemented": "why"}
        for figure in ("counted_us", "median_us", "graph_median_us"):
            refused.pop(figure, None)
        self.assertEqual(self.make("targets", append(), refused)[0],
                         "1 of 2 rows have a time, 1 of them in a graph.")
        self.assertTrue(self.page("misses")[2].endswith("| no time: why |"))
        self.assertTrue(self.page("rows")[4].endswith("| no time: why |"), self.page("rows")[4])

    def test_rows(self):
        """T to the right, other sizes where they differ, a case that is there twice twice."""
        lines = self.make("rows", append(T=2, us=1.5), append(T=1, us=1.25, P=1),
                          append(T=2, us=1.75), append(T=2, query="none", us=12.5),
                          append(T=2, cache="fp8", query_dtype="f8E4M3FN", phase="context"))
        self.assertEqual([line for line in lines if "#" in line], [
            "### Context, query assembled, bf16, cache fp8_query",
            "### Generation, query none, bf16, cache same",
            "### Generation, query assembled, bf16, cache same"])
        self.assertEqual(lines[-4:], [
            "| rope | R | H | inputs | P | T=1 | T=2 |", "|---|---:|---:|---|---:|---:|---:|",
            "| half | 64 | 16 | contiguous | 1 | 1.25 (95 %) ✓ | - |",
            "| half | 64 | 16 | contiguous | 64 | - | 1.50 (95 %) ✓; 1.75 (95 %) ✓ |"])
        self.assertIn("| half | 64 | 16 | contiguous | **12.50 (95 %) b** |", lines)

    def test_listing(self):
        self.assertEqual(self.make("listing", gather(1000, us=4, share=0.5),
                                   gather(100000, us=200, share=0.5))[2:], [
            "| `bf16 B=1 kv=1000` | 2.3 | 4.00 | 576 | 23 % | 50 % | - |",
            "| `bf16 B=1 kv=100000` | 230.4 | 200.0 | 1 152 | 46 % | 50 % | e |"])

    def test_peers(self):
        cases = [append(us=2, H=8, peers={"chain": 4, "table": 1.8}),
                 append(us=2, H=16, peers={"chain": 16, "table": 3}),
                 append(us=2, T=64, peers={"chain": 6})]
        self.assertEqual(self.make("peers", *cases)[2:], [
            "| generation | assembled | same | yes | `chain` | 0 of 3 | 4.00 (2.00-8.00) "
            "| 3.00 (3.00-3.00) |",
            "| generation | assembled | same | yes | `table` | 1 of 2 | 1.16 (0.90-1.50) | - |"])
        self.assertIn("No other", self.make("peers", append())[0])

    def test_parts(self):
        """A result in several files; counterparts are of one run."""
        self.write("run.a.json", json.dumps(recorded.result(append(us=2, rope="half"))))
        lines = self.make("targets", append(us=2, rope="none"), file="run.b.json")
        self.assertIn("2 of 2 rows", lines[0])
        self.assertIn("| c | without rope not slower than with it | 1 | 0 | 0 | 1 |", lines[-1])
        self.assertIn("[run.a.json](run.a.json), [run.b.json](run.b.json)", self.page("run")[0])

    def test_clocks(self):
        run = recorded.result(append(sm_clock_mhz=1980, power_w=300.4),
                              append(sm_clock_mhz=1755, power_w=650))
        run["runs"][0]["ceilings"] = {**recorded.CEILINGS, "power_w": 400, "products_power_w": 690,
                                      "missing": ["no fp8 products: why"]}
        self.write("run.json", json.dumps(run))
        line = self.page("run")[2]
        self.assertTrue(line.endswith(
            "write 2 900 GB/s, copy 2 500 GB/s, f32 60.0 TFLOP/s, bf16 800.0 TFLOP/s, fp8 1 500 "
            "TFLOP/s. No fp8 products: why. While reading: 400 W. During products: 690 W. "
            "During the cases: multiprocessors at 1755 to 1980 MHz, 300 to 650 W."), line)

    def test_compact(self):
        long = [append(us=2.123456789, all_us=[2.123456789] * 21), append(T=16384, share=0.95)]
        before = self.make("rows", *long)
        size = len(self.project.text("run.json"))
        once = bench_compact.compact(json.loads(self.project.text("run.json")))
        self.assertLess(len(once), 0.9 * size)
        self.assertEqual(json.loads(once)["runs"][0]["cases"][0]["all_us"], [2.1235] * 21)
        self.write("run.json", once)
        self.assertEqual(self.page("rows"), before)
        self.assertEqual(bench_compact.compact(json.loads(once)), once)
        self.assertNotIn("all_us", bench_compact.compact(json.loads(once), ["all_us"]))

    def test_complaints(self):
        self.write("run.json", "{}")
        for part, complaint in (
                ("rows", "run.json: expected what mla-bench --json writes, got KeyError: 'runs'"),
                ("row", "expected a part of a grid, got 'row'")):
            with self.assertRaises(SystemExit) as exit:
                self.page(part)
            self.assertIn(complaint, str(exit.exception))


if __name__ == "__main__":
    unittest.main()
