# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors of numpy arrays, of buffers and of bare memory; dlpack_test.py has the others."""

import array
import ctypes
import gc
import sys
import types
import unittest
import weakref

import numpy as np
import support
from support import mla_runtime


class Tensors(support.TestCase):
    def check(self, obj, dtype, shape, strides, address, read_only=False):
        got = mla_runtime.tensor(obj)
        self.assertEqual((got.dtype, got.shape, got.strides, got.read_only),
                         (dtype, shape, strides, read_only))
        self.assertEqual(got.struct.data, address)
        self.assertEqual(got.struct.device_type, mla_runtime.DEVICE_CPU)
        self.assertEqual(got.struct.byte_offset, 0)

    def fill(self, tensor, value):
        mla_runtime.fill(self.ctx, dst=tensor, value=value)

    def test_numpy_types(self):
        for dtype, kind in support.NUMPY.items():
            x = np.zeros((2, 3), kind)
            self.check(x, dtype, (2, 3), (3, 1), x.ctypes.data)

    def test_numpy_views(self):
        x = np.zeros((4, 6, 8), np.float32)
        start = x.ctypes.data
        self.check(x[1:, ::2], "f32", (3, 3, 8), (48, 16, 1), start + 48 * 4)
        self.check(x.transpose(2, 0, 1), "f32", (8, 4, 6), (1, 48, 8), start)
        self.check(x[0, 0, 0:1].reshape(()), "f32", (), (), start)
        self.check(np.broadcast_to(x[0, 0], (5, 8)), "f32", (5, 8), (0, 1), start, True)
        # An offset that is no multiple of a stride, and a stride that is negative.
        self.check(x[:, 2:4, 5], "f32", (4, 2), (48, 8), start + 21 * 4)
        self.check(x[0, 0, ::-1], "f32", (8,), (-1,), start + 7 * 4)
        with self.refused(mla_runtime.InvalidArgument, "mla_fill: dst: expected"):
            self.fill(x[0, 0, ::-1], 1)

    def test_a_view_is_written_and_nothing_else(self):
        x = np.zeros((4, 6), np.float32)
        self.fill(x[1::2, :5:2], 3)
        expected = np.zeros((4, 6))
        expected[1::2, :5:2] = 3
        np.testing.assert_array_equal(x, expected)

    def test_zero_sizes(self):
        for shape in ((0,), (3, 0), (0, 4)):
            x = np.zeros(shape, np.int32)
            self.assertEqual(mla_runtime.tensor(x).shape, shape)
            self.fill(x, 1)
            self.fill(mla_runtime.Tensor(None, "i32", shape), 1)

    def test_a_read_only_array_is_refused_as_output(self):
        x = np.zeros(3, np.float32)
        x.flags.writeable = False
        self.check(x, "f32", (3,), (1,), x.ctypes.data, read_only=True)
        with self.refused(mla_runtime.InvalidArgument,
                          "mla_fill: dst: expected a tensor to write, got a read-only one"):
            self.fill(x, 1)
        y = np.ones(3, np.float32)
        mla_runtime.copy(self.ctx, src=x, dst=y)
        np.testing.assert_array_equal(y, 0)

    def test_a_numpy_scalar_lives_as_long_as_its_tensor(self):
        tensor = mla_runtime.tensor(np.float32(2.5))
        gc.collect()
        out = np.zeros((), np.float32)
        mla_runtime.copy(self.ctx, src=tensor, dst=out)
        self.assertEqual(out, 2.5)
        # What is written to it would be lost.
        with self.refused(mla_runtime.InvalidArgument, "dst: expected a tensor to write"):
            self.fill(np.float32(2.5), 1)

    def test_types_that_the_runtime_does_not_have(self):
        for kind in ("c8", "u2", "i2", "M8[s]", "O", "V0", "f4,i4"):
            with self.refused(mla_runtime.InvalidArgument, "tensor: expected elements of a type "
                              "that the runtime has, got ", "view() says what bits mean"):
                mla_runtime.tensor(np.zeros(2, kind))

    def test_the_other_order_of_bytes(self):
        x = np.zeros(2, ">u2")
        for obj, spelled in ((x, ">u2"), (memoryview(x), ">H")):
            for describe in (mla_runtime.tensor, lambda obj: mla_runtime.view(obj, "bf16")):
                with self.refused(mla_runtime.InvalidArgument, "expected elements in this "
                                  f"machine's order of bytes, got {spelled}"):
                    describe(obj)

    def test_names_of_extension_types(self):
        bits = np.array([0x3FC0], np.uint16)

        class Extended:
            dtype = types.SimpleNamespace(name="bfloat16")
            __array_interface__ = {**bits.__array_interface__, "typestr": "<V2"}

        self.check(Extended(), "bf16", (1,), (1,), bits.ctypes.data)
        out = np.zeros(1, np.float32)
        mla_runtime.copy(self.ctx, src=Extended(), dst=out)
        self.assertEqual(out[0], 1.5)

    def test_strides_that_split_elements(self):
        x = np.zeros(3, [("a", "i1"), ("b", "f4")])["b"]
        with self.refused(mla_runtime.InvalidArgument, "tensor: expected strides that are "
                          "multiples of its elements' 4 bytes, got 5 in dimension 0"):
            mla_runtime.tensor(x)
        # Where there is no next element, the stride means nothing.
        x = np.lib.stride_tricks.as_strided(np.zeros(9, np.float32), (1, 2), (5, 8))
        self.assertEqual(mla_runtime.tensor(x).strides, (1, 2))

    def test_what_is_no_tensor(self):
        for thing in (None, 3, 2.5, "text", [1.0, 2.0], object()):
            with self.refused(mla_runtime.InvalidArgument, "q: expected a tensor (",
                              f"), got {type(thing).__name__}"):
                mla_runtime.tensor(thing, place="q")

    def test_ranks(self):
        self.assertEqual(mla_runtime.tensor(np.zeros((1,) * 6, np.int8)).shape, (1,) * 6)
        for address in (-1, 2**64, "x"):
            with self.refused(mla_runtime.InvalidArgument, "Tensor: data: expected an address"):
                mla_runtime.Tensor(address, "f32", (1,))
        with self.refused(mla_runtime.InvalidArgument, "tensor: expected a rank in [0, 6], got 7"):
            mla_runtime.tensor(np.zeros((1,) * 7, np.int8))

    def test_an_array_is_kept_alive(self):
        x = np.zeros(3, np.float32)
        gone = weakref.ref(x)
        count = sys.getrefcount(x)
        tensor = mla_runtime.tensor(x)
        self.assertGreater(sys.getrefcount(x), count)
        del x
        self.assertIsNotNone(gone())
        self.fill(tensor, 1)
        tensor.close()
        self.assertIsNone(gone())
        with self.refused(mla_runtime.FailedPrecondition,
                          "mla_fill: dst: expected an open Tensor, got a closed one"):
            self.fill(tensor, 1)
        with self.refused(mla_runtime.FailedPrecondition, "view: expected an open Tensor"):
            mla_runtime.view(tensor, "i32")

    def test_calls_leave_no_references(self):
        x = np.zeros(3, np.float32)
        for _ in range(2):
            before = sys.getrefcount(x)
            self.fill(x, 1)
            with self.refused(mla_runtime.InvalidArgument, "mla_copy: "):
                mla_runtime.copy(self.ctx, src=x, dst=np.zeros(4, np.float32))
            self.assertEqual(sys.getrefcount(x), before)


class Buffers(support.TestCase):
    def test_what_they_say(self):
        numbers = array.array("f", [1, 2, 3, 4, 5, 6])
        matrix = memoryview(numbers).cast("b").cast("f", (2, 3))
        for obj, dtype, shape, strides, read_only in (
                (numbers, "f32", (6,), (1,), False),
                (memoryview(numbers)[1::2], "f32", (3,), (2,), False),
                (matrix, "f32", (2, 3), (3, 1), False),
                (array.array("q", [1]), "i64", (1,), (1,), False),
                (array.array("i", [1]), "i32", (1,), (1,), False),
                (array.array("d", [1]), "f64", (1,), (1,), False),
                (bytearray(4), "ui8", (4,), (1,), False),
                (b"four", "ui8", (4,), (1,), True),
                ((ctypes.c_int32 * 2 * 3)(), "i32", (3, 2), (2, 1), False),
                (bytearray(), "ui8", (0,), (1,), False)):
            got = mla_runtime.tensor(obj)
            self.assertEqual((got.dtype, got.shape, got.strides, got.read_only),
                             (dtype, shape, strides, read_only))

    def test_they_are_read_and_written(self):
        source, target = array.array("f", [1, 2, 3]), array.array("f", [0] * 6)
        mla_runtime.copy(self.ctx, src=source, dst=memoryview(target)[1::2])
        self.assertEqual(list(target), [0, 1, 0, 2, 0, 3])
        with self.refused(mla_runtime.InvalidArgument, "dst: expected a tensor to write"):
            mla_runtime.fill(self.ctx, dst=b"four")

    def test_they_are_let_go_of(self):
        x = bytearray(4)
        tensor = mla_runtime.tensor(x)
        with self.assertRaises(BufferError):  # exported, so it can't move
            x.append(1)
        tensor.close()
        x.append(1)
        mla_runtime.fill(self.ctx, dst=x)
        x.append(1)
        with self.refused(mla_runtime.InvalidArgument, "got H; view()"):
            mla_runtime.tensor(memoryview(bytearray(4)).cast("H"))
        with self.refused(mla_runtime.InvalidArgument, "got B of 8"):
            mla_runtime.view(x, "bf16")
        x.append(1)


class Views(support.TestCase):
    def test_bf16_as_uint16(self):
        x = np.array([[1.5, -2], [0, 3]], np.float32)
        got = np.zeros((2, 2), np.uint16)
        mla_runtime.copy(self.ctx, src=x, dst=mla_runtime.view(got.T, "bf16"))
        np.testing.assert_array_equal(got, support.to_bf16(x.T))

    def test_fp8_as_uint8(self):
        got = np.zeros(3, np.uint8)
        tensor = mla_runtime.view(got, "f8E4M3FN")
        self.assertEqual((tensor.dtype, tensor.shape), ("f8E4M3FN", (3,)))
        mla_runtime.fill(self.ctx, dst=tensor, value=1e6)
        np.testing.assert_array_equal(got, 0x7E)  # 448

    def test_of_a_tensor(self):
        x = np.zeros(2, np.uint8)
        gone = weakref.ref(x)
        tensor = mla_runtime.view(mla_runtime.tensor(x), "f8E5M2")
        del x
        self.assertEqual(tensor.dtype, "f8E5M2")
        self.assertIsNotNone(gone())

    def test_refusals(self):
        with self.refused(mla_runtime.InvalidArgument,
                          "view: expected elements of 16 bits for bf16, got <f4 of 32"):
            mla_runtime.view(np.zeros(2, np.float32), "bf16")
        with self.refused(mla_runtime.InvalidArgument, "view: dtype: expected one of f32, f16, ",
                          "got 'bfloat16'"):
            mla_runtime.view(np.zeros(2, np.uint16), "bfloat16")


class BareMemory(support.TestCase):
    def test_an_address(self):
        x = np.zeros((2, 3), np.float32)
        tensor = mla_runtime.Tensor(x.ctypes.data, "f32", (2, 3))
        self.assertEqual(tensor.strides, (3, 1))
        mla_runtime.fill(self.ctx, dst=tensor, value=2)
        np.testing.assert_array_equal(x, 2)
        tensor = mla_runtime.Tensor(x.ctypes.data, "f32", [3], [2], read_only=True, owner=x)
        self.assertEqual((tensor.shape, tensor.strides, tensor.read_only), ((3,), (2,), True))
        gone = weakref.ref(x)
        del x
        self.assertIsNotNone(gone())
        del tensor
        self.assertIsNone(gone())

    def test_a_device(self):
        tensor = mla_runtime.Tensor(256, "bf16", (2,), device_type=mla_runtime.DEVICE_CUDA,
                                    device_id=3)
        self.assertEqual((tensor.struct.device_type, tensor.struct.device_id), (2, 3))
        with self.refused(mla_runtime.InvalidArgument, "mla_fill: dst: expected device cpu:0, got cuda:"):
            mla_runtime.fill(self.ctx, dst=tensor)

        class OnDevice:
            __cuda_array_interface__ = {"shape": (4, 2), "typestr": "<f2", "data": (512, True),
                                        "strides": (8, 4), "version": 3}

        tensor = mla_runtime.tensor(OnDevice())
        self.assertEqual((tensor.dtype, tensor.shape, tensor.strides, tensor.read_only),
                         ("f16", (4, 2), (4, 2), True))
        self.assertEqual((tensor.struct.device_type, tensor.struct.data), (2, 512))

    def test_refusals(self):
        with self.refused(mla_runtime.InvalidArgument, "Tensor: expected 2 strides, got 1"):
            mla_runtime.Tensor(0, "f32", (2, 3), (1,))
        with self.refused(mla_runtime.InvalidArgument, "Tensor: dtype: expected one of ",
                          "got 'float32'"):
            mla_runtime.Tensor(0, "float32", (2, 3))
        for shape, strides, text in (((2**64 + 3,), None, "shape: expected a 64-bit integer, got "),
                                     ((2.0,), None, "shape: expected a 64-bit integer, got 2.0"),
                                     ((3,), (-2**63 - 1,), "strides: expected a 64-bit integer")):
            with self.refused(mla_runtime.InvalidArgument, "Tensor: " + text):
                mla_runtime.Tensor(None, "f32", shape, strides)
        with self.refused(mla_runtime.InvalidArgument, "mla_fill: dst: expected data"):
            mla_runtime.fill(self.ctx, dst=mla_runtime.Tensor(None, "f32", (2, 3)))


if __name__ == "__main__":
    unittest.main()
