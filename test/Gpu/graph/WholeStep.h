//===- WholeStep.h - What steps of several layers are held to ---*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_GPU_WHOLESTEP_H
#define MLA_TEST_GPU_WHOLESTEP_H

#include "DecodeStep.h"

namespace mla::graph {

/// How many layers' cores an entry has: it has a cache for each.
int64_t countLayers(const io::ManifestEntry &entry);

/// The entry's name without its number of layers, by which alone names of some
/// entries differ: attention for attention_l3.
std::string getStem(const io::ManifestEntry &entry);

/// Kernels in the graphs of steps that differ in nothing but how many layers
/// they have.
using KernelsByLayers = std::map<int64_t, int64_t>;

/// That every further layer adds the same kernels (the query's and the output's
/// products, the append, the attention with what may combine its parts), and
/// that the first has more: what a step does once, whatever its layers.
io::Status checkLaunches(const KernelsByLayers &kernels);

/// Calls both steps, which are of one entry and have the same contents, on
/// `batches`, in which no token is padding: what the backends give differs by
/// no more than both may be off (docs/numerics.md, "Tolerances").
io::Status checkBackends(DecodeStep &step, DecodeStep &reference,
                         const std::vector<Metadata> &batches);

} // namespace mla::graph

#endif // MLA_TEST_GPU_WHOLESTEP_H
