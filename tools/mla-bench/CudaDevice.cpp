//===- CudaDevice.cpp - A GPU as a device of the benchmark ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

#include "AppendPeers.h"
#include "CopyRows.h"

#include <algorithm>
#include <cmath>
#include <utility>

using namespace mla;
using namespace mla::bench;

CudaDevice::~CudaDevice() {
  cudaStreamSynchronize(timing.stream);
  mla_context_set_stream(ctx, nullptr);
  for (const auto &[address, copy] : kept)
    cudaFree(copy);
}

io::Status CudaDevice::open() {
  char id[32] = "";
  Errors errors;
  errors << cudaSetDevice(number)
         << cudaGetDeviceProperties(&properties, number)
         << cudaDeviceGetPCIBusId(id, sizeof(id), number);
  if (io::Status status = errors.status("--device"); !status)
    return status;
  nvml.open(id);
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
  auto megahertz = [&](double Load::*clock) {
    return reading ? std::to_string(std::lround((*reading).*clock)) + " MHz"
                   : std::string("?");
  };
  int runtime = 0, supported = 0;
  cudaRuntimeGetVersion(&runtime);
  cudaDriverGetVersion(&supported);
  return {{"gpu", properties.name},
          {"driver", nvml.driver()},
          {"cuda_of_the_driver", version(supported)},
          {"cuda_of_the_tool", version(runtime)},
          {"compute_capability", std::to_string(properties.major) + "." +
                                     std::to_string(properties.minor)},
          {"multiprocessors", std::to_string(properties.multiProcessorCount)},
          {"sm_clock_when_busy", megahertz(&Load::smClock)},
          {"memory_clock_when_busy", megahertz(&Load::memoryClock)},
          {"power_limit", nvml.powerLimit()},
          {"l2", mebibytes(static_cast<uint64_t>(properties.l2CacheSize))},
          {"memory", mebibytes(properties.totalGlobalMem)}};
}

std::function<cudaError_t()> CudaDevice::enqueue(std::function<void()> work) {
  return [this, work = std::move(work)] {
    work();
    return std::exchange(deferred, Errors()).error();
  };
}

io::Result<Timer> CudaDevice::makeTimer(Works works) {
  std::vector<std::function<cudaError_t()>> calls;
  for (std::function<void()> &work : works)
    calls.push_back(enqueue(std::move(work)));
  return Timer([this, calls = std::move(calls), next = size_t{0}]() mutable {
    return timing.timeOnce(calls[next++ % calls.size()], /*cold=*/true);
  });
}

io::Result<Replay> CudaDevice::makeReplay(Works works) {
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
  auto timeOne = [this, replay, count]() -> io::Result<double> {
    io::Result<double> all = timing.timeOnce(replay, /*cold=*/true);
    if (!all)
      return all;
    return *all / count;
  };
  return Replay{timeOne, graph->launches};
}

std::optional<Load>
CudaDevice::loadDuring(int64_t count,
                       const std::function<cudaError_t()> &work) {
  for (int64_t i = 0; i < count; ++i)
    deferred << work();
  std::optional<Load> load = nvml.load();
  deferred << cudaStreamSynchronize(timing.stream);
  return load;
}

std::optional<Load> CudaDevice::loadDuring(const Works &works, double seconds) {
  // As they are timed, each after a flush of the L2, which takes some 0.2 ms;
  // longer than the driver takes to answer.
  const double moment = 10e-3, flush = 0.2e-3;
  size_t next = 0;
  return loadDuring(static_cast<int64_t>(std::ceil(moment / (seconds + flush))),
                    [&] {
                      cudaError_t error = timing.flush();
                      works[next++ % works.size()]();
                      return error;
                    });
}

//===--- Other ways -------------------------------------------------------===//

Works CudaDevice::copyRows(const std::vector<Transfer> &transfers,
                           int threads) {
  auto rows = std::make_shared<CopyRows>();
  Works works;
  if (!rows->set(transfers, timing.kernels.sink))
    return works;
  for (int kernel = 0; kernel < rows->kernels(threads); ++kernel)
    works.push_back([this, rows, kernel, threads] {
      deferred << rows->launch(kernel, threads, timing.stream);
    });
  return works;
}

std::vector<std::pair<std::string, std::function<void()>>>
CudaDevice::appendPeers(const mla_append_params &params) {
  std::vector<std::pair<std::string, std::function<void()>>> result;
  for (const AppendPeer &peer : bench::appendPeers()) {
    if (!peer.takes(params))
      continue;
    void *memory = nullptr;
    if (cudaMalloc(&memory, std::max<uint64_t>(peer.scratchBytes(params), 1))) {
      cudaGetLastError(); // not to be met again
      continue;
    }
    std::shared_ptr<void> scratch(memory, cudaFree);
    deferred << peer.prepare(params, memory, timing.stream);
    result.emplace_back(peer.name, [this, &peer, params, scratch] {
      deferred << peer.run(params, scratch.get(), timing.stream);
    });
  }
  return result;
}

//===--- Memory -----------------------------------------------------------===//

uint64_t CudaDevice::freeBytes() const {
  size_t available = 0, all = 0;
  cudaMemGetInfo(&available, &all);
  return available;
}

/// Doubling what is there: gigabytes take milliseconds. Nobody waits: what a
/// copy needs of pageable memory is taken before the call returns.
io::Status CudaDevice::fill(void *data, uint64_t bytes,
                            const std::vector<char> &block, bool isKept) {
  auto *to = static_cast<char *>(data);
  uint64_t done = std::min<uint64_t>(block.size(), bytes);
  Errors errors;
  const void *from = block.data();
  if (isKept && done > 0) {
    void *&copy = kept[block.data()];
    if (!copy)
      errors << cudaMalloc(&copy, block.size())
             << cudaMemcpyAsync(copy, block.data(), block.size(),
                                cudaMemcpyHostToDevice, timing.stream);
    from = copy;
  }
  errors << cudaMemcpyAsync(to, from, done, cudaMemcpyDefault, timing.stream);
  while (done > 0 && done < bytes) {
    uint64_t count = std::min(done, bytes - done);
    errors << cudaMemcpyAsync(to + done, to, count, cudaMemcpyDeviceToDevice,
                              timing.stream);
    done += count;
  }
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
