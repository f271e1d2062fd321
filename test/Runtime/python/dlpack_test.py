# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors by DLPack, of numpy and of a producer made here that counts what is deleted."""

import ctypes
import gc
import sys
import unittest

import numpy as np
import support
from support import mla_runtime

DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
DESTRUCTOR = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, DESTRUCTOR)(
    ("PyCapsule_New", ctypes.pythonapi))
# By address: in a destructor the capsule is an object no more.
is_capsule = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_IsValid", ctypes.pythonapi))


class DLTensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2),
                ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16), ("shape", ctypes.c_void_p),
                ("strides", ctypes.c_void_p), ("byte_offset", ctypes.c_uint64)]


class Unversioned(ctypes.Structure):
    _fields_ = [("tensor", DLTensor), ("manager", ctypes.c_void_p), ("deleter", DELETER)]


class Versioned(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32),
                ("manager", ctypes.c_void_p), ("deleter", DELETER), ("flags", ctypes.c_uint64),
                ("tensor", DLTensor)]


class Producer:
    """A library of arrays: every capsule is a new export, to be deleted once."""

    def __init__(self, array, type_code, version=None, flags=0, device=(1, 0), strides=True,
                 lanes=1):
        self.array, self.type_code, self.version, self.flags = array, type_code, version, flags
        self.device, self.has_strides, self.lanes = device, strides, lanes
        self.exports, self.deleted, self.unused, self.asked = [], 0, 0, []
        self.deleter = DELETER(self.delete)
        self.destructor = DESTRUCTOR(self.destroy)

    def delete(self, pointer):
        assert pointer in [ctypes.addressof(managed) for managed, _ in self.exports]
        self.deleted += 1

    def destroy(self, capsule):
        # What the standard asks of producers: a capsule that nobody used deletes.
        if is_capsule(capsule, b"dltensor") or is_capsule(capsule, b"dltensor_versioned"):
            self.unused += 1

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **keywords):
        self.asked.append(keywords)
        if "max_version" in keywords and self.version is None:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        a = self.array
        numbers = (ctypes.c_int64 * (2 * a.ndim))(*a.shape, *(s // a.itemsize for s in a.strides))
        managed = (Versioned if self.version else Unversioned)()
        managed.deleter = self.deleter
        if self.version:
            (managed.major, managed.minor), managed.flags = self.version, self.flags
        address = ctypes.addressof(numbers)
        # Data and offset apart: a consumer has to add them.
        managed.tensor = DLTensor(a.ctypes.data - 64, self.device, a.ndim, self.type_code,
                                  8 * a.itemsize // self.lanes, self.lanes, address,
                                  address + 8 * a.ndim if self.has_strides else None, 64)
        self.exports.append((managed, numbers))
        return new_capsule(ctypes.addressof(managed),
                           b"dltensor_versioned" if self.version else b"dltensor",
                           self.destructor)


class DLPack(support.TestCase):
    VERSIONS = (None, (1, 0), (1, 3))

    def finished(self, producer, exports=1):
        gc.collect()
        self.assertEqual(len(producer.exports), exports)
        self.assertEqual(producer.deleted, exports)
        self.assertEqual(producer.unused, 0)

    def test_bf16_both_ways(self):
        values = self.normal(3, 4)
        for version in self.VERSIONS:
            source = Producer(support.to_bf16(values), 4, version)
            bits = np.zeros((4, 3), np.uint16)
            target = Producer(bits.T, 4, version)
            mla_runtime.copy(self.ctx, src=source, dst=target)
            np.testing.assert_array_equal(bits.T, source.array)
            self.finished(source)
            self.finished(target)

    def test_not_deleted_before_the_end_of_the_call(self):
        class Poisons(Producer):
            def delete(self, pointer):
                super().delete(pointer)
                self.array[...] = np.nan

        values, out = self.normal(3, 4), np.zeros((3, 4), np.float32)
        source = Poisons(values.copy(), 2)
        mla_runtime.copy(self.ctx, src=source, dst=out)
        np.testing.assert_array_equal(out, values)
        self.finished(source)

    def test_as_workspace(self):
        memory = np.zeros(1024, np.uint8)
        start = -memory.ctypes.data % 256
        producer = Producer(memory[start:start + 512], 1)
        self.ctx.set_workspace(512, producer)
        self.assertEqual(producer.deleted, 0)
        self.ctx.set_workspace(0)
        self.finished(producer)

    def test_every_type(self):
        for (code, bits), dtype in mla_runtime._BY_DLPACK.items():
            producer = Producer(np.zeros((2, 3), f"V{bits // 8}"), code)
            tensor = mla_runtime.tensor(producer)
            self.assertEqual((tensor.dtype, tensor.shape, tensor.strides),
                             (dtype, (2, 3), (3, 1)))
            tensor.close()
            self.finished(producer)

    def test_no_strides_means_row_major(self):
        producer = Producer(np.zeros((2, 3, 4), np.float32), 2, strides=False)
        self.assertEqual(mla_runtime.tensor(producer).strides, (12, 4, 1))
        self.finished(producer)

    def test_deleted_with_the_tensor_or_when_it_is_closed(self):
        producer = Producer(np.zeros(2, np.float32), 2)
        tensor = mla_runtime.tensor(producer)
        self.assertEqual(producer.deleted, 0)
        mla_runtime.fill(self.ctx, dst=tensor, value=1)
        self.assertEqual(producer.deleted, 0)
        tensor.close()
        self.assertEqual(producer.deleted, 1)
        tensor.close()
        del tensor
        self.finished(producer)
        mla_runtime.tensor(producer)
        self.finished(producer, exports=2)
        mla_runtime.view(producer, "i32").close()
        self.finished(producer, exports=3)

    def test_a_producer_without_a_deleter(self):
        producer = Producer(np.zeros(2, np.float32), 2)
        producer.deleter = DELETER()
        mla_runtime.fill(self.ctx, dst=producer, value=3)
        np.testing.assert_array_equal(producer.array, 3)

    def test_deleted_after_a_refused_call(self):
        source = Producer(np.zeros(2, np.float32), 2)
        target = Producer(np.zeros(3, np.float32), 2, (1, 0))
        with self.refused(mla_runtime.InvalidArgument, "mla_copy: "):
            mla_runtime.copy(self.ctx, src=source, dst=target)
        self.finished(source)
        self.finished(target)
        # At once, though the exception's frames are there.
        try:
            mla_runtime.copy(self.ctx, src=source, dst=3)
        except mla_runtime.InvalidArgument as error:
            self.assertIn("mla_copy: dst: expected a tensor (", str(error))
            self.assertEqual(source.deleted, 2)
        self.finished(source, exports=2)

    def test_read_only(self):
        # 2 says that the producer made a copy: what is written to it would be lost.
        for flags, read_only in ((0, False), (1, True), (2, True), (4, False)):
            producer = Producer(np.zeros(2, np.float32), 2, (1, 0), flags)
            self.assertEqual(mla_runtime.tensor(producer).read_only, read_only)
            if read_only:
                with self.refused(mla_runtime.InvalidArgument, "mla_fill: dst: expected a "
                                  "tensor to write, got a read-only one"):
                    mla_runtime.fill(self.ctx, dst=producer)
                self.finished(producer, exports=2)

    def test_refusals_delete(self):
        for producer, error, text in (
                (Producer(np.zeros(2, np.float32), 2, (2, 0)), mla_runtime.Unimplemented,
                 "x: expected DLPack 0 or 1, got 2"),
                (Producer(np.zeros(2, np.float32), 2, device=(10, 0)),
                 mla_runtime.InvalidArgument, "x: expected a tensor on DLPack's device type 1 "
                 "(CPU) or 2 (CUDA), got 10"),
                (Producer(np.zeros(2, np.int16), 0), mla_runtime.InvalidArgument,
                 "x: expected elements of a type that the runtime has, got DLPack type 0 of 16 "
                 "bits x 1"),
                (Producer(np.zeros(2, np.float64), 2, lanes=2), mla_runtime.InvalidArgument,
                 "got DLPack type 2 of 32 bits x 2"),
                (Producer(np.zeros((1,) * 7, np.float32), 2), mla_runtime.InvalidArgument,
                 "x: expected a rank in [0, 6], got 7")):
            with self.refused(error, text):
                mla_runtime.tensor(producer, place="x")
            self.finished(producer)
        producer = Producer(np.zeros(2, np.float32), 2)
        with self.refused(mla_runtime.InvalidArgument, "view: expected elements of 16 bits"):
            mla_runtime.view(producer, "bf16")
        self.finished(producer)

    def test_a_negative_rank(self):
        class Negative(Producer):
            def __dlpack__(self, **keywords):
                capsule = super().__dlpack__(**keywords)
                self.exports[-1][0].tensor.ndim = -1
                return capsule

        producer = Negative(np.zeros(2, np.float32), 2)
        with self.refused(mla_runtime.InvalidArgument, "x: expected a rank in [0, 6], got -1"):
            mla_runtime.tensor(producer, place="x")
        self.finished(producer)

    def test_streams(self):
        """Where there are streams, the producer learns ours; on the CPU there are none."""
        on_cpu = Producer(np.zeros(2, np.float32), 2, (1, 0))
        mla_runtime.tensor(on_cpu)
        self.assertEqual(on_cpu.asked, [{"max_version": (1, 0)}])
        on_gpu = Producer(np.zeros(2, np.float32), 2, device=(2, 1))
        tensor = mla_runtime.tensor(on_gpu)
        self.assertEqual(on_gpu.asked, [{"max_version": (1, 0), "stream": 1}, {"stream": 1}])
        self.assertEqual((tensor.struct.device_type, tensor.struct.device_id), (2, 1))
        self.ctx.stream = 4096
        on_gpu = Producer(np.zeros(2, np.float32), 2, (1, 0), device=(2, 0))
        with self.refused(mla_runtime.InvalidArgument, "mla_fill: dst: expected device cpu:0, got cuda:"):
            mla_runtime.fill(self.ctx, dst=on_gpu)
        self.assertEqual(on_gpu.asked, [{"max_version": (1, 0), "stream": 4096}])
        self.finished(on_gpu)

    def test_what_a_producer_raises_comes_through(self):
        class Refuses(Producer):
            def __dlpack__(self, **keywords):
                raise BufferError("not this one")

        with self.assertRaisesRegex(BufferError, "not this one"):
            mla_runtime.tensor(Refuses(np.zeros(2), 2))

    def test_no_capsule(self):
        class Wrong(Producer):
            def __dlpack__(self, **keywords):
                return 3

        with self.refused(mla_runtime.InvalidArgument,
                          "tensor: expected a capsule dltensor from __dlpack__, got 3"):
            mla_runtime.tensor(Wrong(np.zeros(2), 2))


class Numpy(support.TestCase):
    """numpy's own producer, behind an object that has nothing else."""

    class Wrapped:
        def __init__(self, array):
            self.array = array

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

        def __dlpack__(self, **keywords):
            return self.array.__dlpack__(**keywords)

    def test_read_and_written_and_let_go_of(self):
        x, y = self.normal(3, 5), np.zeros((5, 3), np.float32)
        before = sys.getrefcount(x), sys.getrefcount(y)
        for _ in range(3):
            mla_runtime.copy(self.ctx, src=self.Wrapped(x), dst=self.Wrapped(y.T))
            np.testing.assert_array_equal(x, y.T)
            self.assertEqual((sys.getrefcount(x), sys.getrefcount(y)), before)


if __name__ == "__main__":
    unittest.main()
