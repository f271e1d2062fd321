# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of the Python module share.

MLA_BUILD names the build directory whose module and library are tested, by default build.
"""

import contextlib
import os
import pathlib
import sys
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("MLA_BUILD", SOURCE / "build")).resolve()
sys.path.insert(0, str(BUILD / "share/mla/python"))

import mla_runtime  # noqa: E402
import numpy as np  # noqa: E402

NUMPY = {"f32": np.float32, "f16": np.float16, "f64": np.float64, "i8": np.int8,
         "i32": np.int32, "i64": np.int64, "ui8": np.uint8, "i1": np.bool_}


def to_bf16(values):
    """The bits of the nearest bf16, ties to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def distance(got, expected):
    """Norm of the difference over norm of what is expected."""
    expected = np.asarray(expected, np.float64)
    return np.linalg.norm(got - expected) / np.linalg.norm(expected)


class TestCase(unittest.TestCase):
    def setUp(self):
        self.ctx = mla_runtime.Context("cpu")
        self.addCleanup(self.ctx.close)
        self.random = np.random.default_rng(1)

    def normal(self, *shape):
        return self.random.standard_normal(shape).astype(np.float32)

    @contextlib.contextmanager
    def refused(self, error, *parts):
        """The block raises this class of error, its text one sentence with these parts."""
        with self.assertRaises(error) as caught:
            yield
        text = str(caught.exception)
        self.assertNotIn("\n", text)
        for part in parts:
            self.assertIn(part, text)
