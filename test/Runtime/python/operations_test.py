# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every operation from Python, against its formula in float64."""

import os
import pathlib
import subprocess
import sys
import unittest

import numpy as np
import support
from support import distance, mla_runtime

LATENT, PE, NOPE, VALUE, HEADS, PAGE = 128, 32, 24, 40, 3, 4


def rotate(x, table, positions):
    """Pairs (2i, 2i+1) by the angle of the token's row; x is [T, ..., R]."""
    half = x.shape[-1] // 2
    shape = (len(positions),) + (1,) * (x.ndim - 2) + (half,)
    cos = table[positions, :half].astype(np.float64).reshape(shape)
    sin = table[positions, half:].astype(np.float64).reshape(shape)
    out = np.empty(x.shape)
    out[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
    out[..., 1::2] = x[..., 0::2] * sin + x[..., 1::2] * cos
    return out


def attend(query, keys, values, scale):
    """One token's softmax over the keys it sees: (o, lse) of each head."""
    logits = scale * (query.astype(np.float64) @ keys.T)
    top = logits.max(axis=1, keepdims=True)
    weights = np.exp(logits - top)
    total = weights.sum(axis=1, keepdims=True)
    return weights / total @ values, (top + np.log(total))[:, 0]


class Operations(support.TestCase):
    """Two sequences: 3 of 9 keys and 2 of 5 keys are new. Pages in no order."""

    kv_lens = np.array([9, 5], np.int32)
    cu_q = np.array([0, 3, 5], np.int32)
    page_table = np.array([[5, 1, 3], [0, 4, -1]], np.int32)
    positions = np.array([6, 7, 8, 3, 4])
    slots = np.array([1 * PAGE + 2, 1 * PAGE + 3, 3 * PAGE, 3, 4 * PAGE])

    def setUp(self):
        super().setUp()
        self.cache = self.normal(6, PAGE, LATENT + PE)
        angles = np.outer(np.arange(16), 0.5 ** np.arange(PE // 2))
        self.table = np.concatenate([np.cos(angles), np.sin(angles)], 1).astype(np.float32)

    def rows(self, sequence, count):
        """The first rows of a sequence in the cache."""
        pages = self.page_table[sequence]
        return np.array([self.cache[pages[i // PAGE], i % PAGE] for i in range(count)], np.float64)

    def test_slot_mapping(self):
        positions, slots = np.zeros(6, np.int32), np.zeros(6, np.int64)
        bounds, lens = np.zeros(6, np.int32), np.zeros(2, np.int32)
        mla_runtime.slot_mapping(self.ctx, kv_lens=self.kv_lens, cu_q=self.cu_q,
                                 page_table=self.page_table, positions=positions, slots=slots,
                                 kv_bounds=bounds, local_kv_lens=lens, page_size=PAGE)
        np.testing.assert_array_equal(positions, [*self.positions, 0])
        np.testing.assert_array_equal(slots, [*self.slots, -1])
        np.testing.assert_array_equal(bounds[:5], self.positions + 1)
        np.testing.assert_array_equal(lens, self.kv_lens)

    def test_rope(self):
        x, y = self.normal(5, HEADS, PE), np.zeros((5, HEADS, PE), np.float32)
        mla_runtime.rope(self.ctx, x=x, y=y, cos_sin=self.table, positions=self.positions,
                         rope_style=mla_runtime.ROPE_INTERLEAVED)
        self.assertLess(distance(y, rotate(x, self.table, self.positions)), 1e-6)
        mla_runtime.rope(self.ctx, x=x, y=y)
        np.testing.assert_array_equal(y, x)

    def test_trace(self):
        code = ("import support, numpy as np\n"
                "x = np.zeros((2, 4), np.float32)\n"
                "with support.mla_runtime.Context('cpu') as ctx:\n"
                "    support.mla_runtime.rope(ctx, x=x, y=x, rope_off='a test wants it so')\n")
        run = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True,
                             cwd=pathlib.Path(__file__).parent,
                             env={**os.environ, "MLA_TRACE": "1"})
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stderr, "^mla: rope .*a test wants it so")

    def test_append(self):
        c_kv, k_pe = self.normal(5, LATENT), self.normal(5, PE)
        q = self.normal(5, HEADS, NOPE + PE)
        query = np.zeros((5, HEADS, NOPE + PE), np.float32)
        before = self.cache.copy()
        mla_runtime.append(
            self.ctx, c_kv=c_kv, k_pe=k_pe, q_nope=q[..., :NOPE], q_pe=q[..., NOPE:],
            slots=self.slots, cos_sin=self.table, positions=self.positions, query=query,
            cache_latent=self.cache[..., :LATENT], cache_pe=self.cache[..., LATENT:],
            rope_style=mla_runtime.ROPE_INTERLEAVED, rope_head_dim=PE,
            phase=mla_runtime.PHASE_GENERATION)
        rows, others = self.cache.reshape(-1, LATENT + PE), before.reshape(-1, LATENT + PE)
        written = rows[self.slots]
        np.testing.assert_array_equal(written[:, :LATENT], c_kv)
        self.assertLess(distance(written[:, LATENT:], rotate(k_pe, self.table, self.positions)),
                        1e-6)
        rows[self.slots] = others[self.slots]
        np.testing.assert_array_equal(rows, others)
        np.testing.assert_array_equal(query[..., :NOPE], q[..., :NOPE])
        self.assertLess(
            distance(query[..., NOPE:], rotate(q[..., NOPE:], self.table, self.positions)), 1e-6)

    def absorbed(self, cache, **more):
        query = self.normal(5, HEADS, LATENT + PE)
        o, lse = np.zeros((5, HEADS, LATENT), np.float32), np.zeros((5, HEADS), np.float32)
        scale = (NOPE + PE) ** -0.5
        mla_runtime.absorbed_attention(
            self.ctx, query=query, cache_latent=cache[0], cache_pe=cache[1],
            page_table=self.page_table, kv_lens=self.kv_lens, cu_q=self.cu_q, o=o, lse=lse,
            softmax_scale=scale, max_kv=9, **more)
        expected = [attend(query[t], self.rows(b, bound), self.rows(b, bound)[:, :LATENT], scale)
                    for t, (b, bound) in enumerate([(0, 7), (0, 8), (0, 9), (1, 4), (1, 5)])]
        return (distance(o, [e[0] for e in expected]), distance(lse, [e[1] for e in expected]))

    def test_absorbed_attention(self):
        errors = self.absorbed((self.cache[..., :LATENT], self.cache[..., LATENT:]))
        self.assertLess(max(errors), 1e-5)

    def test_absorbed_attention_on_a_schedule(self):
        schedule = np.zeros(mla_runtime.schedule_size(2), np.int32)
        mla_runtime.schedule(self.ctx, kv_lens=self.kv_lens, cu_q=self.cu_q, schedule=schedule,
                             num_heads=HEADS, page_size=PAGE)
        errors = self.absorbed((self.cache[..., :LATENT], self.cache[..., LATENT:]),
                               schedule=schedule)
        self.assertLess(max(errors), 1e-5)
        with self.refused(mla_runtime.InvalidArgument, "mla_schedule: schedule: expected"):
            mla_runtime.schedule(self.ctx, kv_lens=self.kv_lens, cu_q=self.cu_q,
                                 schedule=schedule[:-1], num_heads=HEADS, page_size=PAGE)

    def test_absorbed_attention_over_a_cache_of_two_types(self):
        bits = support.to_bf16(self.cache[..., LATENT:])
        self.cache[..., LATENT:] = support.from_bf16(bits)
        errors = self.absorbed((self.cache[..., :LATENT], mla_runtime.view(bits, "bf16")))
        self.assertLess(max(errors), 1e-5)

    def test_gather_kv(self):
        c_kv, k_pe = np.zeros((8, LATENT), np.float32), np.zeros((8, PE), np.float32)
        mla_runtime.gather_kv(self.ctx, cache_latent=self.cache[..., :LATENT],
                              cache_pe=self.cache[..., LATENT:], page_table=self.page_table,
                              kv_lens=self.kv_lens, c_kv=c_kv, k_pe=k_pe, window_start=3,
                              window_length=4)
        expected = np.zeros((8, LATENT + PE))
        expected[:4], expected[4:6] = self.rows(0, 7)[3:], self.rows(1, 5)[3:]
        np.testing.assert_array_equal(np.concatenate([c_kv, k_pe], 1), expected)

    def test_products(self):
        c_kv, w = self.normal(5, LATENT), self.normal(HEADS, NOPE + VALUE, LATENT)
        kv = np.zeros((5, HEADS, NOPE + VALUE), np.float32)
        mla_runtime.expand_kv(self.ctx, c_kv=c_kv, w_kv_b=w, kv=kv)
        self.assertLess(distance(kv, np.einsum("sl,hnl->shn", c_kv, w, dtype=np.float64)), 1e-6)

        q, query = self.normal(5, HEADS, NOPE + PE), np.zeros((5, HEADS, LATENT + PE), np.float32)
        mla_runtime.absorb_q(self.ctx, q_nope=q[..., :NOPE], w_uk=w[:, :NOPE],
                             query=query[..., :LATENT])
        expected = np.einsum("thn,hnl->thl", q[..., :NOPE], w[:, :NOPE], dtype=np.float64)
        self.assertLess(distance(query[..., :LATENT], expected), 1e-6)
        np.testing.assert_array_equal(query[..., LATENT:], 0)

        o, out = self.normal(5, HEADS, LATENT), np.zeros((5, HEADS, VALUE), np.float32)
        mla_runtime.project_v(self.ctx, o_latent=o, w_uv=w[:, NOPE:], out=out)
        expected = np.einsum("thl,hvl->thv", o, w[:, NOPE:], dtype=np.float64)
        self.assertLess(distance(out, expected), 1e-6)

    def test_expanded_attention(self):
        q, k_pe = self.normal(5, HEADS, NOPE + PE), self.normal(14, PE)
        kv = self.normal(14, HEADS, NOPE + VALUE)
        o, lse = np.zeros((5, HEADS, VALUE), np.float32), np.zeros((5, HEADS), np.float32)
        mla_runtime.expanded_attention(
            self.ctx, q=q, k_nope=kv[..., :NOPE], v=kv[..., NOPE:], k_pe=k_pe, cu_q=self.cu_q,
            cu_k=np.array([0, 9, 14], np.int32), o=o, lse=lse, softmax_scale=0.1, causal=1)
        for t, (start, end) in enumerate([(0, 7), (0, 8), (0, 9), (9, 13), (9, 14)]):
            for h in range(HEADS):
                keys = np.concatenate([kv[start:end, h, :NOPE], k_pe[start:end]], 1)
                expected = attend(q[t, h:h + 1], keys, kv[start:end, h, NOPE:], 0.1)
                self.assertLess(distance(o[t, h], expected[0][0]), 1e-5)
                self.assertLess(distance(lse[t, h], expected[1][0]), 1e-5)

    def test_merge_states(self):
        states, sums = self.normal(2, 5, HEADS, VALUE), self.normal(2, 5, HEADS)
        o, lse = np.zeros((5, HEADS, VALUE), np.float32), np.full((5, HEADS), -np.inf, np.float32)
        mla_runtime.merge_states(self.ctx, o_states=states, lse_states=sums, o=o, lse=lse)
        total = np.logaddexp(*sums.astype(np.float64))
        weights = np.exp(sums - total)
        self.assertLess(distance(lse, total), 1e-6)
        self.assertLess(distance(o, (weights[..., None] * states).sum(0)), 1e-6)

    def test_copy_and_fill(self):
        x, y = self.normal(3, 4), np.zeros((4, 3), np.float16)
        mla_runtime.copy(self.ctx, src=x, dst=y.T)
        np.testing.assert_array_equal(y.T, x.astype(np.float16))
        mla_runtime.fill(self.ctx, dst=y)
        np.testing.assert_array_equal(y, 0)
        mla_runtime.fill(self.ctx, dst=y, value=2.5)
        np.testing.assert_array_equal(y, 2.5)


class Refusals(support.TestCase):
    def test_the_runtimes_sentence_comes_through(self):
        x = np.zeros((2, 3), np.float32)
        with self.assertRaises(mla_runtime.Error) as caught:
            mla_runtime.copy(self.ctx, src=x, dst=x.T.copy())
        error = caught.exception
        self.assertIsInstance(error, mla_runtime.InvalidArgument)
        self.assertIsInstance(error, ValueError)
        self.assertEqual((error.status, error.status_name), (1, "INVALID_ARGUMENT"))
        self.assertEqual(str(error),
                         "mla_copy: dst: expected shape [*] = [2, 3], got [3, 2]")

    def test_an_error_is_not_kept(self):
        x = np.zeros(2, np.float32)
        for _ in range(2):
            with self.refused(mla_runtime.InvalidArgument, "mla_copy: dst: expected"):
                mla_runtime.copy(self.ctx, src=x, dst=np.zeros(3, np.float32))
            mla_runtime.fill(self.ctx, dst=x, value=1)

    def test_values(self):
        ones = np.ones(3, np.int32)
        call = dict(kv_lens=ones[:2], cu_q=ones, schedule=np.zeros(4102, np.int32), page_size=64)
        mla_runtime.schedule(self.ctx, num_heads=np.int64(4), **call)
        for value in (2.5, "4", 2**63, -2**63 - 1):
            with self.refused(mla_runtime.InvalidArgument, "mla_schedule: num_heads: expected a "
                              f"64-bit integer, got {value!r}"):
                mla_runtime.schedule(self.ctx, num_heads=value, **call)
        with self.refused(mla_runtime.InvalidArgument, "mla_schedule: num_heads: expected"):
            mla_runtime.schedule(self.ctx, num_heads=0, **call)
        for value in ("1", [1]):
            with self.refused(mla_runtime.InvalidArgument,
                              f"mla_fill: value: expected a number, got {value!r}"):
                mla_runtime.fill(self.ctx, dst=np.zeros(2, np.float32), value=value)
        pair = np.zeros((1, 4), np.float32)
        with self.refused(mla_runtime.InvalidArgument, "mla_rope: rope_off: expected a str, got 3"):
            mla_runtime.rope(self.ctx, x=pair, y=pair, rope_off=3)

    def test_names(self):
        with self.assertRaises(TypeError):
            mla_runtime.fill(self.ctx, dest=np.zeros(2, np.float32))
        with self.refused(mla_runtime.InvalidArgument, "mla_fill: dst: expected a tensor, got "):
            mla_runtime.fill(self.ctx, dst=None)

    def test_a_context(self):
        for thing in (None, "cpu"):
            with self.refused(mla_runtime.InvalidArgument,
                              f"mla_fill: ctx: expected a Context, got {type(thing).__name__}"):
                mla_runtime.fill(thing, dst=np.zeros(2, np.float32))


if __name__ == "__main__":
    unittest.main()
