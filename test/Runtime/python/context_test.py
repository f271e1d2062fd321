# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contexts: their life, modes, workspace, data errors, and one a thread."""

import gc
import threading
import unittest
import weakref

import numpy as np
import support
from support import mla_runtime


class Life(support.TestCase):
    def test_closed_by_with_by_hand_and_twice(self):
        with mla_runtime.Context("cpu") as ctx:
            mla_runtime.fill(ctx, dst=np.zeros(2, np.float32))
            self.assertEqual(repr(ctx), "<mla_runtime.Context cpu:0>")
        self.assertEqual(repr(ctx), "<mla_runtime.Context cpu:0, closed>")
        ctx.close()
        for use in (ctx.warmup, ctx.check, lambda: ctx.set_workspace(0), lambda: ctx.high_water,
                    lambda: mla_runtime.fill(ctx, dst=np.zeros(2, np.float32))):
            with self.refused(mla_runtime.FailedPrecondition,
                              "context: expected an open one, got one that was closed"):
                use()

    def test_a_forgotten_one_goes(self):
        ctx = mla_runtime.Context("cpu", workspace=1024)
        gone = weakref.ref(ctx)
        del ctx
        gc.collect()
        self.assertIsNone(gone())

    def test_backends(self):
        with self.refused(mla_runtime.NotFound, "backend: expected 'cpu' or 'cuda', got 'tpu'"):
            mla_runtime.Context("tpu")
        with self.refused(mla_runtime.InvalidArgument, "mla_context_set_sm_limit: limit: "
                          "expected 0 or more, got -1"):
            mla_runtime.Context("cpu", threads=-1)
        for setting in ("device", "threads"):
            with self.refused(mla_runtime.InvalidArgument, f"Context: {setting}: expected a "
                              "32-bit integer, got 4294967296"):
                mla_runtime.Context("cpu", **{setting: 2**32})

    def test_settings(self):
        self.ctx.warmup()
        self.ctx.stream = 64
        self.assertEqual(self.ctx.stream, 64)
        # ctypes would take a text's address.
        for wrong in ("64", 2**64 + 64):
            with self.refused(mla_runtime.InvalidArgument, "stream: expected a 64-bit integer, "):
                self.ctx.stream = wrong
        self.assertEqual(self.ctx.stream, 64)
        with self.refused(mla_runtime.InvalidArgument, "mla_context_set_mode: mode: expected"):
            self.ctx.mode = 7
        with self.refused(mla_runtime.InvalidArgument, "mode: expected a 32-bit integer, got "):
            self.ctx.mode = 2**32 + mla_runtime.MODE_PLAN
        self.assertEqual(self.ctx.mode, mla_runtime.MODE_RUN)

    def test_modes(self):
        x = np.zeros(2, np.float32)
        for mode in (mla_runtime.MODE_CHECK, mla_runtime.MODE_PLAN):
            with self.ctx.in_mode(mode):
                self.assertEqual(self.ctx.mode, mode)
                mla_runtime.fill(self.ctx, dst=x, value=1)
            self.assertEqual(self.ctx.mode, mla_runtime.MODE_RUN)
            np.testing.assert_array_equal(x, 0)
        with self.ctx.in_mode(mla_runtime.MODE_PLAN):
            mla_runtime.fill(self.ctx, dst=mla_runtime.Tensor(None, "f32", (3,)))
        with self.assertRaises(RuntimeError), self.ctx.in_mode(mla_runtime.MODE_CHECK):
            raise RuntimeError
        mla_runtime.fill(self.ctx, dst=x, value=1)
        np.testing.assert_array_equal(x, 1)


class Workspace(support.TestCase):
    def aligned(self, size):
        memory = np.zeros(size + 256, np.uint8)
        start = -memory.ctypes.data % 256
        return memory[start:start + size]

    def test_sizes(self):
        self.assertEqual(self.ctx.workspace, 0)
        self.ctx.reserve(1000)
        self.assertEqual(self.ctx.workspace, 1000)
        self.ctx.reserve(500)
        self.assertEqual(self.ctx.workspace, 1000)
        self.ctx.set_workspace(0)
        self.assertEqual(self.ctx.workspace, 0)

    def test_the_callers_memory_is_kept(self):
        memory = self.aligned(512)
        gone = weakref.ref(memory)
        self.ctx.set_workspace(512, memory)
        del memory
        self.assertIsNotNone(gone())
        self.ctx.set_workspace(0)
        gc.collect()
        self.assertIsNone(gone())

    def test_refusals(self):
        with self.refused(mla_runtime.InvalidArgument, "set_workspace: memory: expected 513 bytes "
                          "to write, got 512"):
            self.ctx.set_workspace(513, self.aligned(512))
        memory = self.aligned(512)
        memory.flags.writeable = False
        with self.refused(mla_runtime.InvalidArgument, "got 512 to read"):
            self.ctx.set_workspace(512, memory)
        with self.refused(mla_runtime.InvalidArgument, "mla_context_set_workspace: data: expected "
                          "an address aligned to 256 bytes"):
            self.ctx.set_workspace(128, self.aligned(512)[64:])
        memory = self.aligned(2048)
        for strided in (memory[::4], np.broadcast_to(memory[:1], (512,)), memory[511::-1],
                        memory.reshape(32, 64).T):
            with self.refused(mla_runtime.InvalidArgument, "set_workspace: memory: expected memory "
                              "without gaps, got a stride of "):
                self.ctx.set_workspace(512, strided)
        self.ctx.set_workspace(512, memory.reshape(32, 1, 64))
        elsewhere = mla_runtime.Tensor(256, "ui8", (512,), device_type=mla_runtime.DEVICE_CUDA)
        with self.refused(mla_runtime.InvalidArgument, "set_workspace: memory: expected device "
                          "cpu:0, got cuda:0"):
            self.ctx.set_workspace(512, elsewhere)
        elsewhere.close()
        with self.refused(mla_runtime.FailedPrecondition, "set_workspace: memory: expected an "
                          "open Tensor, got a closed one"):
            self.ctx.set_workspace(512, elsewhere)
        with self.refused(mla_runtime.InvalidArgument, "size: expected a 64-bit integer, got "):
            self.ctx.set_workspace(2**64 + 512)
        self.ctx.set_workspace(256)
        with self.refused(mla_runtime.ResourceExhausted, "bytes of device memory, got none"):
            self.ctx.set_workspace(2**55)
        self.assertEqual(self.ctx.workspace, 0)


class DataErrors(support.TestCase):
    def test_only_check_raises_them(self):
        positions = np.zeros(1, np.int32)
        mla_runtime.slot_mapping(
            self.ctx, kv_lens=np.array([9], np.int32), cu_q=np.array([0, 1], np.int32),
            page_table=np.array([[1, 2]], np.int32), positions=positions,
            slots=np.zeros(1, np.int64), page_size=4)
        with self.refused(mla_runtime.DataError, "mla_slot_mapping: "):
            self.ctx.check()
        self.ctx.check()
        mla_runtime.fill(self.ctx, dst=positions)


class Threads(support.TestCase):
    def test_each_with_its_own_context(self):
        """The same product everywhere, and errors that stay where they are made."""
        w, x = self.normal(4, 64, 128), self.normal(32, 128)
        expected = np.einsum("sl,hnl->shn", x, w, dtype=np.float64)
        shared_w, failures = mla_runtime.tensor(w), []

        def work(number):
            try:
                with mla_runtime.Context("cpu", threads=1) as ctx:
                    for _ in range(20):
                        kv = np.zeros((32, 4, 64), np.float32)
                        mla_runtime.expand_kv(ctx, c_kv=x, w_kv_b=shared_w, kv=kv)
                        assert support.distance(kv, expected) < 1e-5
                        try:
                            mla_runtime.fill(ctx, dst=mla_runtime.Tensor(None, "f32", (number,)))
                            raise AssertionError("expected a refusal, got none")
                        except mla_runtime.InvalidArgument as error:
                            assert str(error).startswith("mla_fill: dst: "), error
                        try:
                            mla_runtime.Context(f"backend {number}")
                        except mla_runtime.NotFound as error:
                            assert f"backend {number}" in str(error), error
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


if __name__ == "__main__":
    unittest.main()
