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

Report::Report(size_t modelWidth)
    : modelWidth(std::max<size_t>(modelWidth, 5)) {
  std::printf(
      "%-*s  dtype  page  heads  form      error     tolerance  result\n",
      static_cast<int>(this->modelWidth), "model");
}

void Report::add(Row row) {
  const Outcome &outcome = row.outcome;
  std::printf("%-*s  %-5s  %4lld  %5lld  %-8s  %-8.2e  %-9.0e  %s%s%s\n",
              static_cast<int>(modelWidth), row.model.c_str(),
              row.variant.dtype.c_str(),
              static_cast<long long>(row.variant.pageSize),
              static_cast<long long>(row.variant.heads), row.form.c_str(),
              outcome.error, row.tolerance, getName(outcome.status),
              outcome.reason.empty() ? "" : ": ", outcome.reason.c_str());
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

void Report::printSummary() const {
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
                       {"page_size", row.variant.pageSize},
                       {"heads", row.variant.heads},
                       {"form", row.form},
                       {"error", row.outcome.error},
                       {"tolerance", row.tolerance},
                       {"result", getName(row.outcome.status)},
                       {"reason", row.outcome.reason}});
  json report = {{"schema", 1},
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
  std::string path = directory + "/" + row.model + "_" + row.variant.dtype +
                     "_p" + std::to_string(row.variant.pageSize) + "_h" +
                     std::to_string(row.variant.heads) + "_" + row.form +
                     ".safetensors";
  const std::vector<HostTensor> &outputs = row.outcome.outputs;
  std::vector<io::NamedTensor> tensors;
  for (size_t i = 0; i < outputs.size(); ++i)
    tensors.push_back({outputs.size() == 1 ? "out" : "out." + std::to_string(i),
                       outputs[i].dtype, outputs[i].shape,
                       outputs[i].bytes.data(), outputs[i].bytes.size()});
  return io::writeSafeTensors(path, tensors,
                              {{"model", row.model}, {"form", row.form}});
}

} // namespace mla::parity
