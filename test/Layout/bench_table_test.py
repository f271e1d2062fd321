#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/bench_table.py makes the tables that it should, and sees those that are stale."""

import json
import pathlib
import subprocess
import sys
import unittest

from testing import CheckTest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "docs/bench_table.py"
PAGE = "before\n<!-- begin: run; made -->\nTABLE<!-- end: run -->\nafter\n"
CEILINGS = {"read_gb_per_s": 3000.4, "copy_gb_per_s": 2500, "f32_gflop_per_s": 60000}


def timed(name, median, share=0.5, **others):
    return {"case": name, "median_us": median, "gb_per_s": 1234, "gflop_per_s": 339000,
            "roofline": {"us": 1, "limit": "f32", "share": 9},
            "roofline_bf16": {"us": median * share, "limit": "read", "share": share}, **others}


class BenchTableTest(CheckTest):
    def run_script(self, action):
        return subprocess.run([sys.executable, "-B", SCRIPT, action, "page.md"],
                              cwd=self.project.root, capture_output=True, text=True)

    def make(self, *cases, **result):
        return self.make_run({"threads": 132, "ceilings": CEILINGS, "cases": cases}, **result)

    def make_run(self, recorded, **result):
        self.write("page.md", PAGE)
        self.write("run.json", json.dumps({
            "date": "2026-11-22T07:00:00Z", "device": "cuda", **result,
            "runs": [recorded]}))
        run = self.run_script("-o")
        self.assertEqual(run.returncode, 0, run.stderr)
        return self.project.text("page.md").splitlines()

    def test_listing(self):
        lines = self.make(timed("append bf16 T=1", 7.46, eager_median_us=8.04),
                          timed("gather_kv bf16", 2029, share=0.418),
                          {"case": "append f16", "not_implemented": "why"})
        self.assertEqual(lines[-6:], [
            "|---|---:|---:|---:|---:|---|---:|",
            "| `append bf16 T=1` | 7.5 | 8.0 | 1 234 | 339.0 | read | 50 % |",
            "| `gather_kv bf16` | 2 029 | - | 1 234 | 339.0 | read | 42 % |",
            "| `append f16` | not implemented | - | - | - | - | - |",
            "<!-- end: run -->", "after"])

    def test_comparison(self):
        peer = {"best_peer": "Other", "best_peer_us": 200.04, "ratio_to_best_peer": 2}
        lines = self.make(timed("a bf16 B=1 H=2", 400, **peer),
                          timed("a bf16/f8E4M3FN B=1 H=2", 300, share=0.4, **peer),
                          timed("a bf16/fp8_block B=1 H=2", 500, **peer),
                          timed("a bf16 B=2 H=2", 800, **dict(peer, best_peer_us=0, ratio_to_best_peer=0)))
        self.assertEqual(lines[-6:-2], [
            "| case | µs | limit µs | share | best peer | its µs | ratio | fp8 µs | share | of plain "
            "| fp8_block µs | share | of plain |",
            "|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
            "| `a bf16 B=1 H=2` | 400.0 | 200.0 | 50 % | Other | 200.0 | 2.00 | 300.0 | 40 % | 0.75 "
            "| 500.0 | 50 % | 1.25 |",
            "| `a bf16 B=2 H=2` | 800.0 | 400.0 | 50 % | - | - | - | - | - | - | - | - | - |"])

    def test_steps(self):
        parts = {"absorbed_attention": {"us": 10}, "absorb_q": {"us": 2}, "append": {"us": 2.5},
                 "project_v": {"us": 3}}
        step = {"step": "step bf16 B=1 kv=1024", "B": 1, "H": 16, "kv": 1024, "counted_us": 72,
                "layer_us": 18, "layer_weight_bytes": 6000800, "event_median_us": 80,
                "parts": parts, "layer_launches": 5.75, "layer_bound_us": 20, "of_bound": 0.9,
                "of_strict_bound": 1.0}
        # Of a CPU, and of calls that aren't timed alone.
        other = {key: value for key, value in step.items()
                 if "bound" not in key and "launches" not in key}
        other.update(step="step f32 B=1 kv=64", kv=64, parts={})
        lines = self.make_run({"threads": 132, "ceilings": CEILINGS, "cases": [],
                               "steps": [step, other]})
        self.assertEqual(lines[-5:-2], [
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
            "| `step f32 B=1 kv=64` | 72.0 | 18.0 | - | - | - | - | - | 2.0 | - | - | - | - | 80.0 |",
            "| `step bf16 B=1 kv=1024` | 72.0 | 18.0 | 10.0 | 2.0 | 2.5 | 3.0 | 17.5 | 2.0 | 5.75 "
            "| 20.0 | 0.90 | 1.00 | 80.0 |"])
        self.assertEqual(sum("---" in line for line in lines), 1)

    def test_what_it_ran_on(self):
        lines = self.make(timed("a bf16", 1), commit="1234abc",
                          machine={"gpu": "Some GPU", "driver": "1.2", "unknown": "x"})
        self.assertIn("2026-11-22, Some GPU, driver 1.2; revision `1234abc`. Ceilings with 132 "
                      "multiprocessors: read 3 000 GB/s, copy 2 500 GB/s, f32 60.0 TFLOP/s.", lines)

    def test_no_run(self):
        self.write("page.md", PAGE)
        self.assertEqual(self.run_script("-o").returncode, 0)
        self.assertEqual(self.project.text("page.md"), PAGE.replace("TABLE", "No run is recorded.\n"))

    def test_stale(self):
        self.make(timed("a bf16", 1))
        self.assertEqual(self.run_script("--check").returncode, 0)
        page = self.project.text("page.md")
        self.make(timed("a bf16", 2))
        self.write("page.md", page)
        run = self.run_script("--check")
        self.assertEqual(run.returncode, 1)
        self.assertIn("run the target mla-docs-cuda-performance", run.stderr)
        self.assertEqual(self.project.text("page.md"), page)

    def test_marks(self):
        self.write("page.md", "none\n")
        self.assertIn("expected marks", self.run_script("-o").stderr)


if __name__ == "__main__":
    unittest.main()
