//===- Report.cpp - Results as a table, as JSON and as tensors ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "io/File.h"
#include "io/SafeTensors.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

using nlohmann::json;

namespace mla::parity {

static const char *getName(Status status) {
  switch (status) {
  case Status::Pass:
    return "PASS";
  case Status::Fail:
    return "FAIL";
  case Status::Skipped:
    return "SKIPPED";
  }
  return "";
}

Report::Report(size_t modelWidth, bool isQuiet)
    : modelWidth(std::max<size_t>(modelWidth, 5)), isQuiet(isQuiet) {
  std::printf("%-*s  dtype  cache      page  heads  form        plan      "
              "error     tolerance  result\n",
              static_cast<int>(this->modelWidth), "model");
}

void Report::add(Row row) {
  const Outcome &outcome = row.outcome;
  if (!isQuiet || outcome.status != Status::Pass)
    std::printf("%-*s  %-5s  %-9s  %4lld  %5lld  %-10s  %-8s  %-8.2e  %-9.0e  "
                "%s%s%s\n",
                static_cast<int>(modelWidth), row.model.c_str(),
                row.variant.dtype.c_str(), row.variant.cache.c_str(),
                static_cast<long long>(row.variant.pageSize),
                static_cast<long long>(row.variant.heads), row.form.c_str(),
                row.plan.c_str(), outcome.error, row.tolerance,
                getName(outcome.status), outcome.reason.empty() ? "" : ": ",
                outcome.reason.c_str());
  std::fflush(stdout);
  row.outcome.outputs.clear();
  rows.push_back(std::move(row));
}

int Report::count(Status status) const {
  return static_cast<int>(
      std::count_if(rows.begin(), rows.end(), [&](const Row &row) {
        return row.outcome.status == status;
      }));
}

void Report::printWorst() const {
  struct Worst {
    const Row *error = nullptr;
    double distance = 0;
  };
  std::map<std::pair<std::string, std::string>, Worst> worsts;
  for (const Row &row : rows) {
    if (row.outcome.status != Status::Pass)
      continue;
    Worst &worst = worsts[{row.variant.dtype, row.variant.cache}];
    if (!worst.error || row.outcome.error > worst.error->outcome.error)
      worst.error = &row;
    worst.distance = std::max(worst.distance, row.distance);
  }
  for (const auto &[key, worst] : worsts)
    std::printf("%s, cache %s: the largest error that passed is %.2e (%s, %s, "
                "%s); forms and plans are at most %.2e apart\n",
                key.first.c_str(), key.second.c_str(),
                worst.error->outcome.error, worst.error->model.c_str(),
                worst.error->form.c_str(), worst.error->plan.c_str(),
                worst.distance);
}

void Report::printSummary() const {
  printWorst();
  std::set<std::string> models;
  for (const Row &row : rows)
    models.insert(row.model);
  std::printf("%zu model%s: %d passed, %d failed, %d skipped\n", models.size(),
              models.size() == 1 ? "" : "s", count(Status::Pass),
              count(Status::Fail), count(Status::Skipped));
}

io::Status Report::writeJSON(const std::string &path,
                             const std::string &device) const {
  json results = json::array();
  for (const Row &row : rows)
    results.push_back({{"model", row.model},
                       {"dtype", row.variant.dtype},
                       {"cache", row.variant.cache},
                       {"page_size", row.variant.pageSize},
                       {"heads", row.variant.heads},
                       {"form", row.form},
                       {"plan", row.plan},
                       {"error", row.outcome.error},
                       {"distance", row.distance},
                       {"tolerance", row.tolerance},
                       {"result", getName(row.outcome.status)},
                       {"reason", row.outcome.reason}});
  json report = {{"schema", 2},
                 {"mla", MLA_VERSION_STRING},
                 {"abi", mla_abi_version()},
                 {"device", device},
                 {"results", results},
                 {"passed", count(Status::Pass)},
                 {"failed", count(Status::Fail)},
                 {"skipped", count(Status::Skipped)}};
  return io::writeFile(
      path, report.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

io::Status dumpOutputs(const std::string &directory, const Row &row) {
  const Variant &variant = row.variant;
  std::string path = directory + "/" + row.model + "_" + variant.dtype + "_" +
                     variant.cache + "_p" + std::to_string(variant.pageSize) +
                     "_h" + std::to_string(variant.heads) + "_" + row.form +
                     "_" + row.plan + ".safetensors";
  const std::vector<HostTensor> &outputs = row.outcome.outputs;
  std::vector<io::NamedTensor> tensors;
  for (size_t i = 0; i < outputs.size(); ++i)
    tensors.push_back({outputs.size() == 1 ? "out" : "out." + std::to_string(i),
                       outputs[i].dtype, outputs[i].shape,
                       outputs[i].bytes.data(), outputs[i].bytes.size()});
  return io::writeSafeTensors(
      path, tensors,
      {{"model", row.model}, {"form", row.form}, {"plan", row.plan}});
}

} // namespace mla::parity
