#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/bench_roofline.py draws the cases of a run where they belong, and sees stale drawings."""

import json
import pathlib
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree

import recorded
from recorded import CEILINGS, append, gather, timed
from testing import CheckTest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "docs/bench_roofline.py"
SVG = "{http://www.w3.org/2000/svg}"


def attention(flops, bytes, us, **others):
    """As older files have it: without phase, spread and pattern copy."""
    return {"case": "absorbed_attention bf16/fp8_block B=1 kv=4096 T=1 H=16 R=0",
            "op": "absorbed_attention", "R": 0, "bytes": bytes, "flops": flops, "median_us": us,
            "gb_per_s": bytes / us * 1e-3, "gflop_per_s": flops / us * 1e-3, **others}


class BenchRooflineTest(CheckTest):
    def record(self, *cases, name="run", **fields):
        self.write(f"{name}.json", json.dumps(recorded.result(*cases, **fields)))

    def run_script(self, *arguments, status=0):
        run = subprocess.run([sys.executable, "-B", SCRIPT, *arguments], cwd=self.project.root,
                             capture_output=True, text=True)
        self.assertEqual(run.returncode, status, run.stderr)
        return run.stderr

    def draw(self, *cases, **fields):
        """{file name: its XML}."""
        self.record(*cases, **fields)
        self.run_script(".", "-o", "out")
        return {file.name: xml.etree.ElementTree.parse(file).getroot()
                for file in sorted((self.project.root / "out").iterdir())}

    def points(self, svg):
        """(x, y, title) of what has a title."""
        return [(float(use.get("x")), float(use.get("y")), use.find(f"{SVG}title").text)
                for use in svg.iter(f"{SVG}use") if use.find(f"{SVG}title") is not None]

    def lines(self, svg, color):
        """The corners of each line of a colour."""
        return [[tuple(map(float, point.split())) for point in re.split("[ML]", path.get("d"))[1:]]
                for path in svg.iter(f"{SVG}path")
                if path.get("stroke") == color and re.fullmatch(r"M[^MHVh]*", path.get("d"))]

    def words(self, svg):
        return [text.text for text in svg.iter(f"{SVG}text")]

    def test_roofline(self):
        """A case at a peak lies on the peak's line, one at the bandwidth on the slope."""
        bandwidth = CEILINGS["read_gb_per_s"]
        drawn = self.draw(attention(800000e3, 1e3, 1), attention(bandwidth * 1e3, bandwidth * 1e3, 1),
                          attention(1e9, 1e6, 1e3, R=64, cache="same"))
        svg = drawn.pop("cuda-absorbed_attention-roofline.svg")
        self.assertEqual(drawn, {})
        (_, at_peak, title), (x, y, _), (_, lower, _) = self.by_height(svg)
        self.assertEqual(title, "bf16/fp8_block B=1 kv=4096 T=1 H=16 R=0: 1.00 µs, 1.0 GB/s, "
                                "800 TFLOP/s")
        fp8, bf16, f32 = self.lines(svg, "#444444")
        self.assertAlmostEqual(bf16[0][1], at_peak, delta=0.2)
        self.assertGreater(lower, y)
        (x0, y0), (x1, y1) = self.lines(svg, "#777777")[0]
        self.assertAlmostEqual(y0 + (y1 - y0) * (x - x0) / (x1 - x0), y, delta=0.2)
        self.assertAlmostEqual(y1, fp8[0][1], delta=0.2)
        for word in ("FLOP / byte", "FLOP/s", "bf16 800 TFLOP/s ", "cache fp8_block", "cache same",
                     "R = 0", "R = 64", "absorbed_attention: roofline",
                     "Some GPU, 132 multiprocessors, 2026-11-22, revision 1234abc; 3 cases"):
            self.assertIn(word, self.words(svg))

    def by_height(self, svg):
        return sorted(self.points(svg), key=lambda point: point[1])

    def test_bandwidth(self):
        """A case at the copy's bandwidth lies on it, one of 2.5 µs + bytes / copy on that curve."""
        copy = CEILINGS["copy_gb_per_s"]
        svg = self.draw(append(bytes=1e9, us=1e6 / copy), append(bytes=1e6, us=2.5 + 1e3 / copy),
                        append(bytes=1e3, us=9, share=0.5))["cuda-append-generation-bandwidth.svg"]
        (_, fast, _), (x, y, _), (slow_x, slow, title) = self.by_height(svg)
        self.assertEqual(title, "bf16 assembled same half R=64 H=16 T=1: 9.00 µs, 0.1 GB/s, 50 %")
        ceiling = self.lines(svg, "#222222")[0]
        self.assertAlmostEqual(ceiling[0][1], fast, delta=0.2)
        _, curve = [line for line in self.lines(svg, "#b03060") if len(line) > 2]
        self.assertLess(min(abs(px - x) + abs(py - y) for px, py in curve), 3)
        # The pattern copy took half of the time: it is higher, about in a line with the point.
        strokes = next(path.get("d") for path in svg.iter(f"{SVG}path")
                       if path.get("stroke") == "#111" and "h7" in path.get("d"))
        marks = [tuple(map(float, mark.split("h")[0].split())) for mark in strokes.split("M")[1:]]
        self.assertEqual(len(marks), 3)
        self.assertTrue(any(abs(px + 3.5 - slow_x) < 0.2 and py < slow - 10 for px, py in marks))
        for word in ("bytes moved", "GB/s", "share of the pattern copy", "copy bandwidth",
                     "1.5 µs + bytes / copy", "2.5 µs + bytes / copy", "rope half", "1 MB", "1 GB",
                     "append, generation: bandwidth", "0.90 from 100 MB on"):
            self.assertIn(word, self.words(svg))

    def test_what_is_missing(self):
        """No pattern copy, no phase, no computation, no time, no launch."""
        bare = timed({"case": "append bf16 T=1 no rope", "flops": 0}, 1e6, 3, 1)
        for figure in ("pattern_copy_us", "pattern_copy_share", "counted", "graph_median_us"):
            del bare[figure]
        refused = {"case": "append bf16 T=2", "bytes": 1, "flops": 1, "not_implemented": "why"}
        drawn = self.draw(bare, refused, device="cpu", machine={"processor": "Some CPU"})
        self.assertEqual(list(drawn), ["cpu-append-bandwidth.svg"])
        svg = drawn["cpu-append-bandwidth.svg"]
        self.assertEqual(len(self.points(svg)), 1)
        words = self.words(svg)
        self.assertNotIn("share of the pattern copy", words)
        self.assertNotIn("1.5 µs + bytes / copy", words)
        self.assertIn("Some CPU, 132 threads, 2026-11-22, revision 1234abc; 1 cases", words)

    def test_files(self):
        """One for each operation and phase; of the result that has most of an operation."""
        self.record(gather(1000), append(H=5), name="a")
        self.record(append(H=6), append(H=7), append(H=8, phase="context"), name="b.part")
        self.record(append(H=9), name="b.rest")
        self.run_script("a.json", "b.part.json", "b.rest.json", "-o", "out")
        files = {file.name: file.read_text() for file in (self.project.root / "out").iterdir()}
        self.assertEqual(sorted(files), [
            "cuda-append-context-bandwidth.svg", "cuda-append-context-roofline.svg",
            "cuda-append-generation-bandwidth.svg", "cuda-append-generation-roofline.svg",
            "cuda-gather_kv-bandwidth.svg"])
        self.assertEqual(re.findall(r" H=(\d)", files["cuda-append-generation-bandwidth.svg"]),
                         ["6", "7", "9"])

    def test_large(self):
        """A thousand cases in a small file, and the same bytes again."""
        grid = recorded.grid()[:800]
        svg = self.draw(*grid)["cuda-append-context-bandwidth.svg"]
        self.assertEqual(len(self.points(svg)), len(grid))
        file = self.project.root / "out/cuda-append-context-bandwidth.svg"
        first = file.read_bytes()
        self.assertLess(len(first), 150000)
        file.unlink()
        self.draw(*grid)
        self.assertEqual(file.read_bytes(), first)

    def test_check(self):
        self.draw(gather(1000), gather(2000))
        self.run_script("run.json", "--check", "out")
        self.record(gather(1000), gather(2000, us=50))
        self.assertIn("got another: run the target mla-docs-cuda-performance",
                      self.run_script("run.json", "--check", "out", status=1))
        self.run_script("run.json", "-o", "out")
        self.write("out/cuda-append-roofline.svg", "<svg/>")
        self.assertIn("cuda-append-roofline.svg: expected no such drawing",
                      self.run_script("run.json", "--check", "out", status=1))
        self.run_script("run.json", "-o", "out", "--clean")
        self.run_script("run.json", "--check", "out")
        (self.project.root / "out/cuda-gather_kv-bandwidth.svg").unlink()
        self.assertIn("found none", self.run_script("run.json", "--check", "out", status=1))
        self.write("run.json", "[]")
        self.assertIn("run.json: expected what mla-bench --json writes",
                      self.run_script("run.json", "--check", "out", status=1))


if __name__ == "__main__":
    unittest.main()
