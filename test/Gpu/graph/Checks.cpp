//===- Checks.cpp - What a recorded step is held to -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checks.h"

#include "io/Dtype.h"

#include <algorithm>

namespace mla::graph {
namespace {

io::Result<Written> callEagerly(const Recorded &recorded,
                                const Metadata &batch) {
  io::Status done = recorded.eager.prepare(batch);
  if (done)
    done = recorded.eager.call();
  if (!done)
    return io::Error{"called: " + done.error()};
  io::Result<Written> written = recorded.eager.read();
  if (written && mla_context_check(recorded.eagerCtx) != MLA_STATUS_OK)
    return io::Error{std::string("called: expected no fault, got: ") +
                     mla_last_error(recorded.eagerCtx)};
  return written;
}

io::Result<Written> replay(const Recorded &recorded, const Metadata &batch) {
  io::Status done = recorded.step.prepare(batch);
  if (done)
    done = recorded.graph.replay();
  if (!done)
    return io::Error{done.error()};
  return recorded.step.read();
}

io::Status expectNoFault(const Recorded &recorded, const std::string &place) {
  if (mla_context_check(recorded.ctx) == MLA_STATUS_OK)
    return {};
  return io::Error{place +
                   ": expected no fault, got: " + mla_last_error(recorded.ctx)};
}

io::Status expectEqual(const std::string &place, const Written &expected,
                       const Written &got) {
  for (const auto &[name, bytes] : expected) {
    const Bytes &other = got.at(name);
    auto [it, at] = std::mismatch(bytes.begin(), bytes.end(), other.begin());
    if (it != bytes.end())
      return io::Error{place + ": " + name +
                       ": expected the bits of a call, got others at byte " +
                       std::to_string(it - bytes.begin()) + " of " +
                       std::to_string(bytes.size())};
  }
  return {};
}

/// Rows of argument `name`: the elements of its last dimension.
uint64_t countRows(const io::ManifestEntry &entry, const std::string &name,
                   uint64_t bytes) {
  const io::ManifestArg *arg = entry.find(name);
  uint64_t width = arg->shape.back().offset *
                   mla_dtype_bits(mla_dtype_from_name(arg->dtype.c_str())) / 8;
  return bytes / width;
}

/// That each row of the caches is as the good batch leaves it or as it was.
io::Status expectKnownRows(const Recorded &recorded, const Written &got,
                           const Written &good) {
  for (const auto &[name, first] : recorded.step.getFirstContent()) {
    const Bytes &now = got.at(name), &right = good.at(name);
    uint64_t rows = countRows(recorded.step.getEntry(), name, first.size());
    uint64_t width = first.size() / rows;
    for (uint64_t row = 0; row < rows; ++row) {
      auto begin = now.begin() + row * width, end = begin + width;
      if (!std::equal(begin, end, first.begin() + row * width) &&
          !std::equal(begin, end, right.begin() + row * width))
        return io::Error{name + ": expected row " + std::to_string(row) +
                         " as it was or as a good batch leaves it, got others"};
    }
  }
  return {};
}

/// What the order of the sums over the keys may change of a token's output, as
/// ‖a − b‖ / ‖b‖: docs/numerics.md, "Tolerances". With a query in fp8 the
/// softmax's weights may be f16: two times half a place, 2^-12, for each split
/// rounds them relative to another maximum.
double getTolerance(const io::ManifestEntry &entry, uint32_t dtype) {
  if (dtype != MLA_DTYPE_F32)
    return 1e-2;
  return entry.find("query_scale") ? 0x1p-11 : 1e-5;
}

bool isNear(const uint8_t *got, const uint8_t *right, uint64_t size,
            uint32_t dtype, double tolerance) {
  uint64_t count = size / io::dtypeBytes(dtype);
  std::vector<double> now, expected;
  if (!io::toDoubles(got, dtype, count, now) ||
      !io::toDoubles(right, dtype, count, expected))
    return false;
  double difference = 0, norm = 0; // sums of squares
  for (uint64_t i = 0; i < count; ++i) {
    difference += (now[i] - expected[i]) * (now[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  // A NaN is near nothing.
  return difference <= tolerance * tolerance * norm;
}

/// That the first and the last token's outputs are those of the good batch: bit
/// for bit, but where other sequences have other lengths, which a backend may
/// divide its work by.
io::Status expectGoodTokens(const StepSizes &sizes, const Recorded &recorded,
                            bool isSameLengths, const Written &got,
                            const Written &good) {
  const io::ManifestEntry &entry = recorded.step.getEntry();
  for (const io::ManifestArg &arg : entry.args) {
    if (arg.role != "output")
      continue;
    const Bytes &now = got.at(arg.name), &right = good.at(arg.name);
    uint64_t token = now.size() / sizes.tokens;
    uint32_t dtype = mla_dtype_from_name(arg.dtype.c_str());
    double tolerance = getTolerance(entry, dtype);
    for (uint64_t at : {uint64_t(0), now.size() - token}) {
      const uint8_t *row = now.data() + at, *expected = right.data() + at;
      if (!std::equal(row, row + token, expected) &&
          (isSameLengths || !isNear(row, expected, token, dtype, tolerance)))
        return io::Error{arg.name + ": expected sequences that are right as in "
                                    "a good batch, got others"};
    }
  }
  return {};
}

} // namespace

io::Status checkReplays(const Recorded &recorded,
                        const std::vector<Metadata> &batches, int64_t replays) {
  std::vector<Written> expected;
  for (const Metadata &batch : batches) {
    io::Result<Written> written = callEagerly(recorded, batch);
    if (!written)
      return io::Error{written.error()};
    expected.push_back(std::move(*written));
  }
  // A graph that kept the lengths of its capture is to be found out.
  for (const io::ManifestArg &arg : recorded.step.getEntry().args)
    if (arg.role == "output" &&
        expected[0].at(arg.name) == expected[1].at(arg.name))
      return io::Error{"called: " + arg.name +
                       ": expected another output for other lengths, got the "
                       "same"};

  for (int64_t i = 0; i < replays; ++i) {
    // Another order each time around.
    size_t batch = (i + i / batches.size()) % batches.size();
    std::string place =
        "replay " + std::to_string(i) + ", batch " + std::to_string(batch);
    io::Result<Written> got = replay(recorded, batches[batch]);
    if (!got)
      return io::Error{place + ": " + got.error()};
    if (io::Status equal = expectEqual(place, expected[batch], *got); !equal)
      return equal;
  }
  if (io::Status status = expectNoFault(recorded, "replays"); !status)
    return status;
  return recorded.step.checkRest();
}

io::Status checkStale(const Recorded &recorded, const StepSizes &sizes,
                      const Metadata &good) {
  io::Result<Written> expected = callEagerly(recorded, good);
  if (!expected)
    return io::Error{expected.error()};
  for (const StaleBatch &stale : makeStaleBatches(sizes, good)) {
    auto fail = [&](const std::string &what) {
      return io::Error{"stale " + stale.name + ": " + what};
    };
    io::Result<Written> got = replay(recorded, stale.metadata);
    if (!got)
      return fail(got.error());
    mla_status status = mla_context_check(recorded.ctx);
    if (status != MLA_STATUS_OK && status != MLA_STATUS_DATA_ERROR)
      return fail(mla_last_error(recorded.ctx));
    if (stale.isReported && status != MLA_STATUS_DATA_ERROR)
      return fail("expected DATA_ERROR, got OK");
    io::Status checked = recorded.step.checkRest();
    if (checked && stale.hasTokens) {
      bool isSameLengths = stale.metadata.at("kv_lens") == good.at("kv_lens");
      checked =
          expectGoodTokens(sizes, recorded, isSameLengths, *got, *expected);
      if (checked && stale.isReported)
        checked = expectKnownRows(recorded, *got, *expected);
    }
    if (!checked)
      return fail(checked.error());

    got = replay(recorded, good);
    if (!got)
      return fail(got.error());
    checked = expectEqual("afterwards", *expected, *got);
    if (checked)
      checked = expectNoFault(recorded, "afterwards");
    if (!checked)
      return fail(checked.error());
  }
  return {};
}

} // namespace mla::graph
