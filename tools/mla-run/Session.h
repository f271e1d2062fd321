//===- Session.h - Calls of one entry over one cache ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_MLA_RUN_SESSION_H
#define MLA_TOOLS_MLA_RUN_SESSION_H

#include "Symbols.h"
#include "io/SafeTensors.h"
#include "mla_runtime/runtime.h"

#include <map>
#include <optional>
#include <vector>

namespace mla::run {

struct SessionOptions {
  std::map<std::string, int64_t> sizes; // --set
  std::optional<uint64_t> seed;         // --random
  bool poison = false;
  bool verbose = false;
};

/// Median, least and most of the runs, in microseconds a call.
struct Timing {
  double median, least, most;
  int64_t calls; ///< Of a run: enqueued one after the other, waited for once.
};

/// Memory of a context's device.
class DeviceMemory {
public:
  DeviceMemory() = default;
  DeviceMemory(mla_context *ctx, uint64_t bytes)
      : ctx(ctx), data(mla_device_alloc(ctx, bytes)) {}
  ~DeviceMemory() {
    if (data)
      mla_device_free(ctx, data);
  }
  DeviceMemory(DeviceMemory &&other) noexcept { *this = std::move(other); }
  DeviceMemory &operator=(DeviceMemory &&other) noexcept {
    std::swap(ctx, other.ctx);
    std::swap(data, other.data);
    return *this;
  }
  void *get() const { return data; }

private:
  mla_context *ctx = nullptr;
  void *data = nullptr;
};

/// Calls an entry again and again. Tensors of role inout keep their content
/// from call to call; the others are set up for each.
class Session {
public:
  /// Files of tensors by argument name; of two that have a tensor the first is
  /// used. An argument of one of several layers whose tensor no file has, q_2
  /// say, takes q.
  using Files = std::vector<const io::SafeTensors *>;

  Session(mla_context *ctx, const io::ManifestEntry &entry,
          mla_entry_fn function, const SessionOptions &options)
      : ctx(ctx), entry(entry), function(function), options(options) {}

  /// Binds the arguments, asks for and sets the workspace, checks, runs.
  io::Status call(const Files &files);
  /// Repeats the last call in `count` runs after some unmeasured ones. A run on
  /// the CPU is a call; on a GPU it is several, so that waiting for the device
  /// is not what is measured.
  io::Result<Timing> time(int64_t count);
  /// Compares output `name` with the tensor of that name: ‖out − ref‖ / ‖ref‖,
  /// or ‖out‖ where the reference is 0; infinite where one has a NaN.
  io::Result<double> compare(const std::string &name,
                             const io::NamedTensor &expected);
  /// Writes what the last call wrote.
  io::Status save(const std::string &path);

private:
  struct Argument {
    std::vector<int64_t> shape;
    uint32_t dtype = 0;
    uint64_t bytes = 0;
    DeviceMemory memory;
    int64_t scalar = 0; // of role scalar, on the host
  };

  io::Status bind(const Files &files);
  io::Status fill(const io::ManifestArg &arg, Argument &argument,
                  const io::NamedTensor *given, const Symbols &symbols);
  io::Status allocate(const io::ManifestArg &arg, Argument &argument);
  io::Status invoke(int32_t mode);
  bool onHost() const;
  io::Result<io::Buffer> download(const Argument &argument);
  io::Error lastError(const std::string &doing = "") const;

  mla_context *ctx;
  const io::ManifestEntry &entry;
  mla_entry_fn function;
  const SessionOptions &options;
  std::map<std::string, Argument> arguments;
};

/// The tensor of argument `name`; null when no file has it.
const io::NamedTensor *findTensor(const Session::Files &files,
                                  const std::string &name);

} // namespace mla::run

#endif // MLA_TOOLS_MLA_RUN_SESSION_H
