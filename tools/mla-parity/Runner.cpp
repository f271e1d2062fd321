//===- Runner.cpp - Runs one plan of one core and compares ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Runner.h"

#include "Comparison.h"
#include "LaunchInputs.h"
#include "PagedCache.h"
#include "Plans.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

namespace mla::parity {
namespace {

/// A plan's state between its launches.
class PlanRunner {
public:
  PlanRunner(Session &session, const Entry &entry, const Inputs &inputs,
             const Constants &constants, Reference &reference, int64_t pageSize,
             const std::vector<Launch> &launches)
      : session(session), ctx(session.ctx.get()), entry(entry), inputs(inputs),
        constants(constants), reference(reference), launches(launches),
        cache(reference.getLayout().getDtype(), pageSize,
              reference.getLayout().getWidth(), getLengths()),
        rows(static_cast<size_t>(inputs.golden.tokens *
                                 reference.getLayout().getRowBytes())),
        isKnown(static_cast<size_t>(inputs.golden.tokens)) {}

  Outcome run();

private:
  std::vector<int64_t> getLengths() const;
  bool runLaunch(const Launch &launch);
  bool call(const std::vector<mla_tensor> &args);
  bool callIn(int32_t mode, const std::vector<mla_tensor> &args);
  bool keepOutput(const Launch &launch, const HostTensor &out);
  bool checkCache(const Launch &launch);
  bool checkRow(int64_t sequence, int64_t position, const uint8_t *row);
  double getError();
  bool checkUnchanged(const std::string &name, const DeviceTensor &tensor,
                      const HostTensor &before);

  bool fail(const std::string &reason, Status status = Status::Fail) {
    outcome.status = status;
    outcome.reason = reason;
    return false;
  }
  bool failCall(mla_status status);

  Session &session;
  mla_context *ctx;
  const Entry &entry;
  const Inputs &inputs;
  const Constants &constants;
  Reference &reference;
  const std::vector<Launch> &launches;
  PagedCache cache;
  std::optional<DeviceTensor> deviceCache;
  /// Of every position, the cache's row: the same in every sequence.
  std::vector<uint8_t> rows;
  std::vector<bool> isKnown;
  Outcome outcome;
};

std::vector<int64_t> PlanRunner::getLengths() const {
  std::vector<int64_t> lengths(launches.front().segments.size());
  for (const Launch &launch : launches)
    for (size_t i = 0; i < lengths.size(); ++i)
      lengths[i] = std::max(lengths[i], launch.segments[i].begin +
                                            launch.segments[i].count);
  return lengths;
}

bool PlanRunner::failCall(mla_status status) {
  return fail(mla_last_error(ctx), status == MLA_STATUS_UNIMPLEMENTED
                                       ? Status::Skipped
                                       : Status::Fail);
}

bool PlanRunner::callIn(int32_t mode, const std::vector<mla_tensor> &args) {
  mla_status status = mla_context_set_mode(ctx, mode);
  if (status == MLA_STATUS_OK)
    status =
        entry.function(ctx, args.data(), static_cast<int64_t>(args.size()));
  return status == MLA_STATUS_OK || failCall(status);
}

bool PlanRunner::call(const std::vector<mla_tensor> &args) {
  if (!callIn(MLA_MODE_PLAN, args))
    return false;
  uint64_t needed = mla_context_workspace_high_water(ctx);
  if (needed > session.workspace) {
    if (mla_status status = mla_context_set_workspace(ctx, nullptr, needed))
      return failCall(status);
    session.workspace = needed;
  }
  if (!callIn(MLA_MODE_RUN, args))
    return false;
  mla_status status = mla_context_check(ctx);
  return status == MLA_STATUS_OK || failCall(status);
}

/// A host scalar, as an entry takes it.
static mla_tensor getScalar(int64_t &value) {
  mla_tensor tensor = {};
  tensor.data = &value;
  tensor.device_type = MLA_DEVICE_CPU;
  tensor.dtype = MLA_DTYPE_I64;
  return tensor;
}

bool PlanRunner::runLaunch(const Launch &launch) {
  std::map<std::string, HostTensor> host = getLaunchInputs(
      launch, inputs, reference.getScales(), cache.getPageTable());
  HostTensor out(inputs.dtype,
                 {launch.numTokens(), inputs.heads, inputs.golden.value});
  out.poison();
  auto deviceOut = DeviceTensor::upload(ctx, out);
  if (!deviceOut)
    return fail(deviceOut.error());

  std::map<std::string, DeviceTensor> device;
  std::map<std::string, int64_t> scalars = {
      {"max_kv", launch.maxKeys},
      {"num_generation_seqs", launch.generationSequences},
      {"num_generation_tokens", launch.numGenerationTokens()}};
  std::vector<mla_tensor> args;
  for (const io::ManifestArg &argument : entry.arguments) {
    const std::string &name = argument.name;
    if (name == "out")
      args.push_back(deviceOut->getView());
    else if (name == "cache")
      args.push_back(deviceCache->getView());
    else if (name == "w_kv_b")
      args.push_back(constants.weight->getReadOnlyView());
    else if (name == "cos_sin")
      args.push_back(constants.table->getReadOnlyView());
    else if (name == "sinks")
      args.push_back(constants.sinks->getReadOnlyView());
    else if (auto scalar = scalars.find(name); scalar != scalars.end())
      args.push_back(getScalar(scalar->second));
    else if (auto it = host.find(name); it != host.end()) {
      auto uploaded = DeviceTensor::upload(ctx, it->second);
      if (!uploaded)
        return fail(uploaded.error());
      args.push_back(uploaded->getReadOnlyView());
      device.emplace(name, std::move(*uploaded));
    } else {
      return fail(
          "expected an entry of mla-import's arguments, got one with '" + name +
          "'");
    }
  }
  if (!call(args))
    return false;

  for (const auto &[name, tensor] : device)
    if (!checkUnchanged(name, tensor, host[name]))
      return false;
  auto result = deviceOut->download();
  if (!result)
    return fail(result.error());
  return keepOutput(launch, *result) && checkCache(launch);
}

bool PlanRunner::keepOutput(const Launch &launch, const HostTensor &out) {
  uint64_t size = out.rowBytes(), token = 0;
  for (size_t i = 0; i < launch.segments.size(); ++i) {
    const Segment &segment = launch.segments[i];
    auto count = static_cast<uint64_t>(segment.count);
    std::copy_n(out.bytes.begin() + static_cast<int64_t>(token * size),
                count * size,
                outcome.outputs[i].bytes.begin() +
                    segment.begin * static_cast<int64_t>(size));
    token += count;
  }
  HostTensor padding = out;
  padding.bytes.erase(padding.bytes.begin(),
                      padding.bytes.begin() +
                          static_cast<int64_t>(token * size));
  for (double value : padding.toDoubles())
    if (value != 0)
      return fail("out: expected 0 in rows of padding, got " +
                  std::to_string(value));
  return true;
}

bool PlanRunner::checkRow(int64_t sequence, int64_t position,
                          const uint8_t *row) {
  auto place = [&] {
    return " at position " + std::to_string(position) + " of sequence " +
           std::to_string(sequence);
  };
  std::string complaint = reference.checkRow(position, row);
  if (!complaint.empty())
    return fail("cache" + place() + ": expected " + complaint);
  auto index = static_cast<size_t>(position);
  auto size = static_cast<size_t>(reference.getLayout().getRowBytes());
  auto known = rows.begin() + static_cast<int64_t>(index * size);
  if (isKnown[index] && !std::equal(row, row + size, known))
    return fail("cache" + place() +
                ": expected the bytes that other sequences have, got others");
  isKnown[index] = true;
  std::copy_n(row, size, known);
  return true;
}

bool PlanRunner::checkCache(const Launch &launch) {
  auto now = deviceCache->download();
  if (!now)
    return fail(now.error());
  std::vector<std::pair<int64_t, int64_t>> written;
  for (size_t i = 0; i < launch.segments.size(); ++i)
    for (int64_t j = 0; j < launch.segments[i].count; ++j) {
      auto sequence = static_cast<int64_t>(i);
      int64_t position = launch.segments[i].begin + j;
      written.emplace_back(sequence, position);
      if (!checkRow(sequence, position, cache.getRow(*now, sequence, position)))
        return false;
    }
  std::string complaint = cache.update(*now, written);
  return complaint.empty() || fail(complaint);
}

double PlanRunner::getError() {
  const Golden &golden = inputs.golden;
  const CacheLayout &layout = reference.getLayout();
  if (!layout.isQuantized())
    return parity::getError(outcome.outputs, golden,
                            {golden.out.begin(), golden.out.end()});
  double error =
      parity::getError(outcome.outputs, golden, reference.attend(rows));
  // All that a query may be takes long, so only where it has to be known.
  if (layout.format == CacheFormat::FP8Query &&
      !(error <= getTolerance(layout)))
    error = getErrorFromNearest(outcome.outputs, golden, reference);
  return error;
}

bool PlanRunner::checkUnchanged(const std::string &name,
                                const DeviceTensor &tensor,
                                const HostTensor &before) {
  auto now = tensor.download();
  if (!now)
    return fail(now.error());
  return now->bytes == before.bytes ||
         fail(name + ": expected an input unchanged, got other bytes");
}

Outcome PlanRunner::run() {
  outcome.error = std::numeric_limits<double>::quiet_NaN();
  for (int64_t length : getLengths())
    outcome.outputs.push_back(
        HostTensor(inputs.dtype, {length, inputs.heads, inputs.golden.value}));
  auto uploaded = DeviceTensor::upload(ctx, cache.getImage());
  if (!uploaded) {
    fail(uploaded.error());
    return std::move(outcome);
  }
  deviceCache.emplace(std::move(*uploaded));

  bool ok =
      std::all_of(launches.begin(), launches.end(),
                  [&](const Launch &launch) { return runLaunch(launch); });
  ok = ok && checkUnchanged("w_kv_b", *constants.weight, inputs.weight) &&
       checkUnchanged("cos_sin", *constants.table, inputs.table) &&
       checkUnchanged("sinks", *constants.sinks, inputs.sinks);
  if (!ok)
    return std::move(outcome);
  outcome.error = getError();
  // A NaN passes no comparison.
  if (outcome.error <= getTolerance(reference.getLayout()))
    outcome.status = Status::Pass;
  else
    fail("out: expected an error within the tolerance");
  return std::move(outcome);
}

} // namespace

double getTolerance(const CacheLayout &layout) {
  if (layout.activations != MLA_DTYPE_F32)
    return 1e-2;
  return layout.format == CacheFormat::FP8Query ? 2e-4 : 1e-5;
}

double getDistance(const Outcome &a, const Outcome &b) {
  std::vector<double> left = a.outputs.front().toDoubles();
  std::vector<double> right = b.outputs.front().toDoubles();
  double differences = 0, size = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    differences += (left[i] - right[i]) * (left[i] - right[i]);
    size += right[i] * right[i];
  }
  return std::sqrt(differences / size);
}

io::Result<Constants> Constants::upload(mla_context *ctx,
                                        const Inputs &inputs) {
  Constants constants;
  for (auto [tensor, destination] :
       {std::pair{&inputs.weight, &constants.weight},
        {&inputs.table, &constants.table},
        {&inputs.sinks, &constants.sinks}}) {
    auto uploaded = DeviceTensor::upload(ctx, *tensor);
    if (!uploaded)
      return io::Error{uploaded.error()};
    destination->emplace(std::move(*uploaded));
  }
  return constants;
}

Outcome runPlan(Session &session, const Entry &entry, const Inputs &inputs,
                const Constants &constants, Reference &reference,
                int64_t pageSize, const std::string &plan) {
  std::vector<Launch> launches = planLaunches(plan, inputs.golden.tokens);
  return PlanRunner(session, entry, inputs, constants, reference, pageSize,
                    launches)
      .run();
}

} // namespace mla::parity
