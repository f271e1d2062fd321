//===- StepTest.cpp - Tests of what mla-bench takes a step for ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Step.h"

#include <gtest/gtest.h>

using namespace mla;
using namespace mla::bench;

namespace {

const char *const absorbed = "mla-decompose{chunk-length=-1 form=absorbed}";

/// "q:bf16:T,2,12 ..." as an entry.
io::ManifestEntry entryOf(std::string text) {
  io::ManifestEntry entry;
  entry.name = "step";
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find(' ', at), text.size());
    std::string word = text.substr(at, end - at);
    at = end + 1;
    size_t type = word.find(':'), shape = word.find(':', type + 1);
    io::ManifestArg arg;
    arg.name = word.substr(0, type);
    arg.dtype = word.substr(type + 1, shape - type - 1);
    for (size_t dim = shape + 1; dim < word.size();) {
      size_t comma = std::min(word.find(',', dim), word.size());
      std::string size = word.substr(dim, comma - dim);
      bool number = size.find_first_not_of("0123456789") == size.npos;
      arg.shape.push_back({number ? "" : size, number ? std::stoll(size) : 0});
      dim = comma + 1;
    }
    entry.args.push_back(arg);
  }
  return entry;
}

const std::string layer = "q:bf16:T,3,24 c_kv:bf16:T,128 k_pe:bf16:T,8 "
                          "w_kv_b:bf16:3,48,128 out:bf16:T,3,32 ";

TEST(Step, TellsTheLayerFromTheName) {
  EXPECT_EQ(baseName("cache_12"), "cache");
  EXPECT_EQ(baseName("w_kv_b_0"), "w_kv_b");
  for (const char *name : {"q", "cos_sin", "c_kv", "layer2", "_1", "12", ""})
    EXPECT_EQ(baseName(name), name);
}

TEST(Step, TakesSizesFromTheArguments) {
  io::Result<StepShape> shape =
      shapeOf(entryOf(layer + "cache:bf16:pages,16,136 cos_sin:f32:max_pos,8"),
              {"cse", absorbed});
  ASSERT_TRUE(shape) << shape.error();
  const Case &c = shape->attention;
  EXPECT_EQ(shape->layers, 1);
  EXPECT_TRUE(shape->rotated && shape->hasParts);
  EXPECT_EQ(
      std::vector<int64_t>({c.heads, c.latent, c.pe, c.nope, c.value, c.page}),
      std::vector<int64_t>({3, 128, 8, 16, 32, 16}));
  EXPECT_EQ(std::string(c.cacheName()), "same");
  EXPECT_EQ(c.dtype, uint32_t{MLA_DTYPE_BF16});
}

TEST(Step, KnowsEveryCache) {
  for (const auto &[cache, name, query] :
       {std::tuple{"cache:f8E4M3FN:pages,16,136", "fp8", MLA_DTYPE_BF16},
        {"cache:f8E4M3FN:pages,16,136 query_scale:f32:", "fp8",
         MLA_DTYPE_F8E4M3FN},
        {"cache:i8:pages,16,148", "fp8_block", MLA_DTYPE_BF16}}) {
    io::Result<StepShape> shape = shapeOf(entryOf(layer + cache), {absorbed});
    ASSERT_TRUE(shape) << shape.error();
    EXPECT_EQ(std::string(shape->attention.cacheName()), name);
    EXPECT_EQ(shape->attention.queryDtype(), uint32_t(query));
    EXPECT_FALSE(shape->rotated);
  }
}

TEST(Step, HasPartsOnlyWhereACaseStandsForThem) {
  const std::string cache = "cache:bf16:pages,16,136";
  auto hasParts = [&](const std::string &more, const char *pass) {
    io::Result<StepShape> shape =
        shapeOf(entryOf(layer + cache + more), {pass});
    return shape && shape->hasParts;
  };
  EXPECT_TRUE(hasParts("", absorbed));
  EXPECT_FALSE(hasParts("", "mla-decompose{form=expanded}"));
  EXPECT_FALSE(hasParts("", "canonicalize{form=absorbed}"));
  EXPECT_FALSE(hasParts(" sinks:f32:3", absorbed));
  EXPECT_FALSE(hasParts(" indices:i32:T,topk", absorbed));
}

TEST(Step, RefusesWhatIsNone) {
  const std::string cache = "cache:bf16:pages,16,136";
  for (const auto &[text, sentence] :
       std::vector<std::pair<std::string, std::string>>{
           {"x:bf16:T", "step: expected an argument q [T, H, N+R], got none"},
           {layer + "cache:bf16:pages,P,136",
            "step: expected an argument cache [pages, P, W], got [pages, P, "
            "136]"},
           {layer + cache + " cache_1:bf16:pages,16,136",
            "step: expected as many arguments q as caches, 2, got 1"},
           {layer + "cache:f32:pages,16,136",
            "step: expected a cache of the activations' type, f8E4M3FN or "
            "packed rows (i8), got f32"},
           {"q:bf16:T,3,8 c_kv:bf16:T,128 k_pe:bf16:T,8 w_kv_b:bf16:3,48,128 "
            "out:bf16:T,3,32 " +
                cache,
            "step: expected N and V > 0 from q, k_pe and w_kv_b, got 0 and "
            "48"}}) {
    io::Result<StepShape> shape = shapeOf(entryOf(text), {absorbed});
    EXPECT_FALSE(shape) << text;
    EXPECT_EQ(shape.error(), sentence);
  }
}

} // namespace
