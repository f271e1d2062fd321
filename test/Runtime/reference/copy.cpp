//===- copy.cpp - Copies --------------------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "copy.h"

void mla::reference::copy(const Array &src, Array &dst) { dst.data = src.data; }
