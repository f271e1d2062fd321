//===- Cases.h - Every form and plan of a golden case -----------*- C++ -*-===//
//-*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_CASES_H
#define MLA_TOOLS_PARITY_CASES_H

#include "Bundle.h"
#include "Report.h"
#include "Runner.h"

#include <string>
#include <vector>

namespace mla::parity {

/// What to run of every case.
struct CaseOptions {
  std::vector<std::string> forms, plans;
  std::string dump; ///< directory for the outputs, or empty
};

/// Adds a row to `results` for every form and plan of every core of a case.
io::Status runCase(const Bundle &bundle, const Case &one,
                   const CaseOptions &options, Session &session,
                   Report &results);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_CASES_H
