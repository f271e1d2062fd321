//===- Nvml.cpp - What the driver says of a GPU ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Nvml.h"

#include <dlfcn.h>

using namespace mla::bench;

namespace {

/// The library while somebody asks. Its functions return 0 where they could
/// answer; its header isn't part of every toolkit.
class Library {
public:
  ~Library() {
    if (library)
      dlclose(library);
  }
  Library() = default;
  Library(const Library &) = delete;

  template <typename... Args> bool call(const char *name, Args... args) const {
    using Function = int (*)(Args...);
    void *symbol = library ? dlsym(library, name) : nullptr;
    return symbol && reinterpret_cast<Function>(symbol)(args...) == 0;
  }

private:
  void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
};

} // namespace

NvmlState mla::bench::readNvml(const std::string &busId) {
  const int smClock = 1, memoryClock = 2; // nvmlClockType_t
  NvmlState state;
  Library nvml;
  if (!nvml.call("nvmlInit_v2"))
    return state;
  char driver[96] = "";
  if (nvml.call("nvmlSystemGetDriverVersion", &driver[0], 96u))
    state.driver = driver;
  void *device = nullptr;
  if (nvml.call("nvmlDeviceGetHandleByPciBusId_v2", busId.c_str(), &device)) {
    unsigned value = 0;
    if (nvml.call("nvmlDeviceGetClockInfo", device, smClock, &value))
      state.smClock = std::to_string(value) + " MHz";
    if (nvml.call("nvmlDeviceGetClockInfo", device, memoryClock, &value))
      state.memoryClock = std::to_string(value) + " MHz";
    if (nvml.call("nvmlDeviceGetEnforcedPowerLimit", device, &value))
      state.powerLimit = std::to_string(value / 1000) + " W";
  }
  nvml.call("nvmlShutdown");
  return state;
}
