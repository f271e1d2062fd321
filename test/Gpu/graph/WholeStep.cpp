//===- WholeStep.cpp - What steps of several layers are held to -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WholeStep.h"

#include "LayerNames.h"
#include "io/Dtype.h"

#include <algorithm>
#include <cmath>

namespace mla::graph {

int64_t countLayers(const io::ManifestEntry &entry) {
  return std::count_if(entry.args.begin(), entry.args.end(),
                       [](const io::ManifestArg &arg) {
                         return run::dropLayer(arg.name) == "cache";
                       });
}

std::string getStem(const io::ManifestEntry &entry) {
  std::string suffix = "_l" + std::to_string(countLayers(entry));
  size_t size = entry.name.size() - std::min(entry.name.size(), suffix.size());
  return entry.name.substr(size) == suffix ? entry.name.substr(0, size)
                                           : entry.name;
}

io::Status checkLaunches(const KernelsByLayers &kernels) {
  if (kernels.size() < 2 || kernels.begin()->first != 1)
    return io::Error{"launches: expected steps of one layer and of more, got " +
                     std::to_string(kernels.size()) + " steps"};
  int64_t first = kernels.begin()->second;
  auto second = std::next(kernels.begin());
  int64_t further = (second->second - first) / (second->first - 1);
  // Query, append, attention and output at least; a product may be of two
  // kernels, and so may an attention be.
  if (further < 4 || further > 7)
    return io::Error{"launches: expected 4 to 7 kernels a further layer, got " +
                     std::to_string(further)};
  if (first <= further)
    return io::Error{"launches: expected more kernels for the first layer "
                     "than the " +
                     std::to_string(further) + " of a further one, got " +
                     std::to_string(first)};
  for (auto [layers, count] : kernels)
    if (count != first + (layers - 1) * further)
      return io::Error{"launches: expected " +
                       std::to_string(first + (layers - 1) * further) +
                       " kernels for " + std::to_string(layers) +
                       " layers, got " + std::to_string(count)};
  return {};
}

namespace {

/// Twice what one backend may be off. Where a cache is quantized, a value that
/// the backends' roundings put on two sides of a step differs by that step.
double getTolerance(const io::ManifestEntry &entry) {
  bool isExact = true;
  for (const io::ManifestArg &arg : entry.args)
    if (arg.isWritten())
      isExact &= arg.dtype == "f32";
  return isExact ? 2e-5 : 2e-2;
}

/// ‖a − b‖ / ‖b‖; infinite where one has a NaN.
double getDifference(const std::vector<double> &a,
                     const std::vector<double> &b) {
  double difference = 0, norm = 0; // sums of squares
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  double relative = std::sqrt(difference / norm);
  return std::isnan(relative) ? HUGE_VAL : relative;
}

io::Result<Written> call(DecodeStep &step, const Metadata &batch) {
  io::Status done = step.prepare(batch);
  if (done)
    done = step.call();
  return done ? step.read() : io::Result<Written>(io::Error{done.error()});
}

} // namespace

io::Status checkBackends(DecodeStep &step, DecodeStep &reference,
                         const std::vector<Metadata> &batches) {
  const io::ManifestEntry &entry = step.getEntry();
  double tolerance = getTolerance(entry);
  for (const Metadata &batch : batches) {
    io::Result<Written> got = call(step, batch);
    io::Result<Written> expected = call(reference, batch);
    if (!got || !expected)
      return io::Error{"backends: " + got.error() + expected.error()};
    for (const auto &[name, bytes] : *expected) {
      uint32_t dtype = mla_dtype_from_name(entry.find(name)->dtype.c_str());
      // Rows of bytes are no numbers; outputs are made from them.
      if (dtype == MLA_DTYPE_I8)
        continue;
      std::vector<double> a, b;
      uint64_t count = bytes.size() / io::dtypeBytes(dtype);
      if (!io::toDoubles(got->at(name).data(), dtype, count, a) ||
          !io::toDoubles(bytes.data(), dtype, count, b))
        return io::Error{name + ": expected numbers, got others"};
      double difference = getDifference(a, b);
      if (!(difference <= tolerance))
        return io::Error{
            "backends: " + name + ": expected a difference from the CPU of " +
            std::to_string(tolerance) + ", got " + std::to_string(difference)};
    }
  }
  return {};
}

} // namespace mla::graph
