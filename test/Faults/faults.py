#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Shows that the tests would see the mistakes that MLA implementations make.

    faults.py SCRATCH [PATTERN]    those whose name or file matches, all by default
    faults.py --check              only: is the text of every fault still there?

Copies the sources to SCRATCH (kept, so that the next run builds little), builds,
and runs the tests of the table below, which must pass. Then, one at a time, puts
each fault into the copy: each of its tests must fail. The last line is
`N killed, N survived`; exits 1 if a fault survived, 2 if the run means nothing: a
fault's text that isn't in its file exactly once, a build or a test that failed
without a fault.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time
from collections import namedtuple

ROOT = pathlib.Path(__file__).resolve().parents[2]

#===--- Tests -------------------------------------------------------------===#

# A command in the build directory; the targets that it needs; what its output says
# when it ran something and all was well, and when it saw a difference.
Test = namedtuple("Test", "name targets command green red")


def gtest(program, cases):
    return Test(cases, [program], [f"bin/{program}", f"--gtest_filter={cases}"],
                r"^\[  PASSED  \] [1-9]", r"^\[  FAILED  \] (\w+\.\w+)")


def cpu(cases):
    return gtest("mla-cpu-tests", cases)


def importer(cases):
    return gtest("mla-import-tests", cases)


def lit(path, *more):
    return Test(path, ["mla-opt", "mla-import", *more],
                ["{lit}", "-v", "test", f"--filter=^MLA :: {re.escape(path)}$"],
                r"^PASS: MLA :: (\S+)", r"^FAIL: MLA :: (\S+)")


def parity(model):
    return Test(f"mla-parity {model}", ["mla-parity", "mla-import", "mla-compile"],
                ["bin/mla-parity", "{data}/" + f"goldens/{model}.safetensors",
                 "--dtype=f32", "--page-size=16"],
                r" 0 failed, 0 skipped", r"^(?:mla-parity: error: .*|.*FAIL.*)$")


#===--- Faults ------------------------------------------------------------===#

# Edits are pairs of a text, which is in the file exactly once, and what takes its
# place. With `later`, why no test can see the fault yet.
Fault = namedtuple("Fault", "name file edits tests later", defaults=[None])

CPU = "runtime/cpu/"
CALLS = "lib/Conversion/MLAToRuntime/CallBuilder.cpp"
CONFIG = "lib/Import/ModelConfig.cpp"
DECOMPOSE = "lib/Transforms/Decompose/"
FUSE = "lib/Transforms/FuseAppend/"

FAULTS = [
    Fault("pairing swapped", CPU + "Rotation.h",
          [("pairStep = style == MLA_ROPE_INTERLEAVED", "pairStep = style == MLA_ROPE_HALF"),
           ("partner = style == MLA_ROPE_INTERLEAVED", "partner = style == MLA_ROPE_HALF")],
          [cpu("RopeTest.*"), cpu("AppendTest.*"), parity("deepseek_v3"), parity("minicpm3")]),
    Fault("pairing swapped", CALLS,
          [("static_cast<int64_t>(rope.getStyle())", "3 - static_cast<int64_t>(rope.getStyle())")],
          [lit("Conversion/mla_to_runtime.mlir"), parity("deepseek_v3")]),
    Fault("L+R in the scale", CONFIG,
          [("static_cast<double>(spec.getQueryWidth())",
            "static_cast<double>(spec.getCacheWidth())")],
          [importer("ModelConfig.*"), lit("Import/configs.test")]),
    Fault("mscale dropped", CONFIG,
          [("spec.softmaxScale *= mscale * mscale;", "spec.softmaxScale *= mscale / mscale;")],
          [importer("ModelConfig.*"), lit("Import/configs.test")]),
    Fault("mscale dropped", "lib/Import/RopeTable.cpp",
          [("    return getYarnMscale(rope.factor, 1);", "    return 1;")],
          [importer("RopeTable.*")]),
    Fault("Kimi rotated", CONFIG,
          [("/*unrotated=*/true", "/*unrotated=*/false")],
          [importer("ModelConfig.*"), lit("Import/configs.test")]),
    Fault("Kimi rotated", "lib/Import/Golden.cpp",
          [('} else if (*rope == "none") {',
            '} else if (*rope == "none") {\n'
            "    spec.rotated = spec.qkRopeHeadDim != 0;\n"
            "    spec.ropeStyle = RopeStyle::Interleaved;")],
          [lit("Import/goldens.test"), parity("kimi_linear")]),
    Fault("Kimi rotated", CALLS,
          [("rotating ? rotating.getLiveRope()", "rotating ? rotating.getRopeAttr()")],
          [lit("Conversion/mla_to_runtime.mlir")]),
    Fault("a padded row written", CPU + "append.cpp",
          [("t < real && findRotation(t)", "(t < real || true) && findRotation(t)")],
          [cpu("AppendTest.*"), cpu("AppendFaultsTest.ASlotOfPaddingIsNotWritten")]),
    Fault("a padded row written", CPU + "append.cpp",
          [("if (slot == -1)\n      return;", "if (slot == -1)\n      slot = 0;")],
          [cpu("AppendTest.*")]),
    Fault("a padded row written", CPU + "slot_mapping.cpp",
          [("storeInt(slots, t, -1);", "storeInt(slots, t, 0);")],
          [cpu("SlotMappingTest.*")]),
    # The key's position stays: where both are shifted no score changes.
    Fault("the query's position +1", CPU + "append.cpp",
          [("writeQuery(t);\n        writeKey(t);",
            "writeKey(t);\n"
            "        // Rows of the table that a recording lacks are NaN.\n"
            "        int64_t next = rotates() ? loadInt(positions, t) + 1 : 0;\n"
            "        if (rotates() && next < cosSin.dim(0) &&\n"
            "            floatAt(cosSin, next, 0) == floatAt(cosSin, next, 0))\n"
            "          loadRow(cosSin, cosSin.at(next), table);\n"
            "        writeQuery(t);")],
          [cpu("AppendTest.*"), parity("deepseek_v3"), parity("minicpm3")]),
    Fault("base-2 lse", CPU + "AttentionTile.cpp",
          [("return peak[row] + std::log(total[row]);",
            "return (peak[row] + std::log(total[row])) * 1.44269504f;")],
          [cpu("AbsorbedAttentionTest.*"), cpu("ExpandedAttentionTest.*")]),
    Fault("base-2 lse", CPU + "merge_states.cpp",
          [("std::exp(lse - top)", "std::exp2(lse - top)"),
           ("top + std::log(total)", "top + std::log2(total)")],
          [cpu("MergeStatesTest.*")]),
    Fault("a sink counted twice", CPU + "AttentionTile.cpp",
          [("sink == negativeInfinity ? 0.0f : 1.0f", "sink == negativeInfinity ? 0.0f : 2.0f")],
          [cpu("AbsorbedAttentionTest.ASink*"), cpu("ExpandedAttentionTest.*"),
           parity("hy_v4")]),
    Fault("a sink counted twice", DECOMPOSE + "ExpandedForm.cpp",
          [("/*sinks=*/Value(), partial", "op.getSinks(), partial")],
          [lit("Transforms/decompose_expanded.mlir"), lit("Pipelines/forms.test", "mla-compile", "mla-run")]),
    Fault("K and V halves of w_kv_b swapped", DECOMPOSE + "FormBuilder.cpp",
          [("op.getWKvB(), 1, 0,", "op.getWKvB(), 1, widths.value,"),
           ("op.getWKvB(), 1, widths.nope,", "op.getWKvB(), 1, 0,")],
          [lit("Transforms/decompose_operands.mlir"), parity("deepseek_v3"),
           parity("glm4_moe_lite")]),
    Fault("causal bound +1", CPU + "absorbed_attention.cpp",
          [("return length - (tokensEnd - 1 - t);",
            "return std::min(length, length - (tokensEnd - 1 - t) + 1);")],
          [cpu("AbsorbedAttentionTest.*"), parity("deepseek_v3")]),
    Fault("causal bound +1", CPU + "expanded_attention.cpp",
          [("sequence.length - (sequence.tokensEnd - 1 - t))",
            "sequence.length - (sequence.tokensEnd - 1 - t) + 1)")],
          [cpu("ExpandedAttentionTest.*")]),
    Fault("causal bound +1", CPU + "slot_mapping.cpp",
          [("ownership.countBelow(position + 1)", "ownership.countBelow(position + 2)")],
          [cpu("SlotMappingTest.*")]),
    Fault("page table not applied", CPU + "Sequences.h",
          [("return loadInt(table, b, logical);", "return b < 0 ? b : logical;")],
          [cpu("AbsorbedAttentionTest.*"), cpu("GatherKvTest.*"), parity("deepseek_v3")]),
    Fault("page table not applied", CPU + "slot_mapping.cpp",
          [("page = loadInt(pageTable, b, local / params.page_size);",
            "page = local / params.page_size;")],
          [cpu("SlotMappingTest.*"), parity("deepseek_v3")]),
    Fault("one scale for query and latent", DECOMPOSE + "FormBuilder.cpp",
          [("parts.query ? op.getCuQ() : Value(), op.getQueryScale(),",
            "parts.query ? op.getCuQ() : Value(), op.getLatentScale(),")],
          [lit("Transforms/decompose_operands.mlir")]),
    Fault("one scale for query and latent", DECOMPOSE + "AbsorbedForm.cpp",
          [("/*schedule=*/Value(), op.getQueryScale(),",
            "/*schedule=*/Value(), op.getLatentScale(),")],
          [lit("Transforms/decompose_operands.mlir")]),
    Fault("one scale for query and latent", "lib/IR/Ops/AbsorbedAttention.cpp",
          [('"C4", "query_scale", "query"', '"C4", "latent_scale", "query"')],
          [lit("IR/absorbed_attention_invalid.mlir")]),
    Fault("one scale for query and latent", "runtime/core/ops/absorbed_attention.cpp",
          [('"query_scale", p.query_scale, "query"', '"query_scale", p.latent_scale, "query"')],
          [gtest("mla-core-tests", "OpArguments.NoScaleStandsInForAnother")]),
    Fault("one scale for query and latent", "runtime/core/ops/append.cpp",
          [('"query_scale", p.query_scale, "query"', '"query_scale", p.latent_scale, "query"')],
          [gtest("mla-core-tests", "OpArguments.NoScaleStandsInForAnother")]),
    Fault("one scale for query and latent", CPU + "absorbed_attention.cpp",
          [('"query_scale", params.query_scale', '"query_scale", params.latent_scale')],
          [cpu("AbsorbedAttentionFp8Test.*")]),
    Fault("one scale for query and latent", CPU + "append.cpp",
          [('"query_scale", params.query_scale', '"query_scale", params.latent_scale')],
          [cpu("AppendFp8Test.*")]),
    Fault("one scale for latent and pe", CPU + "CacheRows.cpp",
          [("scaleRow(in, pe.width(), 1.0f / peScale)",
            "scaleRow(in, pe.width(), 1.0f / latentScale)")],
          [cpu("AppendFp8Test.*"), cpu("Fp8CacheTest.*")]),
    Fault("one scale for latent and pe", CPU + "CacheRows.cpp",
          [("scaleRow(out, pe.width(), peScale)", "scaleRow(out, pe.width(), latentScale)")],
          [cpu("AbsorbedAttentionFp8Test.*"), cpu("Fp8CacheTest.*")]),
    Fault("rounding lost in fusion", FUSE + "AppendSite.cpp",
          [("    needed = rounding;", "    (void)rounding;")],
          [lit("Transforms/fuse_append.mlir"), lit("Transforms/fuse_append_remarks.mlir"),
           lit("Transforms/fuse_append_bits.test", "mla-compile", "mla-run")]),
    Fault("a rotation that fusion adds", FUSE + "AppendSite.cpp",
          [("if (rows.rotation == fused.rotation)", "if (rows.rotation == fused.rotation || true)")],
          [lit("Transforms/fuse_append_remarks.mlir")]),
    Fault("other tokens' keys fused", FUSE + "AppendSite.cpp",
          [("if (!haveSameTokens(tensors[0], tensors[1]))",
            "if (!haveSameTokens(tensors[0], tensors[1]) && false)")],
          [lit("Transforms/fuse_append_remarks.mlir")]),
]

#===--- The copy ----------------------------------------------------------===#


def fail(message):
    print(f"faults: error: {message}", file=sys.stderr)
    sys.exit(2)


def check(faults, root):
    """Every text is in its file exactly once."""
    stale = []
    for fault in faults:
        text = (root / fault.file).read_text() if fault.edits else ""
        for old, _ in fault.edits:
            if text.count(old) != 1:
                stale.append(f"{fault.file}: {fault.name}: expected exactly once, "
                             f"found {text.count(old)} times:\n{old}")
    if stale:
        fail("stale faults; mend test/Faults/faults.py\n" + "\n".join(stale))


def write(path, text):
    """Leaves a file that is already so alone: what it makes stays built."""
    if not path.exists() or path.read_bytes() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def copy_sources(tree):
    """What git tracks, and what it would: as it is on disk, not as committed."""
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout
    files = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    for name in files:
        write(tree / name, (ROOT / name).read_bytes())
    for path in [path for path in tree.rglob("*") if path.is_file()]:
        if str(path.relative_to(tree)) not in files and "__pycache__" not in path.parts:
            path.unlink()


class Copy:
    """The sources in SCRATCH/tree, built in SCRATCH/build; `options` are CMake's."""

    def __init__(self, scratch, jobs, options=()):
        self.tree, self.build, self.jobs = scratch / "tree", scratch / "build", jobs
        copy_sources(self.tree)
        # ccache: the same object, wherever SCRATCH is.
        os.environ.setdefault("CCACHE_BASEDIR", str(scratch))
        os.environ.setdefault("CCACHE_NOHASHDIR", "1")
        if not (self.build / "build.ninja").exists():
            launcher = []
            if subprocess.run(["which", "ccache"], capture_output=True).returncode == 0:
                launcher = [f"-DCMAKE_{language}_COMPILER_LAUNCHER=ccache"
                            for language in ("C", "CXX")]
            self.must(["cmake", "-G", "Ninja", "-S", self.tree, "-B", self.build,
                       "-DCMAKE_BUILD_TYPE=Release", *launcher, *options])
        cache = (self.build / "CMakeCache.txt").read_text()
        self.lit = re.search(r"^LLVM_EXTERNAL_LIT:\w+=(.*)$", cache, re.M).group(1)

    def must(self, command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            fail(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}")

    def make(self, tests):
        targets = sorted({target for test in tests for target in test.targets})
        self.must(["ninja", "-C", self.build, f"-j{self.jobs}", "--quiet", *targets])

    def run(self, test):
        """Whether the test passes, and what its output says of that."""
        command = [word.format(lit=self.lit, data=self.tree / "test/Data")
                   for word in test.command]
        try:
            done = subprocess.run(command, cwd=self.build, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=600)
        except subprocess.TimeoutExpired:
            return False, "ran for more than 600 s"
        passed = done.returncode == 0
        found = re.findall(test.green if passed else test.red, done.stdout, re.M)
        found = list(dict.fromkeys(" ".join(text.split()) for text in found))
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            return passed, found[0] + more
        if done.returncode < 0:
            return False, f"died of signal {-done.returncode}"
        # Neither: it ran nothing, or failed of something else.
        fail(f"{test.name}: exit {done.returncode}\n{done.stdout[-4000:]}")


def inject(copy, fault):
    """Runs a fault's tests with the fault in place; yields what each says."""
    path = copy.tree / fault.file
    original = path.read_bytes()
    text = original.decode()
    for old, new in fault.edits:
        text = text.replace(old, new)
    try:
        path.write_text(text)
        copy.make(fault.tests)
        for test in fault.tests:
            yield test, *copy.run(test)
    finally:
        path.write_bytes(original)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scratch", nargs="?", type=pathlib.Path)
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    check(FAULTS, ROOT)
    if options.check:
        return 0
    if not options.scratch:
        parser.error("expected SCRATCH or --check")

    faults = [fault for fault in FAULTS
              if re.search(options.pattern, f"{fault.name} {fault.file}")]
    if not faults:
        fail(f"expected a fault that matches '{options.pattern}', found none")
    copy = Copy(options.scratch.resolve(), options.jobs)
    check(faults, copy.tree)
    tests = list({test.name: test for fault in faults for test in fault.tests}.values())

    start = time.monotonic()
    print(f"building a copy in {options.scratch}", flush=True)
    copy.make(tests)
    print(f"built without a fault in {time.monotonic() - start:.0f} s", flush=True)
    for test in tests:
        start = time.monotonic()
        passed, said = copy.run(test)
        if not passed:
            fail(f"{test.name} fails without a fault: {said}")
        print(f"passes without a fault: {test.name} ({time.monotonic() - start:.1f} s)",
              flush=True)

    killed = survived = 0
    table = []
    for fault in faults:
        print(f"\n{fault.name}, in {fault.file}", flush=True)
        if fault.later:
            table.append((fault, "", "NOT APPLICABLE YET: " + fault.later))
            print("  " + table[-1][-1])
            continue
        start = time.monotonic()
        verdicts = {True: [], False: []}
        for test, passed, said in inject(copy, fault):
            verdicts[passed].append(test.name)
            print(f"  {'NOT SEEN' if passed else 'killed'} by {test.name}: {said}", flush=True)
        # Each of its tests is there to see it.
        if verdicts[True]:
            survived += 1
            verdict = "SURVIVED " + ", ".join(verdicts[True])
        else:
            killed += 1
            verdict = "killed by " + ", ".join(verdicts[False])
        table.append((fault, f"{time.monotonic() - start:.0f}", verdict))

    print(f"\n{'fault':34}{'where':48}{'s':>3}  result")
    for fault, seconds, verdict in table:
        print(f"{fault.name:34}{fault.file:48}{seconds:>3}  {verdict}")
    print(f"{killed} killed, {survived} survived")
    return 1 if survived or not killed else 0


if __name__ == "__main__":
    sys.exit(main())
