//===- AppendPeers.cpp - The peers of mla_append --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AppendPeers.h"

#include "FiveLaunches.h"
#include "IdentityTable.h"

using namespace mla::bench;

const std::vector<AppendPeer> &mla::bench::appendPeers() {
  static const std::vector<AppendPeer> peers = {peers::fiveLaunches(),
                                                peers::identityTable()};
  return peers;
}
