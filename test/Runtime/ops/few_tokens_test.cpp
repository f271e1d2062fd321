//===- few_tokens_test.cpp - Products of few tokens -----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// On a GPU, 16-bit rows that are aligned to 16 bytes have a kernel of their own
// where tokens are few. The same numbers in rows that aren't aligned take
// another way, and so do more tokens.
//
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/absorb_q.h"
#include "reference/expand_kv.h"
#include "reference/project_v.h"

using namespace mla;
using namespace mla::test;

namespace {

/// Sizes of a product; `terms` are added up for each of `outputs`.
struct Sizes {
  int64_t tokens, heads, terms, outputs;
};

class FewTokensTest : public OpTest {
protected:
  /// [a, b, width] with room beside each row; a row starts `shift` elements
  /// behind a multiple of 16 bytes.
  static TestTensor makeRows(Random &random, uint32_t dtype, Shape shape,
                             int64_t shift) {
    int64_t width = shape.back();
    shape.back() = (width + 7) / 8 * 8 + 64;
    return TestTensor(dtype, shape, Layout::Dense, random)
        .columns(shift, width);
  }

  /// x, w and out of a product. `Op` says what they are.
  template <typename Op>
  TestTensor multiply(Random &random, const Sizes &sizes, uint32_t outType,
                      const reference::Array &x, const reference::Array &w,
                      uint32_t dtype, int64_t shift) {
    TestTensor xRows = makeRows(random, dtype, x.shape, shift);
    TestTensor wRows = makeRows(random, dtype, w.shape, shift);
    TestTensor out = makeRows(
        random, outType, {sizes.tokens, sizes.heads, sizes.outputs}, shift);
    xRows.assign(x);
    wRows.assign(w);
    Canary canary(out);
    canary.allow(out);
    Op::call(ctx, xRows, wRows, out);
    EXPECT_EQ(canary.damage(), 0);
    return out;
  }

  template <typename Op>
  void compare(Random &random, const Sizes &sizes, uint32_t dtype,
               uint32_t outType) {
    SCOPED_TRACE(std::to_string(sizes.tokens) + " tokens, " +
                 std::to_string(sizes.heads) + " heads, " +
                 std::to_string(sizes.terms) + " terms, " +
                 std::to_string(sizes.outputs) + " outputs, " +
                 mla_dtype_name(dtype));
    TestTensor x(dtype, Op::xShape(sizes), Layout::Dense, random);
    TestTensor w(dtype, Op::wShape(sizes), Layout::Dense, random);
    x.fillRandom(random);
    w.fillRandom(random);
    auto run = [&](int64_t shift) {
      return multiply<Op>(random, sizes, outType, x.array(), w.array(), dtype,
                          shift);
    };
    TestTensor out = run(0);
    reference::Array expected = Op::expect(x.array(), w.array());
    EXPECT_LE(relativeError(out.array(), expected), tolerance(outType));
    EXPECT_LE(relativeError(run(1).array(), expected), tolerance(outType));
    EXPECT_TRUE(run(0).sameBits(out)); // wherever rows lie
    // The comparison sees one head that isn't right.
    w.slice(sizes.heads - 1).fillRandom(random);
    EXPECT_GT(relativeError(out.array(), Op::expect(x.array(), w.array())),
              tolerance(outType));
  }

  template <typename Op> void compareSizes(uint64_t seed) {
    Random random(seed);
    for (int64_t tokens : {1, 2, 7, 8, 9, 16, 17, 40})
      compare<Op>(random, {tokens, 3, 128, 128}, MLA_DTYPE_BF16,
                  MLA_DTYPE_BF16);
    // All but the last have rows of whole units; some have more terms than a
    // GPU's kernel for few tokens takes.
    for (Sizes sizes :
         {Sizes{1, 5, 128, 512}, Sizes{2, 3, 512, 128}, Sizes{3, 4, 192, 256},
          Sizes{5, 2, 256, 72}, Sizes{8, 1, 8, 8}, Sizes{11, 2, 72, 200},
          Sizes{4, 2, 264, 64}, Sizes{2, 1, 1032, 16}, Sizes{3, 5, 40, 24},
          Sizes{6, 2, 12, 20}})
      for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F16})
        compare<Op>(random, sizes, dtype, dtype);
    compare<Op>(random, {5, 4, 128, 136}, MLA_DTYPE_BF16, MLA_DTYPE_F32);
  }
};

struct AbsorbQ {
  static Shape xShape(const Sizes &s) { return {s.tokens, s.heads, s.terms}; }
  static Shape wShape(const Sizes &s) { return {s.heads, s.terms, s.outputs}; }
  static void call(TestContext &ctx, const TestTensor &x, const TestTensor &w,
                   const TestTensor &out) {
    auto params = makeParams<mla_absorb_q_params>();
    params.q_nope = x.get();
    params.w_uk = w.get();
    params.query = out.get();
    EXPECT_EQ(mla_absorb_q(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }
  static reference::Array expect(const reference::Array &x,
                                 const reference::Array &w) {
    return reference::absorbQ(x, w);
  }
};

struct ProjectV {
  static Shape xShape(const Sizes &s) { return {s.tokens, s.heads, s.terms}; }
  static Shape wShape(const Sizes &s) { return {s.heads, s.outputs, s.terms}; }
  static void call(TestContext &ctx, const TestTensor &x, const TestTensor &w,
                   const TestTensor &out) {
    auto params = makeParams<mla_project_v_params>();
    params.o_latent = x.get();
    params.w_uv = w.get();
    params.out = out.get();
    EXPECT_EQ(mla_project_v(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }
  static reference::Array expect(const reference::Array &x,
                                 const reference::Array &w) {
    return reference::projectV(x, w);
  }
};

/// The heads share the tokens' rows.
struct ExpandKV {
  static Shape xShape(const Sizes &s) { return {s.tokens, s.terms}; }
  static Shape wShape(const Sizes &s) { return {s.heads, s.outputs, s.terms}; }
  static void call(TestContext &ctx, const TestTensor &x, const TestTensor &w,
                   const TestTensor &out) {
    auto params = makeParams<mla_expand_kv_params>();
    params.c_kv = x.get();
    params.w_kv_b = w.get();
    params.kv = out.get();
    EXPECT_EQ(mla_expand_kv(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }
  static reference::Array expect(const reference::Array &x,
                                 const reference::Array &w) {
    return reference::expandKv(x, w);
  }
};

TEST_F(FewTokensTest, AbsorbsTheQuery) { compareSizes<AbsorbQ>(1); }

TEST_F(FewTokensTest, ProjectsTheOutput) { compareSizes<ProjectV>(2); }

TEST_F(FewTokensTest, ExpandsKeysAndValues) { compareSizes<ExpandKV>(3); }

} // namespace
