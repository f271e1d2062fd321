//===- attention_ranges_test.cpp - Values of any size ---------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Keys times a power of two, and the scale divided by it, have the same logits:
// the output is that power of two times as large, to the bit, however tiles are
// split and their states held.
//
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

#include <cmath>
#include <functional>

using namespace mla;
using namespace mla::test;

namespace {

class CudaAttentionRangesTest : public testing::Test {
protected:
  struct Results {
    std::vector<double> o, lse;
  };
  using Change = std::function<double(double, int64_t column)>;

  /// Calls `check` with calls of each kind that Hopper's kernel takes, whose
  /// tiles have one part, two, and more, up to all there can be.
  void forEachSplit(const std::function<void(const AttentionForm &)> &check) {
    for (int64_t heads : {12, 64, 128})
      for (std::vector<int64_t> lengths :
           {std::vector<int64_t>{10000, 3000, 128}, {900, 700}})
        // 128 heads are paired CTAs' where there are eight.
        for (int32_t limit : {0, 7, 8}) {
          AttentionForm form;
          form.heads = heads;
          form.rows = CacheRows::Apart;
          form.lengths = lengths;
          form.setTokens(1);
          form.seed = heads + limit;
          if (limit == 7 && heads == 12)
            form.dtype = form.outDtype = MLA_DTYPE_F16;
          if (limit == 7 && heads == 64)
            form.latentWidth = 256;
          else if (lengths.size() == 2)
            form.topk = 600;
          SCOPED_TRACE(form.describe() + " limit " + std::to_string(limit));
          ASSERT_EQ(mla_context_set_sm_limit(on.ctx, limit), MLA_STATUS_OK);
          attention.make(form);
          EXPECT_EQ(usesSm90(on, attention), isHopper());
          check(form);
          expectNoFault(on);
        }
  }

  Results resultsOf() {
    EXPECT_EQ(attention.run(on.ctx), MLA_STATUS_OK) << on.ctx.error();
    return {download(attention.params.o).data,
            download(attention.params.lse).data};
  }

  static void change(const mla_tensor *tensor, const Change &change) {
    reference::Array values = download(tensor);
    for (size_t i = 0; i < values.data.size(); ++i)
      values.data[i] = change(values.data[i], i % values.width());
    upload(tensor, values);
  }

  /// That `after` has the same lse, and each output of column c times
  /// 2^powerOf(c): but for an f16 that isn't normal, or was rounded to the
  /// least that is, whose bits are fewer.
  void expectTimes(const Results &before, const Results &after,
                   const AttentionForm &form,
                   const std::function<int(int64_t)> &powerOf) {
    EXPECT_TRUE(before.lse == after.lse);
    for (size_t i = 0; i < before.o.size(); ++i) {
      int power = powerOf(i % form.latentWidth);
      bool isNormal = form.outDtype != MLA_DTYPE_F16 ||
                      std::abs(before.o[i]) > std::ldexp(1, -14);
      ASSERT_NEAR(after.o[i], std::ldexp(before.o[i], power),
                  isNormal ? 0 : std::ldexp(1, power - 25))
          << "element " << i;
    }
  }

  StreamContext on;
  PagedAttention attention{on};
};

TEST_F(CudaAttentionRangesTest, LargeOutputsAreAsLargeAsValues) {
  forEachSplit([&](const AttentionForm &form) {
    Results before = resultsOf();
    EXPECT_TRUE(attention.difference().isWithin());
    std::vector<int> steps = {-70, 170};
    if (form.dtype == MLA_DTYPE_F16)
      steps = {4};
    int all = 0;
    for (int step : steps) {
      auto times = [&](double value, int64_t) {
        return std::ldexp(value, step);
      };
      all += step;
      change(attention.params.cache_latent, times);
      change(attention.params.cache_pe, times);
      attention.params.softmax_scale =
          std::ldexp(attention.params.softmax_scale, -step);
      expectTimes(before, resultsOf(), form, [&](int64_t) { return all; });
    }
  });
}

// Each half of the columns has a scale of its own.
TEST_F(CudaAttentionRangesTest, LargeHalvesAreOfTheirOwnSizes) {
  forEachSplit([&](const AttentionForm &form) {
    int power = form.dtype == MLA_DTYPE_F16 ? 4 : 40;
    auto powerOf = [&](int64_t column) {
      return column < form.latentWidth / 2 ? 0 : power;
    };
    change(attention.params.query, [&](double value, int64_t column) {
      return column < form.latentWidth && powerOf(column) ? 0 : value;
    });
    Results before = resultsOf();
    change(attention.params.cache_latent, [&](double value, int64_t column) {
      return std::ldexp(value, powerOf(column));
    });
    expectTimes(before, resultsOf(), form, powerOf);
  });
}

// A column whose sums are too large for f32 takes no bits from the others. In
// each part a row has several keys of nearly the same weight.
TEST_F(CudaAttentionRangesTest, LargeColumnsLeaveOthersAlone) {
  forEachSplit([&](const AttentionForm &form) {
    if (form.dtype == MLA_DTYPE_F16)
      return;
    const int64_t wide = 77;
    auto set = [](double to) {
      return [=](double value, int64_t column) {
        return column == wide ? to : value;
      };
    };
    change(attention.params.query, set(0));
    Results before = resultsOf();
    change(attention.params.cache_latent, set(std::ldexp(1, 127)));
    Results after = resultsOf();
    int64_t infinite = 0;
    for (size_t i = 0; i < after.o.size(); ++i)
      if (static_cast<int64_t>(i) % form.latentWidth == wide)
        infinite += std::isinf(after.o[i]);
      else
        ASSERT_EQ(before.o[i], after.o[i]) << "element " << i;
    EXPECT_GT(infinite, 0);
    EXPECT_TRUE(before.lse == after.lse);
  });
}

} // namespace
