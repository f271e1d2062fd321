//===- Nvml.cpp - What the driver says of a GPU ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Nvml.h"

#include <dlfcn.h>

using namespace mla::bench;

/// The functions return 0 where they could answer; the library's header isn't
/// part of every toolkit.
template <typename... Args>
bool Nvml::call(const char *name, Args... args) const {
  using Function = int (*)(Args...);
  void *symbol = library ? dlsym(library, name) : nullptr;
  return symbol && reinterpret_cast<Function>(symbol)(args...) == 0;
}

Nvml::~Nvml() {
  if (!library)
    return;
  call("nvmlShutdown");
  dlclose(library);
}

void Nvml::open(const std::string &busId) {
  library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library && !call("nvmlInit_v2")) {
    dlclose(library);
    library = nullptr;
  }
  if (!call("nvmlDeviceGetHandleByPciBusId_v2", busId.c_str(), &gpu))
    gpu = nullptr;
}

std::string Nvml::driver() const {
  char text[96] = "";
  return call("nvmlSystemGetDriverVersion", &text[0], 96u) ? text : "?";
}

std::string Nvml::powerLimit() const {
  unsigned milliwatts = 0;
  if (!gpu || !call("nvmlDeviceGetEnforcedPowerLimit", gpu, &milliwatts))
    return "?";
  return std::to_string(milliwatts / 1000) + " W";
}

std::optional<Load> Nvml::load() const {
  const int smClock = 1, memoryClock = 2; // nvmlClockType_t
  unsigned sm = 0, memory = 0, milliwatts = 0;
  if (!gpu || !call("nvmlDeviceGetClockInfo", gpu, smClock, &sm) ||
      !call("nvmlDeviceGetClockInfo", gpu, memoryClock, &memory) ||
      !call("nvmlDeviceGetPowerUsage", gpu, &milliwatts))
    return std::nullopt;
  return Load{static_cast<double>(sm), static_cast<double>(memory),
              milliwatts * 1e-3};
}
