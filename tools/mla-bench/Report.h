//===- Report.h - What was measured, as a table and as JSON -----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_REPORT_H
#define MLA_BENCH_REPORT_H

#include "Bench.h"

#include <nlohmann/json_fwd.hpp>

namespace mla::bench {

/// The machine, the number of threads and the ceilings: what the table's shares
/// are of.
void printCeilings(const Device &device, int threads, const Ceilings &ceilings);
/// The head of the table for a device, and the rows to it.
void printHeader(const Device &device);
void printRow(const Device &device, const Measurement &m);

/// The same for steps.
void printStepHeader();
void printStep(const StepMeasurement &m);
/// What the JSON has of a step.
nlohmann::ordered_json stepToJson(const StepMeasurement &m);

/// All runs with the machine, the date (UTC) and the versions, JSON. `commit`
/// is left out where it is empty.
std::string toJson(const std::string &deviceName, const std::string &commit,
                   const Device &device, const std::vector<BenchRun> &runs);

} // namespace mla::bench

#endif // MLA_BENCH_REPORT_H
