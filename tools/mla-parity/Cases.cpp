//===- Cases.cpp - Every form and plan of a golden case -------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cases.h"

#include "Golden.h"

#include <algorithm>
#include <map>
#include <optional>

namespace mla::parity {
namespace {

/// What the formulas in float64 may differ from a recorded f32 output by.
constexpr double kReferenceTolerance = 1e-6;

/// What a case's rows have in common.
struct CaseRunner {
  const Case &one;
  const CaseOptions &options;
  Session &session;
  Report &results;
  const Golden &golden;
  /// By form.
  std::map<std::string, Module> modules;
  std::optional<Inputs> inputs;
  std::optional<Constants> constants;
  std::optional<Reference> reference;
  std::string cache; ///< that the reference is for
  double selfError = 0;

  io::Status load(const Bundle &bundle);
  io::Status prepare(const Variant &variant);
  io::Status run(const Variant &variant);
};

io::Status CaseRunner::load(const Bundle &bundle) {
  selfError = Reference::getSelfError(golden);
  for (const std::string &form : options.forms) {
    bool isThere = std::any_of(
        one.variants.begin(), one.variants.end(),
        [&](const Variant &variant) { return variant.entries.count(form); });
    if (!isThere)
      continue;
    auto module = Module::load(bundle.getPath(one, "." + form + ".so"));
    if (!module)
      return io::Error{module.error()};
    modules.emplace(form, std::move(*module));
  }
  return {};
}

io::Status CaseRunner::prepare(const Variant &variant) {
  uint32_t dtype = mla_dtype_from_name(variant.dtype.c_str());
  bool isNewType = !inputs || inputs->dtype != dtype;
  if (isNewType || inputs->heads != variant.heads) {
    inputs.emplace(golden, dtype, variant.heads);
    auto uploaded = Constants::upload(session.ctx.get(), *inputs);
    if (!uploaded)
      return io::Error{uploaded.error()};
    constants.emplace(std::move(*uploaded));
  }
  if (isNewType || cache != variant.cache) {
    cache = variant.cache;
    reference.emplace(golden, dtype, getCacheFormat(cache));
  }
  return {};
}

io::Status CaseRunner::run(const Variant &variant) {
  std::optional<Outcome> first;
  for (const std::string &form : options.forms) {
    auto name = variant.entries.find(form);
    if (name == variant.entries.end())
      continue;
    auto entry = modules.at(form).getEntry(name->second);
    if (!entry)
      return io::Error{entry.error()};
    for (const std::string &plan : options.plans) {
      const CacheLayout &layout = reference->getLayout();
      Row row{one.model,
              variant,
              form,
              plan,
              getTolerance(layout),
              runPlan(session, *entry, *inputs, *constants, *reference,
                      variant.pageSize, plan)};
      if (layout.isQuantized() && !(selfError <= kReferenceTolerance)) {
        row.outcome.status = Status::Fail;
        row.outcome.reason =
            "expected a recorded output that is attention over the inputs to "
            "1e-6, got an error of " +
            std::to_string(selfError);
      }
      if (!first)
        first = row.outcome;
      row.distance = getDistance(row.outcome, *first);
      if (!options.dump.empty() && row.outcome.status != Status::Skipped)
        if (auto written = dumpOutputs(options.dump, row); !written)
          return io::Error{written.error()};
      results.add(std::move(row));
    }
  }
  return {};
}

} // namespace

io::Status runCase(const Bundle &bundle, const Case &one,
                   const CaseOptions &options, Session &session,
                   Report &results) {
  auto golden = Golden::read(bundle.getPath(one, ".safetensors"));
  if (!golden)
    return io::Error{golden.error()};
  CaseRunner runner{one, options, session, results, *golden, {},
                    {},  {},      {},      "",      0};
  io::Status status = runner.load(bundle);
  for (const Variant &variant : one.variants) {
    if (status)
      status = runner.prepare(variant);
    if (status)
      status = runner.run(variant);
  }
  return status;
}

} // namespace mla::parity
