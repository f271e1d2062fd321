//===- DecodeStep.cpp - An entry with all of its arguments ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DecodeStep.h"

#include "LayerNames.h"
#include "RandomInputs.h"
#include "io/Dtype.h"

#include <cstring>

namespace mla::graph {
namespace {

constexpr uint64_t kSeed = 1;

/// The sizes as mla-run's random inputs ask for them.
run::Symbols getSymbols(const StepSizes &sizes) {
  run::Symbols symbols;
  symbols.setDefault("B", sizes.sequences);
  symbols.setDefault("T", sizes.tokens);
  symbols.setDefault("K", sizes.pagesEach);
  symbols.setDefault("pages", sizes.pages());
  symbols.setDefault("max_pos", sizes.capacity());
  symbols.setDefault("topk", sizes.topk);
  return symbols;
}

bool isMetadata(uint32_t dtype) {
  return dtype == MLA_DTYPE_I32 || dtype == MLA_DTYPE_I64;
}

mla_tensor describe(mla_context *ctx, uint32_t dtype,
                    const std::vector<int64_t> &shape, void *data) {
  mla_tensor tensor = {};
  tensor.data = data;
  tensor.device_type = std::strcmp(mla_context_backend(ctx), "cpu") == 0
                           ? MLA_DEVICE_CPU
                           : MLA_DEVICE_CUDA;
  tensor.dtype = dtype;
  tensor.rank = static_cast<int32_t>(shape.size());
  int64_t stride = 1;
  for (int i = tensor.rank - 1; i >= 0; --i) {
    tensor.shape[i] = shape[i];
    tensor.strides[i] = stride;
    stride *= shape[i];
  }
  return tensor;
}

} // namespace

io::Status DecodeStep::addArgument(const io::ManifestArg &arg,
                                   const StepSizes &sizes) {
  Argument argument;
  argument.described = &arg;
  argument.dtype = mla_dtype_from_name(arg.dtype.c_str());
  run::Symbols symbols = getSymbols(sizes);
  io::Result<std::vector<int64_t>> shape = symbols.resolve(arg);
  if (!shape)
    return io::Error{shape.error()};
  argument.shape = *shape;
  uint64_t bytes = io::dtypeBytes(argument.dtype);
  for (int64_t size : argument.shape)
    bytes *= static_cast<uint64_t>(size);
  if (arg.role == "scalar" || bytes == 0)
    return io::Error{arg.name + ": expected a tensor with elements, got " +
                     arg.role + " " + arg.showShape()};

  if (isMetadata(argument.dtype)) {
    argument.content.resize(bytes);
  } else if (arg.role == "output") {
    argument.content.assign(bytes, 0xff); // a NaN in every type
  } else {
    io::Result<io::Buffer> random = run::makeRandomInput(
        arg, argument.dtype, argument.shape, symbols, *entry, kSeed);
    if (!random)
      return io::Error{random.error()};
    argument.content.assign(random->data(), random->data() + bytes);
  }
  io::Result<GuardedBuffer> buffer = GuardedBuffer::make(ctx, bytes);
  if (!buffer)
    return io::Error{arg.name + ": " + buffer.error()};
  argument.buffer = std::move(*buffer);
  tensors.push_back(
      describe(ctx, argument.dtype, argument.shape, argument.buffer.data()));
  io::Status uploaded = argument.buffer.upload(argument.content);
  arguments.push_back(std::move(argument));
  return uploaded;
}

io::Result<DecodeStep> DecodeStep::make(mla_context *ctx,
                                        const io::ManifestEntry &entry,
                                        mla_entry_fn function,
                                        const StepSizes &sizes) {
  DecodeStep step;
  step.ctx = ctx;
  step.entry = &entry;
  step.function = function;
  for (const io::ManifestArg &arg : entry.args)
    if (io::Status added = step.addArgument(arg, sizes); !added)
      return io::Error{added.error()};
  if (io::Status planned = step.plan(); !planned)
    return io::Error{planned.error()};
  return step;
}

io::Status DecodeStep::run(int32_t mode) const {
  if (mla_context_set_mode(ctx, mode) != MLA_STATUS_OK ||
      function(ctx, tensors.data(), static_cast<int64_t>(tensors.size())) !=
          MLA_STATUS_OK)
    return io::Error{mla_last_error(ctx)};
  return {};
}

io::Status DecodeStep::plan() {
  if (io::Status planned = run(MLA_MODE_PLAN); !planned)
    return planned;
  if (mla_context_set_workspace(ctx, nullptr,
                                mla_context_workspace_high_water(ctx)) !=
          MLA_STATUS_OK ||
      mla_warmup(ctx) != MLA_STATUS_OK)
    return io::Error{mla_last_error(ctx)};
  return run(MLA_MODE_CHECK);
}

io::Status DecodeStep::prepare(const Metadata &batch) {
  for (Argument &argument : arguments) {
    if (isMetadata(argument.dtype)) {
      auto values = batch.find(run::dropLayer(argument.described->name));
      if (values == batch.end())
        return io::Error{
            argument.described->name +
            ": expected metadata that this test knows, got others"};
      io::Result<io::Buffer> content =
          io::convertElements(values->second.data(), MLA_DTYPE_I64,
                              argument.dtype, values->second.size());
      if (!content)
        return io::Error{content.error()};
      if (content->size() != argument.content.size())
        return io::Error{argument.described->name + ": expected " +
                         std::to_string(argument.content.size()) +
                         " bytes, got " + std::to_string(content->size())};
      argument.content.assign(content->data(),
                              content->data() + content->size());
    } else if (!argument.described->isWritten()) {
      continue;
    }
    if (io::Status done = argument.buffer.upload(argument.content); !done)
      return done;
  }
  return {};
}

io::Status DecodeStep::call() const { return run(MLA_MODE_RUN); }

io::Result<Written> DecodeStep::read() const {
  Written written;
  for (const Argument &argument : arguments) {
    if (!argument.described->isWritten())
      continue;
    io::Result<Bytes> content = argument.buffer.download();
    if (!content)
      return io::Error{content.error()};
    written[argument.described->name] = std::move(*content);
  }
  return written;
}

Written DecodeStep::getFirstContent() const {
  Written first;
  for (const Argument &argument : arguments)
    if (argument.described->role == "inout")
      first[argument.described->name] = argument.content;
  return first;
}

io::Status DecodeStep::checkRest() const {
  for (const Argument &argument : arguments) {
    const std::string &name = argument.described->name;
    io::Result<bool> intact = argument.buffer.isIntact();
    if (!intact)
      return io::Error{intact.error()};
    if (!*intact)
      return io::Error{name + ": expected the bytes around it as they were, "
                              "got others"};
    if (argument.described->isWritten())
      continue;
    io::Result<Bytes> content = argument.buffer.download();
    if (!content)
      return io::Error{content.error()};
    if (*content != argument.content)
      return io::Error{name + ": expected an input as it was, got another"};
  }
  return {};
}

} // namespace mla::graph
