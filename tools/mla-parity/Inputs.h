//===- Inputs.h - A golden case in one type and number of heads -*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_INPUTS_H
#define MLA_TOOLS_PARITY_INPUTS_H

#include "Golden.h"
#include "HostTensor.h"

namespace mla::parity {

/// What a core of `heads` heads in type `dtype` is given: head h is head h
/// modulo the golden's number. All tokens' rows; a launch takes some of them.
struct Inputs {
  Inputs(const Golden &golden, uint32_t dtype, int64_t heads);

  const Golden &golden;
  uint32_t dtype; ///< MLA_DTYPE_*
  int64_t heads;
  HostTensor q, cKV, kPe, indices; ///< a row a token
  HostTensor weight, sinks;
  /// cos_sin [max_pos, R]: row i rotates token i; the rows behind the last
  /// token are NaN, so that a wrong position shows.
  HostTensor table;
};

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_INPUTS_H
