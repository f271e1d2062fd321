//===- device_calls_test.cpp - The device's copies of the tests' memory ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// With copies in any case, also where the backend could do without them: a GPU
// is not needed to see that they are right.
//
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"

using namespace mla;
using namespace mla::test;

namespace {

class DeviceCallsTest : public OpTest {
protected:
  DeviceCallsTest() { testBackend().hasOwnMemory = true; }
  ~DeviceCallsTest() override { testBackend().hasOwnMemory = before; }

  mla_status copy(const mla_tensor *src, const mla_tensor *dst) {
    auto params = makeParams<mla_copy_params>();
    params.src = src;
    params.dst = dst;
    return mla_copy(ctx, &params);
  }

  const bool before = testBackend().hasOwnMemory;
  Random random{1};
};

TEST_F(DeviceCallsTest, BringsWhatWasWrittenAndNothingElse) {
  TestTensor src(MLA_DTYPE_F32, {3, 4}, Layout::Gapped, random);
  TestTensor dst(MLA_DTYPE_F32, {3, 4}, Layout::Gapped, random);
  src.fillRandom(random);
  Canary canary(dst);
  canary.allow(dst);
  ASSERT_EQ(copy(src.get(), dst.get()), MLA_STATUS_OK) << ctx.error();
  EXPECT_TRUE(dst.sameBits(src));
  EXPECT_EQ(canary.damage(), 0);
  // What the host changes in between reaches the device.
  src.set({1, 2}, 7);
  ASSERT_EQ(copy(src.get(), dst.get()), MLA_STATUS_OK) << ctx.error();
  EXPECT_EQ(dst.at({1, 2}), 7);
}

TEST_F(DeviceCallsTest, ACanarySeesWhatTheDeviceWrote) {
  TestTensor src(MLA_DTYPE_F32, {3}, Layout::Dense, random);
  TestTensor dst(MLA_DTYPE_F32, {3}, Layout::Dense, random);
  src.fill(1);
  Canary canary(dst);
  // Three elements before the tensor's own: guard bytes.
  mla_tensor wrong = *dst.get();
  wrong.byte_offset -= 12;
  ASSERT_EQ(copy(src.get(), &wrong), MLA_STATUS_OK) << ctx.error();
  EXPECT_EQ(canary.damage(), 12);
}

TEST_F(DeviceCallsTest, ViewsShareOneCopy) {
  TestTensor whole(MLA_DTYPE_I32, {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  ASSERT_EQ(copy(whole.rows(0, 2).get(), whole.rows(2, 2).get()), MLA_STATUS_OK)
      << ctx.error();
  EXPECT_EQ(whole.array().data, (std::vector<double>{1, 2, 3, 4, 1, 2, 3, 4}));
}

TEST_F(DeviceCallsTest, TakesTensorsWithoutData) {
  mla_tensor nothing = {};
  nothing.dtype = MLA_DTYPE_F32;
  nothing.rank = 1;
  nothing.strides[0] = 1;
  TestTensor dst(MLA_DTYPE_F32, {0}, Layout::Dense, random);
  Canary canary(dst);
  EXPECT_EQ(copy(&nothing, dst.get()), MLA_STATUS_OK) << ctx.error();
  EXPECT_EQ(canary.damage(), 0);
}

TEST(TestStorageTest, IsFoundWhileItLives) {
  auto storage = makeStorage(100);
  const uint8_t *data = storage->bytes.data();
  EXPECT_EQ(findStorage(data), storage.get());
  EXPECT_EQ(findStorage(data + 99), storage.get());
  EXPECT_NE(findStorage(data + 100), storage.get());
  storage = nullptr;
  EXPECT_EQ(findStorage(data), nullptr);
}

} // namespace
