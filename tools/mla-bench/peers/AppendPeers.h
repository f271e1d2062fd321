//===- AppendPeers.h - What engines launch for mla_append -------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Serving engines get the results of mla_append from chains of kernels, or from
// fused ones that always rotate. These are such kernels, of the same structure,
// in plain CUDA: accesses of 16 bytes, and as many threads as there is work
// for.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_PEERS_APPENDPEERS_H
#define MLA_BENCH_PEERS_APPENDPEERS_H

#include "mla_runtime/runtime.h"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <vector>

namespace mla::bench {

/// Another way to the results of mla_append: the same bytes in query, k_pe_out
/// and cache, but where `about` says otherwise. The tensors of a call are in
/// device memory, of the current device; slots and positions are trusted.
struct AppendPeer {
  const char *name;  ///< "five_launches"
  const char *about; ///< One sentence.
  /// Whether it can do this call: f16 or bf16 inputs, rows of whole and aligned
  /// units of 16 bytes, no padding (cu_q). The functions below are for such
  /// calls only.
  bool (*takes)(const mla_append_params &);
  /// Bytes of device memory, aligned to 256, that a call needs; may be 0.
  uint64_t (*scratchBytes)(const mla_append_params &);
  /// Does, or enqueues, what is done once, before the first run with this
  /// scratch; not while the stream is captured.
  cudaError_t (*prepare)(const mla_append_params &, void *scratch,
                         cudaStream_t);
  /// Enqueues the call.
  cudaError_t (*run)(const mla_append_params &, void *scratch, cudaStream_t);
  /// How many kernels `run` enqueues.
  int (*launches)(const mla_append_params &);
};

/// "five_launches" and "identity_table".
const std::vector<AppendPeer> &appendPeers();

} // namespace mla::bench

#endif // MLA_BENCH_PEERS_APPENDPEERS_H
