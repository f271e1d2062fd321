//===- DecodeStep.h - An entry with all of its arguments --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_GPU_DECODESTEP_H
#define MLA_TEST_GPU_DECODESTEP_H

#include "GuardedBuffer.h"
#include "Metadata.h"
#include "io/Manifest.h"

namespace mla::graph {

/// What a call wrote, by argument.
using Written = std::map<std::string, Bytes>;

/// A step of one layer's core, or of several layers', on one context: buffers
/// that stay where they are, and whose metadata change. The same entry and
/// sizes give the same contents.
class DecodeStep {
public:
  static io::Result<DecodeStep> make(mla_context *ctx,
                                     const io::ManifestEntry &entry,
                                     mla_entry_fn function,
                                     const StepSizes &sizes);

  /// Sets the batch, gives the cache its first content again and makes the
  /// outputs NaN.
  io::Status prepare(const Metadata &batch);
  /// Calls the entry.
  io::Status call() const;
  io::Result<Written> read() const;
  /// What the arguments of role inout hold before a call.
  Written getFirstContent() const;
  /// That no byte was written but those of outputs and caches.
  io::Status checkRest() const;

  const std::string &getName() const { return entry->name; }
  const io::ManifestEntry &getEntry() const { return *entry; }

private:
  struct Argument {
    const io::ManifestArg *described = nullptr;
    uint32_t dtype = 0;
    std::vector<int64_t> shape;
    GuardedBuffer buffer;
    Bytes content; ///< what it has before a call
  };

  io::Status addArgument(const io::ManifestArg &arg, const StepSizes &sizes);
  io::Status plan();
  io::Status run(int32_t mode) const;

  mla_context *ctx = nullptr;
  const io::ManifestEntry *entry = nullptr;
  mla_entry_fn function = nullptr;
  std::vector<Argument> arguments;
  std::vector<mla_tensor> tensors;
};

} // namespace mla::graph

#endif // MLA_TEST_GPU_DECODESTEP_H
