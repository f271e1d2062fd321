//===- FormRunner.cpp - Runs one form of one core and compares ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormRunner.h"

#include "Forms.h"
#include "PagedCache.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

namespace mla::parity {
namespace {

/// A form's state between its launches.
class FormRunner {
public:
  FormRunner(Session &session, const Entry &entry, const Inputs &inputs,
             const Constants &constants, int64_t pageSize,
             const std::vector<Launch> &launches)
      : session(session), ctx(session.ctx.get()), entry(entry), inputs(inputs),
        constants(constants), launches(launches),
        cache(inputs.dtype, pageSize, inputs.golden.latent + inputs.golden.pe,
              getLengths()) {}

  Outcome run();

private:
  std::vector<int64_t> getLengths() const;
  bool runLaunch(const Launch &launch);
  /// What a launch has of its own, by the argument's name.
  std::map<std::string, HostTensor> getInputs(const Launch &launch) const;
  bool call(const std::vector<mla_tensor> &args);
  bool callIn(int32_t mode, const std::vector<mla_tensor> &args);
  bool compareOutput(const Launch &launch, const HostTensor &out);
  bool checkCache(const Launch &launch);
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
  const std::vector<Launch> &launches;
  PagedCache cache;
  std::optional<DeviceTensor> deviceCache;
  double differences = 0, references = 0; // sums of squares
  Outcome outcome;
};

std::vector<int64_t> FormRunner::getLengths() const {
  std::vector<int64_t> lengths(launches.front().segments.size());
  for (const Launch &launch : launches)
    for (size_t i = 0; i < lengths.size(); ++i)
      lengths[i] = std::max(lengths[i], launch.segments[i].begin +
                                            launch.segments[i].count);
  return lengths;
}

std::map<std::string, HostTensor>
FormRunner::getInputs(const Launch &launch) const {
  std::vector<int64_t> rows, positions;
  std::vector<int32_t> lengths, offsets = {0};
  for (const Segment &segment : launch.segments) {
    for (int64_t i = 0; i < segment.count; ++i)
      rows.push_back(segment.begin + i);
    lengths.push_back(static_cast<int32_t>(segment.begin + segment.count));
    offsets.push_back(static_cast<int32_t>(rows.size()));
  }
  positions = rows;
  rows.resize(static_cast<size_t>(launch.numTokens()), -1);
  positions.resize(rows.size(), 0);

  std::map<std::string, HostTensor> result;
  result["q"] = gatherRows(inputs.q, rows);
  result["c_kv"] = gatherRows(inputs.cKV, rows);
  result["k_pe"] = gatherRows(inputs.kPe, rows);
  result["indices"] = gatherRows(inputs.indices, rows);
  auto numTokens = static_cast<int64_t>(rows.size());
  auto batch = static_cast<int64_t>(lengths.size());
  result["positions"] = HostTensor::fromIntegers({numTokens}, positions);
  result["kv_lens"] = HostTensor::fromIntegers({batch}, lengths);
  result["cu_q"] = HostTensor::fromIntegers({batch + 1}, offsets);
  result["page_table"] = cache.getPageTable();
  return result;
}

bool FormRunner::failCall(mla_status status) {
  return fail(mla_last_error(ctx), status == MLA_STATUS_UNIMPLEMENTED
                                       ? Status::Skipped
                                       : Status::Fail);
}

bool FormRunner::callIn(int32_t mode, const std::vector<mla_tensor> &args) {
  mla_status status = mla_context_set_mode(ctx, mode);
  if (status == MLA_STATUS_OK)
    status =
        entry.function(ctx, args.data(), static_cast<int64_t>(args.size()));
  return status == MLA_STATUS_OK || failCall(status);
}

bool FormRunner::call(const std::vector<mla_tensor> &args) {
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

bool FormRunner::runLaunch(const Launch &launch) {
  std::map<std::string, HostTensor> host = getInputs(launch);
  HostTensor out(inputs.dtype,
                 {launch.numTokens(), inputs.heads, inputs.golden.value});
  out.poison();
  auto deviceOut = DeviceTensor::upload(ctx, out);
  if (!deviceOut)
    return fail(deviceOut.error());

  std::map<std::string, DeviceTensor> device;
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
  return compareOutput(launch, *result) && checkCache(launch);
}

bool FormRunner::compareOutput(const Launch &launch, const HostTensor &out) {
  std::vector<double> values = out.toDoubles();
  size_t width = static_cast<size_t>(inputs.heads * inputs.golden.value);
  size_t token = 0;
  for (size_t i = 0; i < launch.segments.size(); ++i) {
    const Segment &segment = launch.segments[i];
    std::vector<uint8_t> &bytes = outcome.outputs[i].bytes;
    auto begin =
        out.bytes.begin() + static_cast<int64_t>(token * out.rowBytes());
    std::copy_n(begin, static_cast<uint64_t>(segment.count) * out.rowBytes(),
                bytes.begin() +
                    segment.begin * static_cast<int64_t>(out.rowBytes()));
    for (int64_t j = 0; j < segment.count; ++j, ++token)
      for (size_t k = 0; k < width; ++k) {
        double reference =
            inputs.out[static_cast<size_t>(segment.begin + j) * width + k];
        double difference = values[token * width + k] - reference;
        differences += difference * difference;
        references += reference * reference;
      }
  }
  for (size_t i = token * width; i < values.size(); ++i)
    if (values[i] != 0)
      return fail("out: expected 0 in rows of padding, got " +
                  std::to_string(values[i]));
  return true;
}

bool FormRunner::checkCache(const Launch &launch) {
  auto now = deviceCache->download();
  if (!now)
    return fail(now.error());
  std::vector<std::pair<int64_t, int64_t>> written;
  uint64_t latentBytes = inputs.cKV.rowBytes(), peBytes = inputs.kPe.rowBytes();
  for (size_t i = 0; i < launch.segments.size(); ++i)
    for (int64_t j = 0; j < launch.segments[i].count; ++j) {
      int64_t position = launch.segments[i].begin + j;
      written.emplace_back(i, position);
      const uint8_t *row =
          cache.getRow(*now, static_cast<int64_t>(i), position);
      auto index = static_cast<uint64_t>(position);
      bool isCopied =
          !std::memcmp(row, inputs.cKV.bytes.data() + index * latentBytes,
                       latentBytes) &&
          (inputs.golden.isRotated() || peBytes == 0 ||
           !std::memcmp(row + latentBytes,
                        inputs.kPe.bytes.data() + index * peBytes, peBytes));
      if (!isCopied)
        return fail("cache: expected position " + std::to_string(position) +
                    " of sequence " + std::to_string(i) +
                    " bit for bit, got other bytes");
    }
  std::string complaint = cache.update(*now, written);
  return complaint.empty() || fail(complaint);
}

bool FormRunner::checkUnchanged(const std::string &name,
                                const DeviceTensor &tensor,
                                const HostTensor &before) {
  auto now = tensor.download();
  if (!now)
    return fail(now.error());
  return now->bytes == before.bytes ||
         fail(name + ": expected an input unchanged, got other bytes");
}

Outcome FormRunner::run() {
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
  outcome.error = std::sqrt(differences / references);
  // A NaN passes no comparison.
  if (outcome.error <= getTolerance(inputs.dtype))
    outcome.status = Status::Pass;
  else
    fail("out: expected an error within the tolerance");
  return std::move(outcome);
}

} // namespace

double getTolerance(uint32_t dtype) {
  return dtype == MLA_DTYPE_F32 ? 1e-5 : 1e-2;
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

Outcome runForm(Session &session, const Entry &entry, const Inputs &inputs,
                const Constants &constants, int64_t pageSize,
                const std::string &form) {
  std::vector<Launch> launches = planForm(form, inputs.golden.tokens);
  return FormRunner(session, entry, inputs, constants, pageSize, launches)
      .run();
}

} // namespace mla::parity
