//===- OpCase.h - A call of each operation, in its forms ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_OPCASE_H
#define MLA_TEST_RUNTIME_CUDA_OPCASE_H

#include "DeviceCopies.h"
#include "TestTensor.h"

#include <functional>
#include <memory>

namespace mla {
namespace test {

/// A call on the device's copies of host tensors.
struct OpCase {
  std::string name;
  DeviceCopies copies;
  std::function<mla_status(mla_context *)> call;
  /// Puts other valid inputs of the same shapes into the host tensors, and
  /// poisons the outputs.
  std::function<void(Random &)> change;
  std::vector<TestTensor> outputs;
};

using OpCases = std::vector<std::unique_ptr<OpCase>>;

/// Forms of mla_append: what it writes, types, rotation, number of heads.
OpCases appendCases(uint64_t seed);
/// Forms of both attentions and of what prepares them.
OpCases attentionCases(uint64_t seed);
/// The other operations.
OpCases otherCases(uint64_t seed);
/// All of them.
OpCases everyCase(uint64_t seed);

/// Moves a call's tensors to the device. `owner` is what holds them.
template <typename Params, typename Owner>
std::unique_ptr<OpCase>
makeOpCase(std::string name, Params params,
           mla_status (*function)(mla_context *, const Params *),
           std::shared_ptr<Owner> owner, std::vector<TestTensor> outputs,
           std::function<void(Owner &, Random &)> change) {
  auto result = std::make_unique<OpCase>();
  result->name = std::move(name);
  result->copies.take(params);
  result->call = [=](mla_context *ctx) { return function(ctx, &params); };
  result->outputs = outputs;
  result->change = [=](Random &random) {
    for (const TestTensor &output : outputs)
      output.forEach([&](const Shape &index) {
        std::memset(output.address(index), 0xFF,
                    mla_dtype_bits(output.dtype()) / 8);
      });
    change(*owner, random);
  };
  return result;
}

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_OPCASE_H
