//===- CudaDevice.cpp - A GPU as a device of the benchmark ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

#include <algorithm>
#include <utility>

using namespace mla;
using namespace mla::bench;

CudaDevice::~CudaDevice() {
  cudaStreamSynchronize(timing.stream);
  mla_context_set_stream(ctx, nullptr);
}

io::Status CudaDevice::open() {
  char id[32] = "";
  Errors errors;
  errors << cudaSetDevice(number)
         << cudaGetDeviceProperties(&properties, number)
         << cudaDeviceGetPCIBusId(id, sizeof(id), number);
  busId = id;
  if (io::Status status = errors.status("--device"); !status)
    return status;
  if (io::Status status = timing.open(properties.multiProcessorCount); !status)
    return status;
  if (mla_context_set_stream(ctx, timing.stream))
    return io::Error{mla_last_error(ctx)};
  return {};
}

std::vector<std::pair<std::string, std::string>> CudaDevice::describe() const {
  auto mebibytes = [](uint64_t bytes) {
    return std::to_string(bytes >> 20) + " MiB";
  };
  auto version = [](int number) {
    return std::to_string(number / 1000) + "." +
           std::to_string(number % 1000 / 10);
  };
  int runtime = 0, supported = 0;
  cudaRuntimeGetVersion(&runtime);
  cudaDriverGetVersion(&supported);
  return {{"gpu", properties.name},
          {"driver", busy.driver},
          {"cuda_of_the_driver", version(supported)},
          {"cuda_of_the_tool", version(runtime)},
          {"compute_capability", std::to_string(properties.major) + "." +
                                     std::to_string(properties.minor)},
          {"multiprocessors", std::to_string(properties.multiProcessorCount)},
          {"sm_clock_when_busy", busy.smClock},
          {"memory_clock_when_busy", busy.memoryClock},
          {"power_limit", busy.powerLimit},
          {"l2", mebibytes(static_cast<uint64_t>(properties.l2CacheSize))},
          {"memory", mebibytes(properties.totalGlobalMem)}};
}

/// What the device is asked to enqueue for `work`.
std::function<cudaError_t()> CudaDevice::enqueue(std::function<void()> work) {
  return [this, work = std::move(work)] {
    work(); // the context keeps an error, or the device does
    return std::exchange(deferred, cudaSuccess);
  };
}

uint64_t CudaDevice::freeBytes() const {
  size_t available = 0, all = 0;
  cudaMemGetInfo(&available, &all);
  return available;
}

io::Result<Timer> CudaDevice::makeTimer(Works works) {
  std::vector<std::function<cudaError_t()>> calls;
  for (std::function<void()> &work : works)
    calls.push_back(enqueue(std::move(work)));
  return Timer([this, calls = std::move(calls), next = size_t{0}]() mutable {
    return timing.timeOnce(calls[next++ % calls.size()], /*cold=*/true);
  });
}

io::Result<Timer> CudaDevice::makeReplay(Works works) {
  auto count = static_cast<double>(works.size());
  auto graph = std::make_shared<Graph>();
  io::Status captured = timing.capture(
      [&] {
        Errors errors;
        for (const std::function<void()> &work : works)
          errors << enqueue(work)();
        return errors.error();
      },
      *graph);
  if (!captured)
    return io::Error{captured.error()};
  std::function<cudaError_t()> replay = [this, graph] {
    return cudaGraphLaunch(graph->executable, timing.stream);
  };
  // The first launch may do more than the others.
  if (io::Result<double> first = timing.timeOnce(replay, true); !first)
    return io::Error{first.error()};
  return Timer([this, replay, count]() -> io::Result<double> {
    io::Result<double> all = timing.timeOnce(replay, /*cold=*/true);
    if (!all)
      return all;
    return *all / count;
  });
}

std::optional<Load> CudaDevice::loadDuring(const Works &) {
  return std::nullopt;
}

std::function<void()> CudaDevice::copyRows(std::vector<Transfer>, int) {
  return nullptr;
}

std::vector<std::pair<std::string, std::function<void()>>>
CudaDevice::appendPeers(const mla_append_params &) {
  return {};
}

/// Doubling what is there: gigabytes take milliseconds.
io::Status CudaDevice::fill(void *data, uint64_t bytes,
                            const std::vector<char> &block, bool) {
  auto *to = static_cast<char *>(data);
  uint64_t done = std::min<uint64_t>(block.size(), bytes);
  Errors errors;
  errors << cudaMemcpyAsync(to, block.data(), done, cudaMemcpyHostToDevice,
                            timing.stream);
  while (done < bytes) {
    uint64_t count = std::min(done, bytes - done);
    errors << cudaMemcpyAsync(to + done, to, count, cudaMemcpyDeviceToDevice,
                              timing.stream);
    done += count;
  }
  errors << cudaStreamSynchronize(timing.stream);
  return errors.status("operands");
}

bool mla::bench::hasCuda() { return true; }

io::Result<std::unique_ptr<Device>> mla::bench::makeCudaDevice(mla_context *ctx,
                                                               int32_t number) {
  auto device = std::make_unique<CudaDevice>(ctx, number);
  if (io::Status status = device->open(); !status)
    return io::Error{status.error()};
  return std::unique_ptr<Device>(std::move(device));
}
