//===- append_peers_test.cpp - mla-bench's peers of mla_append ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A peer is worth comparing with only if it computes the same. Operands and
// rotary tables are multiples of 1/64 here, so that a rotation in f32 is exact
// in whichever order its products are added, and all bytes can be compared.
//
//===----------------------------------------------------------------------===//

#include "AppendCase.h"
#include "AppendPeers.h"
#include "DeviceCopies.h"
#include "StreamContext.h"

using namespace mla;
using namespace mla::test;
using bench::AppendPeer;

namespace {

const uint32_t fp8 = MLA_DTYPE_F8E4M3FN;

using Contents = std::vector<std::vector<uint8_t>>;

int64_t countDifferences(const Contents &a, const Contents &b) {
  int64_t count = 0;
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < a[i].size(); ++j)
      count += a[i][j] != b[i][j];
  return count;
}

void fillWithSixtyFourths(const TestTensor &tensor, Random &random,
                          int64_t most) {
  if (tensor)
    tensor.forEach([&](const Shape &index) {
      tensor.set(index, static_cast<double>(random.integer(-most, most)) / 64);
    });
}

AppendCase makeCase(AppendCase form, Random &random) {
  form.layout = Layout::Dense;
  form.padding = -1; // none, and no cu_q
  form.build(random);
  for (const TestTensor *tensor :
       {&form.cKv, &form.kPe, &form.qNope, &form.qPe})
    fillWithSixtyFourths(*tensor, random, 127);
  if (form.query && form.query.dtype() != fp8)
    fillWithSixtyFourths(form.query, random, 127);
  fillWithSixtyFourths(form.cosSin, random, 64);
  return form;
}

/// Device memory of a peer, poisoned.
class Scratch {
public:
  Scratch(mla_context *ctx, uint64_t bytes) : ctx(ctx) {
    std::vector<uint8_t> poison(bytes, 0xFF);
    if (bytes == 0)
      return;
    data = mla_device_alloc(ctx, bytes);
    EXPECT_NE(data, nullptr) << mla_last_error(ctx);
    EXPECT_EQ(mla_upload(ctx, data, poison.data(), bytes), MLA_STATUS_OK);
  }
  ~Scratch() { mla_device_free(ctx, data); }
  Scratch(const Scratch &) = delete;

  void *data = nullptr;

private:
  mla_context *ctx;
};

class AppendPeersTest : public testing::Test {
protected:
  /// What all memory of a case holds after `call`, before which it is as it is
  /// now.
  Contents after(const DeviceCopies &copies,
                 const std::function<void()> &call) {
    Contents before = copies.contents();
    copies.upload();
    call();
    copies.download(on.ctx);
    Contents result = copies.contents();
    copies.setContents(before);
    return result;
  }

  Contents afterAppend(const DeviceCopies &copies, mla_append_params params) {
    return after(copies, [&] {
      EXPECT_EQ(::mla_append(on.ctx, &params), MLA_STATUS_OK) << on.ctx.error();
      EXPECT_EQ(mla_context_check(on.ctx), MLA_STATUS_OK) << on.ctx.error();
    });
  }

  /// The peer is captured, which shows how many kernels it launches, and
  /// replayed.
  Contents afterPeer(const DeviceCopies &copies, const AppendPeer &peer,
                     const mla_append_params &params) {
    return after(copies, [&] {
      Scratch scratch(on.ctx, peer.scratchBytes(params));
      expectCuda(peer.prepare(params, scratch.data, on.stream));
      CapturedGraph graph(on, [&] {
        expectCuda(peer.run(params, scratch.data, on.stream));
        return MLA_STATUS_OK;
      });
      CapturedGraph::Nodes nodes = graph.countNodes();
      EXPECT_EQ(nodes.kernels, static_cast<size_t>(peer.launches(params)));
      EXPECT_EQ(nodes.fills + nodes.others, 0u);
      if (graph)
        graph.replay();
      expectCuda(cudaStreamSynchronize(on.stream));
    });
  }

  /// Compares every peer that takes the case, and counts them.
  int compare(const AppendCase &c) {
    mla_append_params params = c.params();
    DeviceCopies copies;
    copies.take(params);
    int count = 0;
    Contents before = copies.contents();
    for (const AppendPeer &peer : bench::appendPeers()) {
      if (!peer.takes(params))
        continue;
      ++count;
      mla_append_params same = params;
      // Five launches have but 16 bits between them.
      if (std::string(peer.name) == "five_launches")
        same.rounding = MLA_ROUNDING_THROUGH_INPUT_TYPE;
      Contents expected = afterAppend(copies, same);
      Contents actual = afterPeer(copies, peer, params);
      EXPECT_EQ(countDifferences(actual, expected), 0)
          << peer.name << ": expected the bytes of mla_append, got others";
      EXPECT_GT(countDifferences(expected, before), 0);
      if (c.style == MLA_ROPE_NONE || !(c.kPe || c.query))
        continue;
      mla_append_params wrong = params;
      wrong.rope_style =
          MLA_ROPE_HALF + MLA_ROPE_INTERLEAVED - params.rope_style;
      EXPECT_GT(countDifferences(afterPeer(copies, peer, wrong), expected), 0)
          << peer.name << ": expected others with another style, got the same";
    }
    return count;
  }

  /// Every style of a form, and no rope, for both 16-bit types.
  void compareStyles(AppendCase form, int peersWithPe, int peersWithout) {
    Random random(form.heads * 100 + form.peWidth);
    bool inFp8 = form.cacheDtype == fp8;
    for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F16})
      for (int64_t style : {MLA_ROPE_NONE, MLA_ROPE_INTERLEAVED, MLA_ROPE_HALF})
        for (int64_t rounding :
             {MLA_ROUNDING_DIRECT, MLA_ROUNDING_THROUGH_INPUT_TYPE})
          for (int64_t width : {0, 32, 64}) {
            if (width == 0 && (style || !(form.withCache || form.withQNope)))
              continue;
            AppendCase c = form;
            c.dtype = dtype;
            c.cacheDtype = inFp8 ? fp8 : dtype;
            c.peDtype = form.blockScales ? dtype : uint32_t{MLA_DTYPE_NONE};
            c.style = style;
            c.rounding = rounding;
            c.peWidth = width;
            SCOPED_TRACE(testing::Message()
                         << mla_dtype_name(dtype) << " style " << style
                         << " rounding " << rounding << " R " << width);
            EXPECT_EQ(compare(makeCase(c, random)),
                      width ? peersWithPe : peersWithout);
          }
  }

  static AppendCase generation() {
    AppendCase form;
    form.tokens = 21;
    form.heads = 3;
    form.latentWidth = form.nope = 512;
    return form;
  }
  static AppendCase context() {
    AppendCase form = generation();
    form.tokens = 70;
    form.heads = 16;
    form.nope = 128;
    form.withKPeOut = true;
    return form;
  }
  static AppendCase quantized(AppendCase form) {
    form.cacheDtype = fp8;
    form.latentFactor = 0.043f;
    form.peFactor = 0.0071f;
    form.queryFactor = 0.019f;
    return form;
  }

  StreamContext on;
};

TEST_F(AppendPeersTest, AssemblesTheQuery) {
  compareStyles(generation(), 2, 1);
  compareStyles(context(), 2, 1);
}

TEST_F(AppendPeersTest, RotatesTheQueryInPlace) {
  for (AppendCase form : {generation(), context()}) {
    form.withQNope = form.withQPe = false;
    compareStyles(form, 2, 1);
  }
  AppendCase form = generation();
  form.withQPe = false; // but a nope part to copy
  compareStyles(form, 2, 1);
}

TEST_F(AppendPeersTest, WritesThePositionalPartOfTheQuery) {
  AppendCase form = generation();
  form.withQNope = false;
  compareStyles(form, 2, 1);
  form.heads = 128;
  form.tokens = 4;
  compareStyles(form, 2, 1);
}

TEST_F(AppendPeersTest, WritesTheCacheAlone) {
  for (AppendCase form : {generation(), context()}) {
    form.withQuery = false;
    compareStyles(form, 2, 1);
  }
}

TEST_F(AppendPeersTest, WritesTheQueryAlone) {
  AppendCase form = generation();
  form.withCache = false;
  compareStyles(form, 2, 1);
}

TEST_F(AppendPeersTest, QuantizesTheCache) {
  compareStyles(quantized(generation()), 2, 1);
  compareStyles(quantized(context()), 2, 1);
}

TEST_F(AppendPeersTest, QuantizesTheQuery) {
  for (bool withQNope : {true, false}) {
    AppendCase form = quantized(generation());
    form.queryDtype = fp8;
    form.withQNope = withQNope;
    compareStyles(form, 2, 1);
  }
}

TEST_F(AppendPeersTest, ScalesBlocksOfTheCache) {
  for (AppendCase form : {quantized(generation()), quantized(context())}) {
    form.blockScales = true;
    compareStyles(form, 2, 1);
    form.latentWidth = 384; // an odd number of blocks
    form.onePool = false;
    compareStyles(form, 2, 1);
  }
}

TEST_F(AppendPeersTest, DoesNothingForNoTokens) {
  AppendCase form = generation();
  form.tokens = 0;
  form.dtype = form.cacheDtype = MLA_DTYPE_BF16;
  Random random(1);
  AppendCase c = makeCase(form, random);
  mla_append_params params = c.params();
  for (const AppendPeer &peer : bench::appendPeers()) {
    EXPECT_TRUE(peer.takes(params));
    EXPECT_EQ(peer.launches(params), 0);
    expectCuda(peer.prepare(params, nullptr, on.stream));
    expectCuda(peer.run(params, nullptr, on.stream));
  }
}

TEST_F(AppendPeersTest, LaunchesAKernelAStep) {
  AppendCase form = quantized(generation());
  form.dtype = MLA_DTYPE_BF16;
  form.queryDtype = fp8;
  Random random(1);
  const AppendPeer &five = bench::appendPeers().at(0);
  const AppendPeer &one = bench::appendPeers().at(1);
  AppendCase rotated = makeCase(form, random);
  EXPECT_EQ(five.launches(rotated.params()), 5);
  EXPECT_EQ(one.launches(rotated.params()), 1);
  EXPECT_EQ(one.scratchBytes(rotated.params()), 0u);
  form.style = MLA_ROPE_NONE;
  AppendCase still = makeCase(form, random);
  EXPECT_EQ(five.launches(still.params()), 3);
  EXPECT_EQ(one.launches(still.params()), 1);
  EXPECT_GT(one.scratchBytes(still.params()), 0u);
}

TEST_F(AppendPeersTest, LeavesOtherCallsAlone) {
  Random random(1);
  AppendCase form = generation();
  form.dtype = form.cacheDtype = MLA_DTYPE_BF16;
  auto expectTaken = [&](bool expected, const AppendCase &c) {
    for (const AppendPeer &peer : bench::appendPeers())
      EXPECT_EQ(peer.takes(c.params()), expected) << peer.name;
  };
  expectTaken(true, makeCase(form, random));
  AppendCase other = form;
  other.dtype = other.cacheDtype = MLA_DTYPE_F32;
  expectTaken(false, makeCase(other, random));
  other = form;
  other.cacheDtype = MLA_DTYPE_F16;
  expectTaken(false, makeCase(other, random));
  other = form;
  other.peWidth = 24; // its halves have one packet and a half
  expectTaken(false, makeCase(other, random));
  other = makeCase(form, random);
  other.cuQ = TestTensor(MLA_DTYPE_I32, {2}, {0, other.tokens});
  expectTaken(false, other);
  other = makeCase(form, random);
  TestTensor wide(MLA_DTYPE_BF16, {other.tokens, 8 + other.latentWidth},
                  Layout::Dense, random);
  other.cKv = wide.columns(8, other.latentWidth);
  expectTaken(true, other);
  other.cKv = wide.columns(4, other.latentWidth);
  expectTaken(false, other);
}

} // namespace
