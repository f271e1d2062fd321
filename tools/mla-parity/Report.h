//===- Report.h - Results as a table, as JSON and as tensors ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_REPORT_H
#define MLA_TOOLS_PARITY_REPORT_H

#include "Bundle.h"
#include "FormRunner.h"

#include <string>
#include <vector>

namespace mla::parity {

/// One line of the table.
struct Row {
  std::string model;
  Variant variant;
  std::string form;
  double tolerance = 0;
  Outcome outcome;
};

/// Prints the table as rows come, and keeps them without their outputs.
class Report {
public:
  /// `modelWidth`: of the longest model's name.
  explicit Report(size_t modelWidth);
  void add(Row row);
  /// The last line.
  void printSummary() const;
  int count(Status status) const;
  /// {"schema", "mla", "abi", "device", "results": [...], "passed", "failed",
  /// "skipped"}; an error that is not a number is null.
  io::Status writeJSON(const std::string &path,
                       const std::string &device) const;

private:
  size_t modelWidth;
  std::vector<Row> rows;
};

/// Writes a form's outputs: DIRECTORY/MODEL_DTYPE_pPAGE_hHEADS_FORM.safetensors
/// with a tensor out [tokens, H, V], or out.0, out.1, ... for several
/// sequences.
io::Status dumpOutputs(const std::string &directory, const Row &row);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_REPORT_H
