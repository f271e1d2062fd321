//===- copy_rows_test.cpp - mla-bench's plain copy of rows ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A copy is a ceiling only if it moves all that it is asked to. What the CPU
// does for the same transfers is what is expected.
//
//===----------------------------------------------------------------------===//

#include "CopyRows.h"
#include "CopyShapes.h"
#include "CpuTeam.h"

#include <gtest/gtest.h>

using namespace mla::bench;

namespace {

/// Memory of the device with a host's contents.
template <typename T> class Copied {
public:
  explicit Copied(const std::vector<T> &host) : bytes(host.size() * sizeof(T)) {
    EXPECT_EQ(cudaMalloc(&data, bytes), cudaSuccess);
    set(host);
  }
  ~Copied() { cudaFree(data); }
  Copied(const Copied &) = delete;

  T *get() const { return static_cast<T *>(data); }
  void set(const std::vector<T> &host) {
    EXPECT_EQ(cudaMemcpy(data, host.data(), bytes, cudaMemcpyHostToDevice),
              cudaSuccess);
  }
  std::vector<T> read() const {
    std::vector<T> host(bytes / sizeof(T));
    EXPECT_EQ(cudaMemcpy(host.data(), data, bytes, cudaMemcpyDeviceToHost),
              cudaSuccess);
    return host;
  }

private:
  size_t bytes;
  void *data = nullptr;
};

using Shapes = std::vector<Transfer> (*)(char *, char *, const int64_t *);

void compareAllKernels(CopyImage image, Shapes shapes) {
  const std::vector<char> before = image.to;
  Copied<char> from(image.from), to(image.to);
  Copied<int64_t> index(image.index);
  Copied<uint32_t> sink(std::vector<uint32_t>(1));
  CopyRows rows;
  ASSERT_TRUE(rows.set(shapes(from.get(), to.get(), index.get()), sink.get()));
  moveRows(shapes(image.from.data(), image.to.data(), image.index.data()), 0,
           1);
  for (int kernel = 0; kernel < CopyRows::numKernels; ++kernel) {
    // One multiprocessor's blocks take many tiles each; 100 are enough for one.
    for (int sms : {1, 100}) {
      to.set(before);
      ASSERT_EQ(rows.launch(kernel, sms, nullptr), cudaSuccess);
      ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
      EXPECT_TRUE(to.read() == image.to) << "kernel " << kernel << ", " << sms;
      EXPECT_TRUE(from.read() == image.from) << "kernel " << kernel;
    }
  }
}

TEST(CopyRows, MovesRowsOfAllShapes) {
  compareAllKernels(CopyImage(copyRegion, 8, copyTokens), copyShapes);
}

TEST(CopyRows, MovesManyTiles) {
  compareAllKernels(CopyImage(int64_t{20000} * 3 * 144, 1, 20000),
                    [](char *from, char *to, const int64_t *index) {
                      Transfer t;
                      t.from = from;
                      t.to = to;
                      t.tokens = 20000;
                      t.rows = 3;
                      t.readBytes = t.writeBytes = 144;
                      t.fromToken = t.toToken = 3 * 144;
                      t.fromRow = t.toRow = 144;
                      t.toIndex = index;
                      return std::vector<Transfer>{t};
                    });
}

TEST(CopyRows, SaysWhatIsTooMuch) {
  char byte = 0;
  Transfer t;
  t.from = t.to = &byte;
  t.tokens = int64_t{1} << 31;
  t.readBytes = t.writeBytes = 16;
  CopyRows rows;
  EXPECT_FALSE(rows.set({t}, nullptr));
  t.tokens = 1;
  EXPECT_TRUE(rows.set(std::vector<Transfer>(8, t), nullptr));
  EXPECT_FALSE(rows.set(std::vector<Transfer>(9, t), nullptr));
  EXPECT_FALSE(rows.set({}, nullptr));
}

} // namespace
