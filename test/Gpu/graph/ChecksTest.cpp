//===- ChecksTest.cpp - The checks see what they are for ------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Replays on the CPU that do something wrong.
//
//===----------------------------------------------------------------------===//

#include "Checks.h"
#include "WholeStep.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace mla;
using namespace mla::graph;

namespace {

enum class Wrong {
  Nothing,
  NoCall,
  LengthsOfCapture,
  ByteBeforeCache,
  ByteBehindCache,
  Input,
  Output,
  LastToken,
  NaN,
  OtherRow,
  ForgottenFault
};

// An entry is a function without a state of its own.
mla_entry_fn trueEntry;
const io::ManifestEntry *described;
Wrong wrong;
std::vector<int32_t> capturedLengths;

mla_tensor &find(std::vector<mla_tensor> &args, const char *name) {
  return args[described->find(name) - described->args.data()];
}

mla_status callWrongly(mla_context *ctx, const mla_tensor *given, int64_t n) {
  std::vector<mla_tensor> args(given, given + n);
  mla_tensor &lengths = find(args, "kv_lens");
  if (wrong == Wrong::NoCall)
    return MLA_STATUS_OK;
  if (wrong == Wrong::LengthsOfCapture) {
    if (capturedLengths.empty()) {
      auto *now = static_cast<int32_t *>(lengths.data);
      capturedLengths.assign(now, now + lengths.shape[0]);
    }
    lengths.data = capturedLengths.data();
  }
  mla_status status = trueEntry(ctx, args.data(), n);
  mla_tensor &cache = find(args, "cache");
  auto *bytes = static_cast<uint8_t *>(cache.data);
  uint64_t size =
      cache.shape[0] * cache.strides[0] * (mla_dtype_bits(cache.dtype) / 8);
  switch (wrong) {
  case Wrong::ByteBeforeCache:
    bytes[-1] ^= 1;
    break;
  case Wrong::ByteBehindCache:
    bytes[size] ^= 1;
    break;
  case Wrong::OtherRow:
    bytes[size - 1] ^= 1;
    break;
  case Wrong::Input:
    *static_cast<uint8_t *>(find(args, "q").data) ^= 1;
    break;
  case Wrong::Output:
    *static_cast<uint8_t *>(find(args, "out").data) ^= 1;
    break;
  case Wrong::LastToken:
  case Wrong::NaN: {
    mla_tensor &out = find(args, "out");
    int64_t token = out.strides[0];
    auto *last = static_cast<float *>(out.data) + (out.shape[0] - 1) * token;
    // Three times what the order of sums may change in f32.
    for (int64_t i = 0; i < token; ++i)
      last[i] *= wrong == Wrong::NaN ? NAN : 1 + 0x1p-15f;
    break;
  }
  case Wrong::ForgottenFault:
    mla_context_check(ctx);
    break;
  default:
    break;
  }
  return status;
}

class GraphChecks : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(mla_module_load(MLA_STEP_MODULE, &module), MLA_STATUS_OK)
        << mla_last_error(nullptr);
    auto parsed = io::parseManifest(mla_module_manifest(module), "step");
    ASSERT_TRUE(parsed) << parsed.error();
    manifest = std::move(*parsed);
    described = &manifest.entries.at(0);
    trueEntry = mla_module_entry(module, described->name.c_str());
    wrong = Wrong::Nothing;
    capturedLengths.clear();
    ASSERT_EQ(mla_context_create("cpu", 0, &ctx), MLA_STATUS_OK);
    ASSERT_EQ(mla_context_create("cpu", 0, &eagerCtx), MLA_STATUS_OK);
    auto made = DecodeStep::make(ctx, *described, callWrongly, sizes);
    auto other = DecodeStep::make(eagerCtx, *described, trueEntry, sizes);
    ASSERT_TRUE(made && other) << made.error() << other.error();
    step = std::make_unique<DecodeStep>(std::move(*made));
    eager = std::make_unique<DecodeStep>(std::move(*other));
    graph = makeRepeatedCall([this] { return step->call(); });
    ASSERT_TRUE(step->prepare(batches.back()));
  }

  void TearDown() override {
    graph.reset();
    step.reset();
    eager.reset();
    mla_context_destroy(ctx);
    mla_context_destroy(eagerCtx);
    mla_module_unload(module);
  }

  std::string replay(Wrong how) {
    wrong = how;
    return checkReplays({ctx, *step, *graph, eagerCtx, *eager}, batches,
                        batches.size())
        .error();
  }
  std::string replayStale(Wrong how) {
    wrong = how;
    return checkStale({ctx, *step, *graph, eagerCtx, *eager}, sizes, batches[0])
        .error();
  }

  StepSizes sizes;
  std::vector<Metadata> batches = makeBatches(sizes);
  mla_module *module = nullptr;
  io::Manifest manifest;
  mla_context *ctx = nullptr, *eagerCtx = nullptr;
  std::unique_ptr<DecodeStep> step, eager;
  std::unique_ptr<Graph> graph;
};

TEST_F(GraphChecks, Right) {
  EXPECT_EQ(replay(Wrong::Nothing), "");
  EXPECT_EQ(replayStale(Wrong::Nothing), "");
}

TEST_F(GraphChecks, Replays) {
  const char *bits = "expected the bits of a call";
  for (Wrong how :
       {Wrong::NoCall, Wrong::LengthsOfCapture, Wrong::Output, Wrong::OtherRow})
    EXPECT_NE(replay(how).find(bits), std::string::npos) << int(how);
}

TEST_F(GraphChecks, BytesBefore) {
  EXPECT_NE(replayStale(Wrong::ByteBeforeCache)
                .find("cache: expected the bytes around it"),
            std::string::npos);
}

TEST_F(GraphChecks, BytesBehind) {
  EXPECT_NE(replayStale(Wrong::ByteBehindCache)
                .find("cache: expected the bytes around it"),
            std::string::npos);
}

TEST_F(GraphChecks, Input) {
  EXPECT_NE(replayStale(Wrong::Input).find("q: expected an input as it was"),
            std::string::npos);
}

TEST_F(GraphChecks, Backends) {
  auto check = [&](Wrong how) {
    wrong = how;
    return checkBackends(*step, *eager, {batches[0], batches[1]}).error();
  };
  EXPECT_EQ(check(Wrong::Nothing), "");
  for (Wrong how : {Wrong::NoCall, Wrong::NaN})
    EXPECT_NE(check(how).find("backends: "), std::string::npos) << int(how);
  EXPECT_EQ(check(Wrong::NaN), "backends: out: expected a difference from the "
                               "CPU of 0.000020, got inf");
  // The second batch's lengths are others.
  capturedLengths.clear();
  EXPECT_NE(check(Wrong::LengthsOfCapture).find("a difference from the CPU"),
            std::string::npos);
}

TEST(WholeStep, Layers) {
  io::ManifestEntry entry{"attention_f32_l2", {}};
  for (const char *name : {"kv_lens", "c_kv_0", "c_kv_1", "cache_0", "cache_1"})
    entry.args.push_back({name, "input", "f32", {}});
  EXPECT_EQ(countLayers(entry), 2);
  EXPECT_EQ(getStem(entry), "attention_f32");
  entry.args.push_back({"cache_12", "input", "f32", {}});
  EXPECT_EQ(countLayers(entry), 3);
  EXPECT_EQ(getStem(entry), "attention_f32_l2");
  entry.name = "x";
  EXPECT_EQ(getStem(entry), "x");
}

TEST(WholeStep, Launches) {
  EXPECT_TRUE(checkLaunches({{1, 7}, {2, 12}, {3, 17}, {61, 307}}));
  EXPECT_TRUE(checkLaunches({{1, 7}, {3, 17}}));
  EXPECT_EQ(checkLaunches({{1, 7}, {2, 12}, {3, 18}}).error(),
            "launches: expected 17 kernels for 3 layers, got 18");
  EXPECT_EQ(checkLaunches({{1, 6}, {2, 12}, {3, 18}}).error(),
            "launches: expected more kernels for the first layer than the 6 of "
            "a further one, got 6");
  EXPECT_EQ(checkLaunches({{1, 7}, {2, 10}, {3, 13}}).error(),
            "launches: expected 4 to 7 kernels a further layer, got 3");
  EXPECT_EQ(checkLaunches({{1, 10}, {2, 18}}).error(),
            "launches: expected 4 to 7 kernels a further layer, got 8");
  EXPECT_EQ(checkLaunches({{2, 12}, {3, 17}}).error(),
            "launches: expected steps of one layer and of more, got 2 steps");
}

TEST_F(GraphChecks, Stale) {
  EXPECT_EQ(replayStale(Wrong::ForgottenFault),
            "stale kv_lens: expected DATA_ERROR, got OK");
  for (Wrong how : {Wrong::LastToken, Wrong::NaN})
    EXPECT_EQ(replayStale(how),
              "stale kv_lens: out: expected sequences that are right as in a "
              "good batch, got others")
        << int(how);
  // Other lengths may change the last bits; they don't in the batch after them.
  EXPECT_NE(replayStale(Wrong::Output)
                .find("stale kv_lens: afterwards: out: expected the bits"),
            std::string::npos);
  EXPECT_NE(replayStale(Wrong::OtherRow).find("as a good batch leaves it"),
            std::string::npos);
}

} // namespace
