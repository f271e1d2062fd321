//===- Session.cpp - Calls of one entry over one cache --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Session.h"

#include "LayerNames.h"
#include "RandomInputs.h"
#include "io/Dtype.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <set>

namespace mla::run {
namespace {

bool isFloat(uint32_t dtype) {
  return dtype == MLA_DTYPE_F32 || dtype == MLA_DTYPE_F16 ||
         dtype == MLA_DTYPE_BF16 || dtype == MLA_DTYPE_F8E4M3FN;
}

} // namespace

const io::NamedTensor *findTensor(const Session::Files &files,
                                  const std::string &name) {
  for (const std::string &each : {name, dropLayer(name)})
    for (const io::SafeTensors *file : files)
      if (const io::NamedTensor *tensor = file->find(each))
        return tensor;
  return nullptr;
}

io::Error Session::lastError(const std::string &doing) const {
  std::string text = mla_last_error(ctx), prefix = entry.name + ": ";
  if (text.empty())
    text = mla_status_name(mla_context_status(ctx));
  // What an entry's own checks find begins with its name already.
  if (text.compare(0, prefix.size(), prefix) == 0)
    text.erase(0, prefix.size());
  return {prefix + (doing.empty() ? "" : doing + ": ") + text};
}

io::Status Session::allocate(const io::ManifestArg &arg, Argument &argument) {
  uint64_t bytes = io::dtypeBytes(argument.dtype);
  for (int64_t dim : argument.shape) {
    auto size = static_cast<uint64_t>(dim);
    if (size && bytes > (uint64_t(1) << 62) / size)
      return io::Error{arg.name +
                       ": expected a size in bytes below 2^62, got "
                       "shape " +
                       showShape(argument.shape)};
    bytes *= size;
  }
  argument.bytes = bytes;
  argument.memory = DeviceMemory(ctx, std::max<uint64_t>(bytes, 1));
  if (!argument.memory.get())
    return lastError(arg.name);
  return {};
}

io::Status Session::fill(const io::ManifestArg &arg, Argument &argument,
                         const io::NamedTensor *given, const Symbols &symbols) {
  uint64_t count = argument.bytes / io::dtypeBytes(argument.dtype);
  io::Result<io::Buffer> content = io::Buffer(argument.bytes); // zeros
  if (given) {
    if (options.verbose && given->dtype != argument.dtype)
      std::fprintf(stderr, "mla-run: %s: converting %s to %s\n",
                   arg.name.c_str(), io::safetensorsName(given->dtype),
                   io::safetensorsName(argument.dtype));
    content =
        io::convertElements(given->data, given->dtype, argument.dtype, count);
  } else if (arg.role == "output") {
    if (options.poison && isFloat(argument.dtype)) {
      std::vector<float> poison(count, std::nanf(""));
      content = io::convertElements(poison.data(), MLA_DTYPE_F32,
                                    argument.dtype, count);
    }
  } else if (options.seed) {
    content = makeRandomInput(arg, argument.dtype, argument.shape, symbols,
                              entry, *options.seed);
  } else if (arg.role != "inout") {
    return io::Error{arg.name +
                     ": expected a tensor of that name in a file, or "
                     "--random, got none"};
  }
  if (!content)
    return io::Error{
        (content.error().rfind(arg.name + ":", 0) == 0 ? "" : arg.name + ": ") +
        content.error()};
  if (!content->data())
    return io::Error{arg.name + ": expected memory for " +
                     std::to_string(argument.bytes) + " bytes, got none"};
  if (argument.bytes &&
      mla_upload(ctx, argument.memory.get(), content->data(), argument.bytes))
    return lastError(arg.name);
  return {};
}

/// What --set can give a size or value: sizes of the entry's arguments and its
/// scalars.
static std::set<std::string> settableNames(const io::ManifestEntry &entry) {
  std::set<std::string> names;
  for (const io::ManifestArg &arg : entry.args) {
    if (arg.role == "scalar")
      names.insert(arg.name);
    for (const io::ManifestDim &dim : arg.shape)
      if (!dim.symbol.empty() && dim.symbol != "?")
        names.insert(dim.symbol);
  }
  return names;
}

/// A scalar's value, of --set or a file; `given` has rank 0.
static io::Result<int64_t> readScalar(const io::NamedTensor *given,
                                      std::optional<int64_t> set) {
  if (!given)
    return set.value_or(0);
  int64_t value = 0;
  int32_t narrow = 0;
  if (given->dtype == MLA_DTYPE_I64) {
    std::memcpy(&value, given->data, sizeof(value));
  } else if (given->dtype == MLA_DTYPE_I32) {
    std::memcpy(&narrow, given->data, sizeof(narrow));
    value = narrow;
  } else {
    return io::Error{given->name + ": expected a scalar of type I64 or I32, " +
                     "got " + io::safetensorsName(given->dtype)};
  }
  if (set && *set != value)
    return io::Error{given->name + ": expected " + std::to_string(*set) +
                     " as in --set, got " + std::to_string(value)};
  return value;
}

io::Status Session::bind(const Files &files) {
  Symbols symbols;
  std::set<std::string> settable = settableNames(entry);
  for (auto &[symbol, value] : options.sizes) {
    // kv is what --random makes sequences of.
    if (!settable.count(symbol) && !(options.seed && symbol == "kv")) {
      std::string names;
      for (const std::string &name : settable)
        names += name + ", ";
      return io::Error{"--set: expected " +
                       (names.empty() ? "" : "one of " + names + "or ") +
                       "kv with --random, got " + symbol};
    }
    if (io::Status set = symbols.set(symbol, value, "--set"); !set)
      return set;
  }
  // What is given, and what stays from the call before, fixes the sizes.
  for (const io::ManifestArg &arg : entry.args) {
    auto kept = arguments.find(arg.name);
    const io::NamedTensor *given =
        arg.role == "output" ? nullptr : findTensor(files, arg.name);
    if (given) {
      if (io::Status status = symbols.match(arg, given->shape); !status)
        return status;
    } else if (arg.role == "inout" && kept != arguments.end()) {
      if (io::Status status = symbols.match(arg, kept->second.shape); !status)
        return status;
    }
  }
  if (options.seed)
    setRandomDefaults(symbols, entry);

  for (const io::ManifestArg &arg : entry.args) {
    Argument argument;
    argument.dtype = mla_dtype_from_name(arg.dtype.c_str());
    if (arg.role == "scalar") {
      auto size = options.sizes.find(arg.name);
      std::optional<int64_t> set;
      if (size != options.sizes.end())
        set = size->second;
      io::Result<int64_t> value = readScalar(findTensor(files, arg.name), set);
      if (!value)
        return io::Error{value.error()};
      argument.scalar = *value;
      arguments[arg.name] = std::move(argument);
      continue;
    }
    const io::NamedTensor *given =
        arg.role == "output" ? nullptr : findTensor(files, arg.name);
    if (arg.role == "inout" && !given && arguments.count(arg.name))
      continue;
    if (!io::dtypeBytes(argument.dtype))
      return io::Error{arg.name + ": expected a type that files have, got " +
                       arg.dtype};
    if (given) {
      argument.shape = given->shape;
    } else {
      io::Result<std::vector<int64_t>> shape = symbols.resolve(arg);
      if (!shape)
        return io::Error{shape.error()};
      argument.shape = *shape;
    }
    if (io::Status status = allocate(arg, argument); !status)
      return status;
    if (io::Status status = fill(arg, argument, given, symbols); !status)
      return status;
    arguments[arg.name] = std::move(argument);
  }
  return {};
}

bool Session::onHost() const {
  return std::strcmp(mla_context_backend(ctx), "cpu") == 0;
}

io::Status Session::invoke(int32_t mode) {
  std::vector<mla_tensor> tensors;
  for (const io::ManifestArg &arg : entry.args) {
    Argument &argument = arguments[arg.name];
    mla_tensor tensor = {};
    bool scalar = arg.role == "scalar";
    tensor.data = scalar ? &argument.scalar : argument.memory.get();
    tensor.device_type = scalar ? MLA_DEVICE_CPU : MLA_DEVICE_CONTEXT;
    tensor.dtype = scalar ? uint32_t(MLA_DTYPE_I64) : argument.dtype;
    tensor.rank = static_cast<int32_t>(argument.shape.size());
    int64_t stride = 1;
    for (int i = tensor.rank - 1; i >= 0; --i) {
      tensor.shape[i] = argument.shape[i];
      tensor.strides[i] = stride;
      stride *= argument.shape[i];
    }
    tensors.push_back(tensor);
  }
  if (mla_context_set_mode(ctx, mode) ||
      function(ctx, tensors.data(), static_cast<int64_t>(tensors.size()))) {
    io::Error error = lastError();
    mla_context_clear_error(ctx);
    return error;
  }
  return {};
}

io::Status Session::call(const Files &files) {
  if (io::Status status = bind(files); !status)
    return status;
  if (io::Status status = invoke(MLA_MODE_PLAN); !status)
    return status;
  if (mla_context_set_workspace(ctx, nullptr,
                                mla_context_workspace_high_water(ctx)))
    return lastError("workspace");
  if (io::Status status = invoke(MLA_MODE_CHECK); !status)
    return status;
  if (io::Status status = invoke(MLA_MODE_RUN); !status)
    return status;
  if (mla_context_check(ctx))
    return lastError();
  return {};
}

io::Result<Timing> Session::time(int64_t count) {
  const int64_t calls = onHost() ? 1 : 32;
  std::vector<double> times;
  for (int64_t i = -3; i < count; ++i) {
    auto start = std::chrono::steady_clock::now();
    for (int64_t call = 0; call < calls; ++call)
      if (io::Status status = invoke(MLA_MODE_RUN); !status)
        return io::Error{status.error()};
    if (mla_context_check(ctx)) // waits for the device
      return lastError();
    std::chrono::duration<double, std::micro> took =
        std::chrono::steady_clock::now() - start;
    if (i >= 0)
      times.push_back(took.count() / static_cast<double>(calls));
  }
  std::sort(times.begin(), times.end());
  size_t middle = times.size() / 2;
  double median = times.size() % 2 ? times[middle]
                                   : (times[middle - 1] + times[middle]) / 2;
  return Timing{median, times.front(), times.back(), calls};
}

io::Result<io::Buffer> Session::download(const Argument &argument) {
  io::Buffer buffer(argument.bytes);
  if (!buffer.data())
    return io::Error{"expected memory for " + std::to_string(argument.bytes) +
                     " bytes, got none"};
  if (argument.bytes &&
      mla_download(ctx, buffer.data(), argument.memory.get(), argument.bytes))
    return lastError("download");
  return buffer;
}

io::Result<double> Session::compare(const std::string &name,
                                    const io::NamedTensor &expected) {
  const Argument &argument = arguments[name];
  if (argument.shape != expected.shape)
    return io::Error{name + ": expected shape " + showShape(argument.shape) +
                     " to compare with, got " + showShape(expected.shape)};
  io::Result<io::Buffer> content = download(argument);
  if (!content)
    return io::Error{name + ": " + content.error()};
  std::vector<double> out, ref;
  uint64_t count = expected.numElements();
  if (!io::toDoubles(content->data(), argument.dtype, count, out) ||
      !io::toDoubles(expected.data, expected.dtype, count, ref))
    return io::Error{name +
                     ": expected types that can be compared, got others"};
  double difference = 0, size = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (std::isnan(out[i]) || std::isnan(ref[i]))
      return HUGE_VAL;
    if (out[i] == ref[i]) // equal infinities have no difference
      continue;
    difference += (out[i] - ref[i]) * (out[i] - ref[i]);
  }
  for (double value : ref)
    size += std::isinf(value) ? 0 : value * value;
  return std::sqrt(difference) / (size > 0 ? std::sqrt(size) : 1);
}

io::Status Session::save(const std::string &path) {
  std::vector<io::Buffer> buffers;
  std::vector<io::NamedTensor> tensors;
  for (const io::ManifestArg &arg : entry.args) {
    if (!arg.isWritten())
      continue;
    const Argument &argument = arguments[arg.name];
    io::Result<io::Buffer> content = download(argument);
    if (!content)
      return io::Error{arg.name + ": " + content.error()};
    buffers.push_back(std::move(*content));
    tensors.push_back({arg.name, argument.dtype, argument.shape,
                       buffers.back().data(), argument.bytes});
  }
  return io::writeSafeTensors(path, tensors, {{"entry", entry.name}});
}

} // namespace mla::run
