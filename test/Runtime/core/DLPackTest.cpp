//===- DLPackTest.cpp - To and from DLPack --------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla_runtime/dlpack.h"
#include "ValidCalls.h"

extern "C" const char *fromDLPackInC(const DLTensor *from, mla_tensor *to);

TEST(DLPack, RoundTrips) {
  for (uint32_t dtype = MLA_DTYPE_F32; dtype <= MLA_DTYPE_BOOL; ++dtype) {
    mla_tensor tensor = {};
    tensor.data = &tensor;
    tensor.device_type = MLA_DEVICE_CUDA;
    tensor.device_id = 3;
    tensor.dtype = dtype;
    tensor.rank = 3;
    for (int i = 0; i < 3; ++i) {
      tensor.shape[i] = 5 + i;
      tensor.strides[i] = 100 - i;
    }
    tensor.byte_offset = 64;
    DLTensor there;
    mla_tensor back;
    const char *text = mla_tensor_to_dlpack(&tensor, &there);
    if (dtype == MLA_DTYPE_F4E2M1FN) { // two elements a byte
      EXPECT_STREQ(text, "mla_tensor_to_dlpack: dtype: expected a type of this "
                         "ABI of whole bytes, got another");
      continue;
    }
    ASSERT_EQ(text, nullptr);
    EXPECT_EQ(there.ndim, 3);
    EXPECT_EQ(there.shape[1], 6);
    EXPECT_EQ(there.strides[1], 99);
    EXPECT_EQ(there.byte_offset, 64u);
    EXPECT_EQ(int(there.device.device_type), int(kDLCUDA));
    ASSERT_EQ(mla_tensor_from_dlpack(&there, &back), nullptr);
    EXPECT_EQ(std::memcmp(&tensor, &back, sizeof(back)), 0) << dtype;
    ASSERT_EQ(fromDLPackInC(&there, &back), nullptr);
  }
}

TEST(DLPack, KnowsTheTypes) {
  EXPECT_EQ(mla_dtype_from_dlpack({kDLFloat, 32, 1}), uint32_t(MLA_DTYPE_F32));
  EXPECT_EQ(mla_dtype_from_dlpack({kDLFloat, 16, 1}), uint32_t(MLA_DTYPE_F16));
  EXPECT_EQ(mla_dtype_from_dlpack({kDLBfloat, 16, 1}),
            uint32_t(MLA_DTYPE_BF16));
  EXPECT_EQ(mla_dtype_from_dlpack({kDLInt, 32, 1}), uint32_t(MLA_DTYPE_I32));
  EXPECT_EQ(mla_dtype_from_dlpack({kDLUInt, 8, 1}), uint32_t(MLA_DTYPE_U8));
  EXPECT_EQ(mla_dtype_from_dlpack({kDLFloat, 32, 2}), uint32_t(MLA_DTYPE_NONE));
  EXPECT_EQ(mla_dtype_from_dlpack({0, 0, 0}), uint32_t(MLA_DTYPE_NONE));
}

TEST(DLPack, MakesCompactStrides) {
  int64_t shape[] = {2, 3, 4};
  DLTensor from = {};
  from.device.device_type = kDLCPU;
  from.dtype = {kDLFloat, 32, 1};
  from.ndim = 3;
  from.shape = shape;
  mla_tensor tensor;
  ASSERT_EQ(mla_tensor_from_dlpack(&from, &tensor), nullptr);
  EXPECT_EQ(tensor.strides[0], 12);
  EXPECT_EQ(tensor.strides[1], 4);
  EXPECT_EQ(tensor.strides[2], 1);
}

TEST(DLPack, RefusesWhatTheRuntimeCannotSay) {
  int64_t shape[7] = {1, 1, 1, 1, 1, 1, 1};
  DLTensor good = {};
  good.device.device_type = kDLCPU;
  good.dtype = {kDLFloat, 32, 1};
  good.ndim = 1;
  good.shape = shape;
  mla_tensor tensor;
  ASSERT_EQ(mla_tensor_from_dlpack(&good, &tensor), nullptr);
  auto refused = [&](auto spoil, const char *text) {
    DLTensor bad = good;
    spoil(bad);
    mla_tensor before = tensor;
    EXPECT_STREQ(mla_tensor_from_dlpack(&bad, &tensor), text);
    EXPECT_EQ(std::memcmp(&before, &tensor, sizeof(tensor)), 0);
  };
  refused([](DLTensor &t) { t.ndim = 7; },
          "mla_tensor_from_dlpack: ndim: expected a rank in [0, 6], got "
          "another");
  refused([](DLTensor &t) { t.dtype.lanes = 4; },
          "mla_tensor_from_dlpack: dtype: expected a type of this ABI of whole "
          "bytes, got another");
  refused([](DLTensor &t) { t.device.device_type = kDLVulkan; },
          "mla_tensor_from_dlpack: device: expected CPU or CUDA, got another");
  refused([](DLTensor &t) { t.shape = nullptr; },
          "mla_tensor_from_dlpack: shape: expected sizes, got null");
  EXPECT_NE(mla_tensor_from_dlpack(nullptr, &tensor), nullptr);
  // A tensor of the context's device names none that DLPack knows.
  tensor.device_type = MLA_DEVICE_CONTEXT;
  EXPECT_STREQ(mla_tensor_to_dlpack(&tensor, &good),
               "mla_tensor_to_dlpack: device_type: expected CPU or CUDA, got "
               "another");
  tensor.device_type = MLA_DEVICE_CPU;
  tensor.rank = 9;
  EXPECT_NE(mla_tensor_to_dlpack(&tensor, &good), nullptr);
}
