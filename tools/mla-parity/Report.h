//===- Report.h - Results as a table, as JSON and as tensors ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_REPORT_H
#define MLA_TOOLS_PARITY_REPORT_H

#include "Bundle.h"
#include "Runner.h"

#include <string>
#include <vector>

namespace mla::parity {

/// One line of the table.
struct Row {
  std::string model;
  Variant variant;
  std::string form, plan;
  double tolerance = 0;
  Outcome outcome;
  /// Of its output from that of the same core's first form and plan.
  double distance = 0;
};

/// Prints the table as rows come, and keeps them without their outputs.
class Report {
public:
  /// `modelWidth`: of the longest model's name. A quiet one prints only rows
  /// that didn't pass.
  Report(size_t modelWidth, bool isQuiet);
  void add(Row row);
  /// The worst of every type and cache, and the last line.
  void printSummary() const;
  int count(Status status) const;
  bool isEmpty() const { return rows.empty(); }
  const std::vector<Row> &getRows() const { return rows; }
  /// {"schema", "mla", "abi", "device", "results": [...], "passed", "failed",
  /// "skipped"}; an error that is not a number is null.
  io::Status writeJSON(const std::string &path,
                       const std::string &device) const;

private:
  void printWorst() const;

  size_t modelWidth;
  bool isQuiet;
  std::vector<Row> rows;
};

/// Writes a row's outputs:
/// DIRECTORY/MODEL_DTYPE_CACHE_pPAGE_hHEADS_FORM_PLAN.safetensors with a tensor
/// out [tokens, H, V], or out.0, out.1, ... for several sequences.
io::Status dumpOutputs(const std::string &directory, const Row &row);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_REPORT_H
