//===- IdentityTable.h - One kernel that always rotates ---------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_PEERS_IDENTITYTABLE_H
#define MLA_BENCH_PEERS_IDENTITYTABLE_H

#include "AppendPeers.h"

namespace mla::bench::peers {

AppendPeer identityTable();

} // namespace mla::bench::peers

#endif // MLA_BENCH_PEERS_IDENTITYTABLE_H
