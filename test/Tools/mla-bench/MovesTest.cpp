//===- MovesTest.cpp - Tests of what mla-bench says that calls move -------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bytes of a case are a formula, its transfers come from the tensors of the
// call: each checks the other, and the call's results check the transfers.
//
//===----------------------------------------------------------------------===//

#include "Workload.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

using namespace mla::bench;

namespace {

using Context = std::unique_ptr<mla_context, void (*)(mla_context *)>;

Context makeContext() {
  mla_context *ctx = nullptr;
  EXPECT_EQ(mla_context_create("cpu", 0, &ctx), MLA_STATUS_OK);
  return Context(ctx, mla_context_destroy);
}

double bytesOf(const mla_tensor *tensor) {
  if (!tensor)
    return 0;
  double bytes = mla_dtype_bits(tensor->dtype) / 8;
  for (int i = 0; i < tensor->rank; ++i)
    bytes *= static_cast<double>(tensor->shape[i]);
  return bytes;
}

/// What a call reads to find its rows, and the scales of whole tensors.
double indexBytes(const Case &c, const mla_append_params *append) {
  if (append) {
    double bytes = 0;
    for (const mla_tensor *tensor :
         {append->slots, append->positions, append->query_scale,
          append->latent_scale, append->pe_scale})
      bytes += bytesOf(tensor);
    return bytes;
  }
  double entries = static_cast<double>(c.batch); // lengths, then pages
  for (int64_t b = 0; b < c.batch; ++b)
    entries += static_cast<double>((c.keysOf(b) + c.page - 1) / c.page);
  bool scaled = c.cacheDtype != c.dtype && c.cacheFormat == CacheFormat::Plain;
  return 4 * (entries + (scaled ? (c.pe ? 2 : 1) : 0));
}

double moved(const std::vector<Transfer> &transfers) {
  double bytes = 0;
  for (const Transfer &one : transfers) {
    EXPECT_EQ(one.from == nullptr, one.readBytes == 0);
    EXPECT_EQ(one.to == nullptr, one.writeBytes == 0);
    bytes += static_cast<double>(one.tokens * one.rows) *
             static_cast<double>(one.readBytes + one.writeBytes);
  }
  return bytes;
}

void expectSameBytes(Device &device, const Case &c) {
  SCOPED_TRACE(c.name());
  // Laid out, but without memory: some take gigabytes.
  Workload workload(nullptr, device, c);
  double found =
      moved(workload.transfers()) + indexBytes(c, workload.appendParams());
  EXPECT_EQ(c.bytes(), found);
}

/// A case of append or gather_kv whose call changes no row's bits.
Case plainCase(Op op) {
  Case c;
  c.op = op;
  c.dtype = c.cacheDtype = MLA_DTYPE_BF16;
  c.rope = Rope::None;
  c.heads = 3;
  c.page = 4;
  return c;
}

/// Calls `visit(from, to, bytes)` for every row of transfers that change none.
template <typename F>
void forEachCopy(const std::vector<Transfer> &transfers, F visit) {
  for (const Transfer &one : transfers) {
    if (!one.from || !one.to || one.readBytes != one.writeBytes)
      continue;
    for (int64_t token = 0; token < one.tokens; ++token)
      for (int64_t row = 0; row < one.rows; ++row) {
        int64_t from = one.fromIndex ? one.fromIndex[token] : token;
        int64_t to = one.toIndex ? one.toIndex[token] : token;
        visit(static_cast<const char *>(one.from) + from * one.fromToken +
                  row * one.fromRow,
              static_cast<const char *>(one.to) + to * one.toToken +
                  row * one.toRow,
              static_cast<size_t>(one.readBytes));
      }
  }
}

/// Rows that are copied, and how many of them are there already.
std::pair<int64_t, int64_t> countCopies(const Workload &workload) {
  int64_t all = 0, same = 0;
  forEachCopy(workload.transfers(),
              [&](const char *from, const char *to, size_t bytes) {
                ++all;
                same += std::memcmp(from, to, bytes) == 0;
              });
  return {all, same};
}

/// Where the call has been made, what the transfers say is copied is; and so it
/// is where the device has copied the same rows.
void expectCopies(const Case &c, int64_t rows) {
  SCOPED_TRACE(c.name());
  Context ctx = makeContext();
  std::unique_ptr<Device> device = makeCpuDevice(ctx.get());
  Works copies;
  for (size_t way = 0; way <= copies.size(); ++way) {
    Workload workload(ctx.get(), *device, c);
    ASSERT_EQ(workload.failure(), "");
    EXPECT_EQ(countCopies(workload), std::make_pair(rows, int64_t{0}));
    copies = device->copyRows(workload.transfers(), /*threads=*/2);
    ASSERT_FALSE(copies.empty());
    if (way < copies.size())
      copies[way]();
    else
      ASSERT_EQ(workload.call(), MLA_STATUS_OK) << mla_last_error(ctx.get());
    EXPECT_EQ(countCopies(workload), std::make_pair(rows, rows));
  }
}

} // namespace

TEST(Bytes, AreThoseOfTheTransfersInEveryGrid) {
  std::unique_ptr<Device> device = makeCpuDevice(nullptr);
  std::map<Op, int> cases;
  for (const std::string &grid : gridNames())
    for (const Case &c : makeGrid(grid, {}))
      if (c.copies()) {
        ++cases[c.op];
        expectSameBytes(*device, c);
      }
  EXPECT_GT(cases[Op::Append], 1000);
  EXPECT_GT(cases[Op::GatherKV], 70);
}

TEST(Bytes, AreThoseOfTheTransfersWhereSequencesDiffer) {
  std::unique_ptr<Device> device = makeCpuDevice(nullptr);
  for (const char *format : {"same", "fp8", "fp8_block"}) {
    Case c = plainCase(Op::GatherKV);
    c.batch = 3;
    c.keys = 5;
    c.lengths = {5, 1, 9};
    std::optional<Case> one = withCache(c, format);
    ASSERT_TRUE(one);
    expectSameBytes(*device, *one);
  }
}

TEST(Bytes, ByHand) {
  Case c = plainCase(Op::Append);
  c.rope = Rope::Half;
  c.setTokens(5);
  int64_t token = 2 * 2 * 576 + 2 * 2 * 3 * 576 + 4 * 64 + 2 * 8;
  EXPECT_EQ(c.bytes(), 5 * token);
  c.phase = Phase::Context;
  token = 2 * 2 * 576 + 2 * 64 + 2 * 2 * 3 * 192 + 4 * 64 + 2 * 8;
  EXPECT_EQ(c.bytes(), 5 * token);
  c.query = QueryMode::InPlace;
  token = 2 * 2 * 576 + 2 * 64 + 2 * 2 * 3 * 64 + 4 * 64 + 2 * 8;
  EXPECT_EQ(c.bytes(), 5 * token);
  c.rope = Rope::None;
  token = 2 * 2 * 576 + 2 * 64 + 8;
  EXPECT_EQ(c.bytes(), 5 * token);
  c.cacheDtype = MLA_DTYPE_F8E4M3FN;
  c.cacheFormat = CacheFormat::Fp8Query;
  c.query = QueryMode::Assembled;
  token = 3 * 576 + 2 * 64 + 3 * 3 * 192 + 8;
  EXPECT_EQ(c.bytes(), 5 * token + 3 * 4);
}

TEST(Transfers, AreWhatTheCallCopies) {
  for (Phase phase : {Phase::Generation, Phase::Context})
    for (bool sliced : {false, true}) {
      Case c = plainCase(Op::Append);
      c.phase = phase;
      c.sliced = sliced;
      c.setTokens(12);
      // Latent, positional key, and both parts of every head's query.
      expectCopies(c, 12 * (2 + 3 * 2));
      c.query = QueryMode::Pe;
      expectCopies(c, 12 * (2 + 3));
      c.query = QueryMode::None;
      expectCopies(c, 12 * 2);
      c.query = QueryMode::Assembled;
      c.pe = 0;
      expectCopies(c, 12 * (1 + 3));
    }
  Case c = plainCase(Op::GatherKV);
  c.batch = 3;
  c.keys = 6;
  expectCopies(c, 3 * 6 * 2);
  c.lengths = {5, 1, 9};
  expectCopies(c, 15 * 2);
}

TEST(Append, SharesNoRowOfTheCacheOrTheTable) {
  for (Phase phase : {Phase::Generation, Phase::Context}) {
    Case c = plainCase(Op::Append);
    c.phase = phase;
    c.rope = Rope::Interleaved;
    c.page = 64;
    c.setTokens(520);
    Context ctx = makeContext();
    std::unique_ptr<Device> device = makeCpuDevice(ctx.get());
    Workload workload(ctx.get(), *device, c);
    ASSERT_EQ(workload.failure(), "");
    const mla_append_params &params = *workload.appendParams();
    int64_t slots =
        params.cache_latent->shape[0] * params.cache_latent->shape[1];
    for (auto [index, rows] : {std::pair{params.slots, slots},
                               {params.positions, params.cos_sin->shape[0]}}) {
      const auto *values = static_cast<const int64_t *>(index->data);
      std::set<int64_t> distinct(values, values + 520);
      EXPECT_EQ(distinct.size(), 520u);
      EXPECT_GE(*distinct.begin(), 0);
      EXPECT_LT(*distinct.rbegin(), rows);
    }
    // Of a sequence of 130 tokens the keys are next to each other.
    const auto *values = static_cast<const int64_t *>(params.positions->data);
    EXPECT_EQ(values[1] == values[0] + 1 && values[129] == values[0] + 129,
              phase == Phase::Context);
  }
}

TEST(Sets, HaveMemoryAndPlacesOfTheirOwn) {
  Case c = plainCase(Op::Append);
  c.setTokens(64);
  Context ctx = makeContext();
  std::unique_ptr<Device> device = makeCpuDevice(ctx.get());
  Workload first(ctx.get(), *device, c, 0), second(ctx.get(), *device, c, 1);
  const mla_tensor *one = first.appendParams()->slots;
  const mla_tensor *other = second.appendParams()->slots;
  EXPECT_NE(std::memcmp(one->data, other->data, 64 * 8), 0);
  auto *begin = static_cast<char *>(first.appendParams()->slots->data);
  auto *otherBegin = static_cast<char *>(other->data);
  auto distance = static_cast<uint64_t>(std::abs(otherBegin - begin));
  EXPECT_GE(distance, std::min(first.bytes(), second.bytes()));
}

TEST(Sets, OfEveryCaseFitInAnAccelerator) {
  std::unique_ptr<Device> device = makeCpuDevice(nullptr);
  for (const char *grid : {"append", "gather"})
    for (const Case &c : makeGrid(grid, {})) {
      Workload workload(nullptr, *device, c);
      EXPECT_LT(3 * workload.bytes(), uint64_t{64} << 30) << c.name();
      if (c.tokens() > 128 || c.query != QueryMode::Assembled)
        continue;
      // A short one's sets are many: they take little more than is moved.
      double room = 2 * c.bytes() + (40 << 20);
      EXPECT_LT(static_cast<double>(workload.bytes()), room) << c.name();
    }
}

TEST(Grids, NameTheirCasesApart) {
  for (const std::string &grid : gridNames()) {
    std::set<std::string> names;
    for (const Case &c : makeGrid(grid, {})) {
      EXPECT_EQ(c.problem(), "") << c.name();
      EXPECT_TRUE(names.insert(c.name()).second) << grid << ": " << c.name();
    }
    EXPECT_FALSE(names.empty()) << grid;
  }
}
