//===- attention_ranges_test.cpp - Values of any size ---------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Keys times a power of two and queries divided by it have the same logits: the
// output is that power of two times as large, to the bit, however tiles are
// split and their states held.
//
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

#include <cmath>

using namespace mla;
using namespace mla::test;

namespace {

class CudaAttentionRangesTest : public testing::Test {
protected:
  struct Results {
    std::vector<double> o, lse;
  };

  /// Sequences of one part, of two and of many.
  static AttentionForm splitForm(int64_t heads) {
    AttentionForm form;
    form.heads = heads;
    form.rows = CacheRows::Apart;
    form.lengths = {20000, 3000, 65};
    form.setTokens(1);
    form.seed = heads;
    return form;
  }

  Results resultsOf() {
    EXPECT_EQ(attention.run(on.ctx), MLA_STATUS_OK) << on.ctx.error();
    return {download(attention.params.o).data,
            download(attention.params.lse).data};
  }

  /// Makes each element of `tensor` what `change` makes of it and its column.
  static void change(const mla_tensor *tensor,
                     const std::function<double(double, int64_t)> &change) {
    reference::Array values = download(tensor);
    for (size_t i = 0; i < values.data.size(); ++i)
      values.data[i] = change(values.data[i], i % values.width());
    upload(tensor, values);
  }

  StreamContext on;
  PagedAttention attention{on};
};

TEST_F(CudaAttentionRangesTest, LargeOutputsAreAsLargeAsValues) {
  for (int64_t heads : {12, 64, 128})
    for (int exponent : {-80, -30, 40, 100}) {
      AttentionForm form = splitForm(heads);
      SCOPED_TRACE(form.describe() + " 2^" + std::to_string(exponent));
      attention.make(form);
      Results before = resultsOf();
      EXPECT_TRUE(attention.difference().isWithin());
      auto times = [](int power) {
        return [=](double value, int64_t) { return std::ldexp(value, power); };
      };
      change(attention.params.cache_latent, times(exponent));
      change(attention.params.cache_pe, times(exponent));
      change(attention.params.query, times(-exponent));
      Results after = resultsOf();
      for (double &value : before.o)
        value = std::ldexp(value, exponent);
      EXPECT_TRUE(before.o == after.o);
      EXPECT_TRUE(before.lse == after.lse);
      expectNoFault(on);
    }
}

// A column whose sums are too large for f32 takes no bits from the others.
TEST_F(CudaAttentionRangesTest, LargeColumnsLeaveOthersAlone) {
  const int64_t wide = 77;
  for (int64_t heads : {12, 64, 128}) {
    AttentionForm form = splitForm(heads);
    SCOPED_TRACE(form.describe());
    attention.make(form);
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
      if (static_cast<int64_t>(i % form.latentWidth) == wide)
        infinite += std::isinf(after.o[i]);
      else
        ASSERT_EQ(before.o[i], after.o[i]) << "element " << i;
    EXPECT_GT(infinite, 0);
    EXPECT_TRUE(before.lse == after.lse);
    expectNoFault(on);
  }
}

} // namespace
