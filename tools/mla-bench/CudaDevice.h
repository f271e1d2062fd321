//===- CudaDevice.h - A GPU as a device of the benchmark --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_CUDADEVICE_H
#define MLA_BENCH_CUDADEVICE_H

#include "CudaTiming.h"
#include "Device.h"
#include "Nvml.h"

#include <map>

namespace mla::bench {

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
  /// An H100 that was idle took up to 7 ms to become a tenth quicker.
  double warmUpSeconds() const override { return 0.02; }
  double replayBelow() const override { return 50e-6; }
  uint64_t freeBytes() const override;
  io::Result<Ceilings> measure(const CeilingOptions &options) override;
  io::Result<Bandwidths> bandwidthOver(uint64_t bytes, int threads,
                                       double seconds) override;
  io::Result<Timer> makeTimer(Works works) override;
  io::Result<Replay> makeReplay(Works works) override;
  std::optional<Load> loadDuring(const Works &works, double seconds) override;
  Works copyRows(const std::vector<Transfer> &transfers, int threads) override;
  std::vector<std::pair<std::string, std::function<void()>>>
  appendPeers(const mla_append_params &params) override;
  io::Status fill(void *data, uint64_t bytes, const std::vector<char> &block,
                  bool kept) override;

private:
  /// What is timed for `work`: with the error that it left.
  std::function<cudaError_t()> enqueue(std::function<void()> work);
  std::optional<Load> loadDuring(int64_t count,
                                 const std::function<cudaError_t()> &work);
  io::Result<double> productPeak(uint32_t dtype, std::optional<Load> &load);
  io::Status measureSmallest(Ceilings &result);

  mla_context *ctx;
  int32_t number;
  cudaDeviceProp properties = {};
  Nvml nvml;
  std::optional<Load> reading; ///< While the ceilings were measured.
  CudaTiming timing;
  Errors deferred; ///< Of work that returns nothing.
  /// Copies in device memory of blocks that fill() may keep, by address.
  std::map<const char *, void *> kept;
};

} // namespace mla::bench

#endif // MLA_BENCH_CUDADEVICE_H
