//===- ModelTable.h - The models that passed, in Markdown -------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_MODELTABLE_H
#define MLA_TOOLS_PARITY_MODELTABLE_H

#include "Golden.h"
#include "Report.h"

#include <string>
#include <vector>

namespace mla::parity {

/// A line a model (its sizes, how it rotates and scales, its largest errors,
/// how many outputs were compared) and a paragraph that says what was compared.
/// Errors are given as the next power of ten, so that machines whose vectors
/// differ in width print the same. All `rows` passed.
std::string getModelTable(const std::vector<Golden> &models,
                          const std::vector<Row> &rows);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_MODELTABLE_H
