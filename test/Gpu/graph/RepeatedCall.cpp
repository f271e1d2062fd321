//===- RepeatedCall.cpp - Replays on the CPU ------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"

namespace mla::graph {
namespace {

class RepeatedCall : public Graph {
public:
  explicit RepeatedCall(Call call) : call(std::move(call)) {}
  io::Status replay() override { return call(); }

private:
  Call call;
};

} // namespace

std::unique_ptr<Graph> makeRepeatedCall(Call call) {
  return std::make_unique<RepeatedCall>(std::move(call));
}

#ifndef MLA_HAVE_CUDA
io::Result<std::unique_ptr<Graph>> capture(mla_context *, const Call &) {
  return io::Error{"capture: expected a build with CUDA, got one without"};
}
#endif

} // namespace mla::graph
