//===- Fault.h - Bad values in device data, recorded where they are met ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A kernel asks isOutside() before it follows a page, slot, position, length or
// offset, and skips what would lead nowhere. The first such value since the
// last mla_context_check is kept in device memory that belongs to the context.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_FAULT_H
#define MLA_RUNTIME_CUDA_FAULT_H

#include <cstdint>

namespace mla {
namespace cuda {

/// Every argument that can hold a bad value: X(operation, argument, text).
#define MLA_CUDA_FAULT_SITES(X)                                                \
  X(slot_mapping, kv_lens, "kv_lens")                                          \
  X(slot_mapping, cu_q, "cu_q")                                                \
  X(slot_mapping, page_table, "page_table")                                    \
  X(rope, positions, "positions")                                              \
  X(append, slots, "slots")                                                    \
  X(append, positions, "positions")                                            \
  X(append, cu_q, "cu_q")                                                      \
  X(append, query_scale, "query_scale")                                        \
  X(append, latent_scale, "latent_scale")                                      \
  X(append, pe_scale, "pe_scale")                                              \
  X(absorbed_attention, page_table, "page_table")                              \
  X(absorbed_attention, kv_lens, "kv_lens")                                    \
  X(absorbed_attention, max_kv, "kv_lens, bounded by max_kv")                  \
  X(absorbed_attention, cu_q, "cu_q")                                          \
  X(absorbed_attention, kv_bounds, "kv_bounds")                                \
  X(absorbed_attention, schedule, "schedule")                                  \
  X(absorbed_attention, query_scale, "query_scale")                            \
  X(absorbed_attention, latent_scale, "latent_scale")                          \
  X(absorbed_attention, pe_scale, "pe_scale")                                  \
  X(expanded_attention, cu_q, "cu_q")                                          \
  X(expanded_attention, cu_k, "cu_k")                                          \
  X(expanded_attention, kv_lens, "kv_lens")                                    \
  X(gather_kv, page_table, "page_table")                                       \
  X(gather_kv, kv_lens, "kv_lens")                                             \
  X(gather_kv, max_kv, "kv_lens, bounded by max_kv")                           \
  X(gather_kv, latent_scale, "latent_scale")                                   \
  X(gather_kv, pe_scale, "pe_scale")

enum class FaultSite : int32_t {
#define MLA_CUDA_FAULT_SITE(op, argument, text) op##_##argument,
  MLA_CUDA_FAULT_SITES(MLA_CUDA_FAULT_SITE)
#undef MLA_CUDA_FAULT_SITE
};

/// In device memory, zero while nothing was met.
struct FaultRecord {
  int32_t present;
  FaultSite site;
  int32_t isScale; ///< `scale` counts, not the four below.
  float scale;
  int64_t index, value, limit, lowest;
};

#ifdef __CUDACC__

/// Keeps one bad value; the first of one call is any of those that its threads
/// meet.
__device__ inline void recordFault(FaultRecord *record, FaultSite site,
                                   int64_t index, int64_t value, int64_t limit,
                                   int64_t lowest) {
  if (atomicCAS(&record->present, 0, 1) != 0)
    return;
  record->site = site;
  record->isScale = 0;
  record->index = index;
  record->value = value;
  record->limit = limit;
  record->lowest = lowest;
}

/// Whether `value`, element `index` of the argument, lies outside [lowest,
/// limit); recorded if so. MLA_CUDA_UNCHECKED builds a library that trusts its
/// data, to measure what the checks cost.
__device__ inline bool isOutside(FaultRecord *record, FaultSite site,
                                 int64_t index, int64_t value, int64_t limit,
                                 int64_t lowest = 0) {
#ifdef MLA_CUDA_UNCHECKED
  return false;
#else
  // Bad values are seldom: what is done with them is kept out of the way.
  if (__builtin_expect(value >= lowest && value < limit, 1))
    return false;
  recordFault(record, site, index, value, limit, lowest);
  return true;
#endif
}

/// Whether `value` can be a quantization scale: a positive normal number.
__device__ inline bool isScale(float value) {
  return __float_as_uint(value) - 0x00800000u < 0x7f000000u;
}

/// Whether `value` is no quantization scale; recorded if so.
__device__ inline bool isBadScale(FaultRecord *record, FaultSite site,
                                  float value) {
  if (isScale(value))
    return false;
  if (atomicCAS(&record->present, 0, 1) == 0) {
    record->site = site;
    record->isScale = 1;
    record->scale = value;
  }
  return true;
}

/// Reads a quantization scale; 1 where there is none. False, and recorded,
/// where it is no positive normal number.
__device__ inline bool loadScale(FaultRecord *record, FaultSite site,
                                 const float *scale, float &value) {
  value = scale ? *scale : 1.0f;
  return !isBadScale(record, site, value);
}

#endif // __CUDACC__

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_FAULT_H
