//===- LaunchInputs.h - What a launch has of its own ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_LAUNCHINPUTS_H
#define MLA_TOOLS_PARITY_LAUNCHINPUTS_H

#include "HostTensor.h"
#include "Inputs.h"
#include "Plans.h"
#include "Reference.h"

#include <map>
#include <string>

namespace mla::parity {

/// The inputs of one launch, by the argument's name, with those that an entry
/// may lack. Rows of padding are poison.
std::map<std::string, HostTensor> getLaunchInputs(const Launch &launch,
                                                  const Inputs &inputs,
                                                  const Scales &scales,
                                                  const HostTensor &pageTable);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_LAUNCHINPUTS_H
