//===- Golden.h - Recorded tensors to a core's description ------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IMPORT_GOLDEN_H
#define MLA_IMPORT_GOLDEN_H

#include "mla/Import/AttentionCoreSpec.h"

#include "io/SafeTensors.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mla {

/// Reads the description of a core off what it once computed: the shapes of q
/// [S,H,N+R], c_kv [S,L], k_pe [S,R], w_kv_b [H,N+V,L] and out [S,H,V], whether
/// there are sinks and topk_indices, and the metadata `model`, `softmax_scale`
/// and `rope`.
llvm::Expected<AttentionCoreSpec> readGolden(const io::SafeTensors &file,
                                             llvm::StringRef place);

/// The rotary table [max(positions)+1, R] that the rows `cos` and `sin` of the
/// file are part of; rows for positions that the file lacks are NaN. R = 0 or
/// no rotation in the file is an error.
llvm::Expected<std::vector<float>>
readGoldenRopeTable(const io::SafeTensors &file, llvm::StringRef place);

} // namespace mla

#endif // MLA_IMPORT_GOLDEN_H
