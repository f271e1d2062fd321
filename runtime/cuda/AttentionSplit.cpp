//===- AttentionSplit.cpp - How attention is spread over the GPU ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionSplit.h"

using namespace mla;
using namespace mla::cuda;

uint64_t mla::cuda::attentionScratchBytes(const State &) { return 256; }
