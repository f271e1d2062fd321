//===- CudaDevice.cpp - A GPU as a device of the benchmark ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaTiming.h"
#include "Device.h"
#include "Nvml.h"
#include "Operands.h"

#include <algorithm>
#include <tuple>

using namespace mla;
using namespace mla::bench;

namespace {

/// Calls that take less are captured and replayed: their kernels then follow
/// each other as in an engine's graph.
constexpr double replayBelow = 50e-6;

class CudaDevice : public Device {
public:
  CudaDevice(mla_context *ctx, int32_t number) : ctx(ctx), number(number) {}
  ~CudaDevice() override;
  CudaDevice(const CudaDevice &) = delete;

  io::Status open();

  std::vector<std::pair<std::string, std::string>> describe() const override;
  const char *unit() const override { return "multiprocessor"; }
  int defaultThreads() const override { return properties.multiProcessorCount; }
  uint64_t warmBytes() const override { return 0; }
  int64_t fixedRepetitions() const override { return 21; }
  io::Result<Ceilings> measure(const CeilingOptions &options) override;
  io::Result<std::pair<double, double>>
  bandwidthOver(uint64_t bytes, int threads, double seconds) override;
  io::Result<Timer> makeTimer(std::function<void()> work) override;
  io::Status fill(void *data, uint64_t bytes,
                  const std::vector<char> &block) override;

private:
  io::Result<double> bf16Peak();
  io::Status measureSmallest(Ceilings &result);

  mla_context *ctx;
  int32_t number;
  cudaDeviceProp properties = {};
  std::string busId;
  NvmlState busy; ///< While the ceilings were measured.
  CudaTiming timing;
};

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

io::Result<Timer> CudaDevice::makeTimer(std::function<void()> work) {
  std::function<cudaError_t()> enqueue = [work = std::move(work)] {
    work(); // the context keeps an error
    return cudaSuccess;
  };
  io::Result<double> quickest = timing.leastOf(3, enqueue, /*cold=*/true);
  if (!quickest)
    return io::Error{quickest.error()};
  auto call = [this, enqueue] {
    return timing.timeOnce(enqueue, /*cold=*/true);
  };
  if (*quickest >= replayBelow)
    return Timer{call, nullptr};
  auto graph = std::make_shared<Graph>();
  if (io::Status status = timing.capture(enqueue, *graph); !status)
    return io::Error{status.error()};
  std::function<cudaError_t()> replay = [this, graph] {
    return cudaGraphLaunch(graph->executable, timing.stream);
  };
  if (io::Result<double> first = timing.timeOnce(replay, true); !first)
    return io::Error{first.error()};
  return Timer{[this, replay] { return timing.timeOnce(replay, true); }, call};
}

/// Doubling what is there: gigabytes take milliseconds.
io::Status CudaDevice::fill(void *data, uint64_t bytes,
                            const std::vector<char> &block) {
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

//===--- Ceilings ---------------------------------------------------------===//

io::Result<std::pair<double, double>> CudaDevice::bandwidthOver(uint64_t bytes,
                                                                int, double) {
  bytes = std::max<uint64_t>(bytes / 32, 1) * 32;
  void *memory = nullptr;
  Errors errors;
  errors << cudaMalloc(&memory, bytes)
         << cudaMemsetAsync(memory, 1, bytes, timing.stream);
  if (io::Status status = errors.status("ceilings"); !status)
    return io::Error{status.error()};
  auto *data = static_cast<char *>(memory);
  const int64_t repetitions = 10;
  io::Result<double> read = timing.leastOf(
      repetitions,
      [&] { return timing.kernels.read(data, bytes, timing.stream); }, true);
  io::Result<double> copy = timing.leastOf(
      repetitions,
      [&] {
        return timing.kernels.copy(data + bytes / 2, data, bytes / 2,
                                   timing.stream);
      },
      true);
  // The clocks are asked for while it works, which takes a moment.
  for (int i = 0; i < 150; ++i)
    timing.kernels.read(data, bytes, timing.stream);
  busy = readNvml(busId);
  cudaStreamSynchronize(timing.stream);
  cudaFree(memory);
  if (!read || !copy)
    return io::Error{read ? copy.error() : read.error()};
  double total = static_cast<double>(bytes);
  return std::pair<double, double>{total / *read, total / *copy};
}

/// Of a product of 8192 x 8192 matrices of random numbers, as the runtime
/// multiplies them.
io::Result<double> CudaDevice::bf16Peak() {
  const int64_t size = 8192, heads = 64;
  Operands operands(ctx, *this);
  mla_expand_kv_params params = {};
  params.struct_size = sizeof(params);
  params.c_kv = operands.random(MLA_DTYPE_BF16, {size, size});
  params.w_kv_b = operands.random(MLA_DTYPE_BF16, {heads, size / heads, size});
  params.kv = operands.zeros(MLA_DTYPE_BF16, {size, heads, size / heads});
  if (!operands.failure().empty())
    return io::Error{operands.failure()};
  if (mla_expand_kv(ctx, &params))
    return io::Error{mla_last_error(ctx)};
  io::Result<double> least = timing.leastOf(
      10,
      [&] {
        mla_expand_kv(ctx, &params);
        return cudaSuccess;
      },
      /*cold=*/false);
  if (!least)
    return least;
  if (mla_context_check(ctx))
    return io::Error{mla_last_error(ctx)};
  double n = static_cast<double>(size);
  return 2 * n * n * n / *least;
}

io::Status CudaDevice::measureSmallest(Ceilings &result) {
  auto one = [&] { return CudaKernels::nothing(timing.stream); };
  io::Result<double> between = timing.leastOf(21, one, /*cold=*/true);
  if (!between)
    return io::Error{between.error()};
  const int count = 1000;
  Graph graph;
  io::Status captured = timing.capture(
      [&] {
        cudaError_t error = cudaSuccess;
        for (int i = 0; i < count && !error; ++i)
          error = one();
        return error;
      },
      graph);
  if (!captured)
    return captured;
  io::Result<double> all = timing.leastOf(
      5, [&] { return cudaGraphLaunch(graph.executable, timing.stream); },
      true);
  if (!all)
    return io::Error{all.error()};
  result.smallestBetweenEvents = *between;
  result.smallestInGraph = *all / count;
  return {};
}

io::Result<Ceilings> CudaDevice::measure(const CeilingOptions &options) {
  Ceilings result;
  result.bufferBytes = options.bufferBytes;
  if (!result.bufferBytes) {
    size_t available = 0, all = 0;
    cudaMemGetInfo(&available, &all);
    result.bufferBytes = std::min<uint64_t>(uint64_t{4} << 30, available / 3);
  }
  auto bandwidths = bandwidthOver(result.bufferBytes, 0, 0);
  if (!bandwidths)
    return io::Error{bandwidths.error()};
  std::tie(result.readBandwidth, result.copyBandwidth) = *bandwidths;
  double flops = 0;
  io::Result<double> least = timing.leastOf(
      5, [&] { return timing.kernels.multiplyAdd(flops, timing.stream); },
      /*cold=*/true);
  if (!least)
    return io::Error{least.error()};
  result.f32Peak = flops / *least;
  io::Result<double> peak = bf16Peak();
  if (!peak)
    return io::Error{peak.error()};
  result.bf16Peak = *peak;
  if (io::Status status = measureSmallest(result); !status)
    return io::Error{status.error()};
  return result;
}

} // namespace

bool mla::bench::hasCuda() { return true; }

io::Result<std::unique_ptr<Device>> mla::bench::makeCudaDevice(mla_context *ctx,
                                                               int32_t number) {
  auto device = std::make_unique<CudaDevice>(ctx, number);
  if (io::Status status = device->open(); !status)
    return io::Error{status.error()};
  return std::unique_ptr<Device>(std::move(device));
}
