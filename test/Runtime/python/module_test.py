# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled modules from Python: models' cores against what the models computed."""

import gc
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy as np
import support
from support import mla_runtime

PAGE = 16
# docs/numerics.md, "Tolerances": against a model's own attention.
TOLERANCES = {"f32": 1e-5, "bf16": 1e-2}


def read_safetensors(path):
    """The tensors of a file by name; bf16 widened to f32."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:begin]).items():
        if name == "__metadata__":
            continue
        start, end = (begin + offset for offset in entry["data_offsets"])
        kind = {"F32": np.float32, "BF16": np.uint16, "I64": np.int64, "I32": np.int32}
        values = np.frombuffer(data[start:end], kind[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = support.from_bf16(values) if entry["dtype"] == "BF16" else values
    return tensors


class Modules(support.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def compile(self, model, dtype):
        """The module of a model's core and the tensors that the model computed."""
        golden = support.SOURCE / f"test/Data/goldens/{model}.safetensors"
        source = pathlib.Path(self.folder.name) / f"{model}_{dtype}.mlir"
        module = source.with_suffix(".so")
        if not module.exists():
            for command in (["mla-import", golden, f"--dtype={dtype}", f"--page-size={PAGE}",
                             "-o", source], ["mla-compile", source, "-o", module]):
                command[0] = support.BUILD / "bin" / command[0]
                subprocess.run([str(word) for word in command], check=True)
        return mla_runtime.Module(module), read_safetensors(golden)

    def arguments(self, entry, golden, dtype):
        """A call's arrays for all of the golden's tokens, in a cache of permuted pages."""
        count = len(golden["positions"])
        pages = -(-count // PAGE)
        made = {"page_table": self.random.permutation(pages).astype(np.int32)[None],
                "kv_lens": np.array([count], np.int32), "cu_q": np.array([0, count], np.int32),
                "out": np.full(golden["out"].shape, np.nan, np.float32)}
        if "cos" in golden:
            table = np.concatenate([golden["cos"], golden["sin"]], axis=1)
            made["cos_sin"] = np.zeros((golden["positions"].max() + 1, table.shape[1]), np.float32)
            made["cos_sin"][golden["positions"]] = table
        if "topk_indices" in golden:
            made["indices"] = golden["topk_indices"]
        cache = next(arg for arg in entry.arguments if arg.name == "cache")
        made["cache"] = np.full((pages,) + cache.shape[1:], np.nan, np.float32)
        arrays = {arg.name: made.get(arg.name, golden.get(arg.name)) for arg in entry.arguments}
        if dtype != "bf16":
            return arrays, {}
        # numpy has no bf16: the bits are in arrays of uint16.
        bits = {arg.name: support.to_bf16(arrays[arg.name]) for arg in entry.arguments
                if arg.dtype == "bf16"}
        return {**arrays, **{name: mla_runtime.view(x, "bf16") for name, x in bits.items()}}, bits

    def run_golden(self, ctx, model, dtype):
        module, golden = self.compile(model, dtype)
        entry = module.entry()
        arguments, bits = self.arguments(entry, golden, dtype)
        entry.reserve(ctx, **arguments)
        entry(ctx, **arguments)
        ctx.check()
        out = support.from_bf16(bits["out"]) if bits else arguments["out"]
        return support.distance(out, golden["out"])

    def test_models(self):
        for model, dtype in (("deepseek_v3", "f32"), ("deepseek_v3", "bf16"),
                             ("kimi_linear", "f32"), ("glm5_next", "f32"), ("hy_v4", "f32")):
            error = self.run_golden(self.ctx, model, dtype)
            self.assertLess(error, TOLERANCES[dtype], f"{model} in {dtype}")

    def test_manifest(self):
        module, _ = self.compile("kimi_linear", "f32")
        self.assertEqual(module.manifest["schema"], 1)
        self.assertEqual(list(module.entries), ["attention"])
        entry = module.entry("attention")
        self.assertIs(entry, module.entry())
        self.assertEqual(entry.arguments[0],
                         mla_runtime.Argument("q", "input", "f32", ("T", 2, 192)))
        self.assertEqual({arg.name: arg.role for arg in entry.arguments
                          if arg.role != "input"},
                         {"w_kv_b": "constant", "out": "output", "cache": "inout"})
        with self.refused(mla_runtime.NotFound,
                          ".so: expected an entry of 'attention', got 'decode'"):
            module.entry("decode")

    def test_names_are_checked_before_anything_happens(self):
        module, golden = self.compile("kimi_linear", "f32")
        entry = module.entry()
        arguments, _ = self.arguments(entry, golden, "f32")
        names = ", ".join(arg.name for arg in entry.arguments)
        with self.refused(mla_runtime.InvalidArgument, f"attention: expected arguments named "
                          f"{names}, got none for k_pe, cache"):
            entry(self.ctx, **{name: x for name, x in arguments.items()
                               if name not in ("k_pe", "cache")})
        with self.refused(mla_runtime.InvalidArgument, f"attention: expected arguments named "
                          f"{names}, got 'ctx'"):
            entry(self.ctx, ctx=1, **arguments)
        with self.refused(mla_runtime.InvalidArgument, "attention: c_kv: expected a tensor ("):
            entry(self.ctx, **{**arguments, "c_kv": None})
        self.assertTrue(np.isnan(arguments["cache"]).all())
        self.assertTrue(np.isnan(arguments["out"]).all())

    def test_the_runtimes_refusals(self):
        module, golden = self.compile("kimi_linear", "f32")
        entry = module.entry()
        arguments, _ = self.arguments(entry, golden, "f32")
        read_only = arguments["out"].copy()
        read_only.flags.writeable = False
        for name, value, text in (
                ("c_kv", arguments["c_kv"][:-1], "attention: c_kv: expected shape [37, 512], got "
                 "[36, 512] (dimension 0 is dimension 0 of q)"),
                ("c_kv", arguments["c_kv"].astype(np.float64),
                 "attention: c_kv: expected dtype f32, got f64"),
                ("out", read_only, "attention: out: expected a tensor to write, got a read-only "
                 "one")):
            with self.refused(mla_runtime.InvalidArgument, text):
                entry(self.ctx, **{**arguments, name: value})
        with self.refused(mla_runtime.ResourceExhausted, "workspace: expected at least"):
            entry(self.ctx, **arguments)

    def test_calls_leave_no_references(self):
        module, golden = self.compile("kimi_linear", "f32")
        entry = module.entry()
        arguments, _ = self.arguments(entry, golden, "f32")
        before = [sys.getrefcount(array) for array in arguments.values()]
        entry.reserve(self.ctx, **arguments)
        entry(self.ctx, **arguments)
        with self.refused(mla_runtime.InvalidArgument, "attention: out: "):
            entry(self.ctx, **{**arguments, "out": arguments["out"][:-1]})
        self.assertEqual([sys.getrefcount(array) for array in arguments.values()], before)

    def test_plan_needs_shapes_alone(self):
        module, golden = self.compile("kimi_linear", "f32")
        entry = module.entry()
        arguments, _ = self.arguments(entry, golden, "f32")
        planned = entry.plan(self.ctx, **arguments)
        shapes = {arg.name: mla_runtime.Tensor(None, arg.dtype, arguments[arg.name].shape)
                  for arg in entry.arguments}
        self.assertEqual(entry.plan(self.ctx, **shapes), planned)
        self.assertGreater(planned, 0)
        self.assertEqual(entry.reserve(self.ctx, **shapes), planned)
        self.assertEqual(self.ctx.mode, mla_runtime.MODE_RUN)
        entry(self.ctx, **arguments)
        self.assertEqual(entry.reserve(self.ctx, **{**shapes, "page_table": mla_runtime.Tensor(
            None, "i32", (1, 1))}), planned)

    def test_scalars_are_ints(self):
        """A hint that the batch breaks is reported: it has arrived."""
        config = support.SOURCE / "test/Data/configs/kimi_linear.json"
        path = pathlib.Path(self.folder.name) / "hints.so"
        subprocess.run([str(support.BUILD / "bin/mla-compile"), f"--config={config}", "--heads=2",
                        "--dtype=f32", f"--page-size={PAGE}", "--hints", "-o", str(path)],
                       check=True)
        entry = mla_runtime.Module(path).entry()
        golden = self.compile("kimi_linear", "f32")[1]
        arguments, _ = self.arguments(entry, golden, "f32")
        hints = dict(max_kv=37, num_generation_seqs=0, num_generation_tokens=0)
        # The config states a rotation that the model doesn't do: a table, not read.
        arguments.update(hints, cos_sin=np.full((1, 64), np.nan, np.float32))
        entry.reserve(self.ctx, **arguments)
        entry(self.ctx, **arguments)
        self.ctx.check()
        self.assertLess(support.distance(arguments["out"], golden["out"]), TOLERANCES["f32"])
        entry(self.ctx, **{**arguments, "max_kv": np.int32(36)})
        with self.refused(mla_runtime.DataError, "37"):
            self.ctx.check()
        with self.refused(mla_runtime.InvalidArgument,
                          "attention: max_kv: expected a 64-bit integer, got 36.5"):
            entry(self.ctx, **{**arguments, "max_kv": 36.5})
        entry(self.ctx, **{**arguments, "max_kv": mla_runtime.tensor(np.array(37, np.int64))})

    def test_loading(self):
        with self.refused(mla_runtime.NotFound, "/nowhere/x.so: expected a compiled module, got "
                          "no readable file"):
            mla_runtime.Module("/nowhere/x.so")
        with self.refused(mla_runtime.FailedPrecondition, "expected a compiled module, got: "):
            mla_runtime.Module(pathlib.Path(__file__))

    def test_an_entry_keeps_its_module(self):
        module, golden = self.compile("kimi_linear", "f32")
        entry = module.entry()
        del module
        gc.collect()
        arguments, _ = self.arguments(entry, golden, "f32")
        entry.reserve(self.ctx, **arguments)

    def test_threads_share_a_module(self):
        self.compile("kimi_linear", "f32")
        errors = {}

        def work(number):
            with mla_runtime.Context("cpu", threads=1) as ctx:
                errors[number] = [self.run_golden(ctx, "kimi_linear", "f32") for _ in range(5)]

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(errors), 4)
        self.assertLess(max(map(max, errors.values())), TOLERANCES["f32"])


if __name__ == "__main__":
    unittest.main()
