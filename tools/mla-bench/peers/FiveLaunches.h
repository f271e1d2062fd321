//===- FiveLaunches.h - A kernel for each step of mla_append ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_PEERS_FIVELAUNCHES_H
#define MLA_BENCH_PEERS_FIVELAUNCHES_H

#include "AppendPeers.h"

namespace mla::bench::peers {

AppendPeer fiveLaunches();

} // namespace mla::bench::peers

#endif // MLA_BENCH_PEERS_FIVELAUNCHES_H
