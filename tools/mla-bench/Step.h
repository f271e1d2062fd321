//===- Step.h - A compiled step to be measured ------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step is one entry of a compiled module: the attention cores of one or more
// layers. Its sizes are told by its arguments, which go by the names that
// mla-import gives them; where there are several layers, those of one layer end
// in its number: q_0, cache_0.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_STEP_H
#define MLA_BENCH_STEP_H

#include "Case.h"
#include "io/Manifest.h"
#include "mla_runtime/runtime.h"

#include <memory>

namespace mla::bench {

/// An argument's name without its layer's number: "cache" of "cache_0".
std::string baseName(const std::string &name);

/// What an entry's arguments say of its step.
struct StepShape {
  int64_t layers = 0; ///< Caches, and as many of each layer's own arguments.
  /// The attention of a layer: all but batch, keys and tokens.
  Case attention;
  bool rotated = false; ///< By a table.
  /// Whether every layer is the calls absorb_q, append, absorbed_attention and
  /// project_v, without sinks or indices: what a Case stands for.
  bool hasParts = false;
};

/// The shape of an entry; a sentence where it is no step of such layers.
/// `passes`: those of the manifest.
io::Result<StepShape> shapeOf(const io::ManifestEntry &entry,
                              const std::vector<std::string> &passes);

/// An entry of a loaded module.
class StepModule {
public:
  /// `entry` empty: the only one that there is.
  static io::Result<std::shared_ptr<const StepModule>>
  load(const std::string &path, const std::string &entry);
  ~StepModule() { mla_module_unload(module); }
  StepModule(const StepModule &) = delete;

  const std::string &file() const { return path; }
  const io::ManifestEntry &entry() const { return description; }
  const StepShape &shape() const { return what; }
  mla_entry_fn function() const { return call; }

private:
  StepModule() = default;

  std::string path;
  mla_module *module = nullptr;
  io::ManifestEntry description;
  StepShape what;
  mla_entry_fn call = nullptr;
};

/// A step over sequences of given lengths.
struct StepCase {
  std::shared_ptr<const StepModule> module;
  Case attention; ///< Of one layer, with its sizes.

  StepCase(std::shared_ptr<const StepModule> module, int64_t batch,
           int64_t keys, int64_t newTokens);

  int64_t layers() const { return module->shape().layers; }
  /// "step bf16 B=1 kv=1024 T=1 H=16 layers=4".
  std::string name() const;
  /// Bytes of one layer's w_kv_b, all of which a step reads.
  double weightBytes() const;
  /// The calls of one layer, for those that can be made alone.
  std::vector<Case> parts() const;
};

} // namespace mla::bench

#endif // MLA_BENCH_STEP_H
