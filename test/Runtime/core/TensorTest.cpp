//===- TensorTest.cpp - What every call asks of every tensor --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

using Copy = mla_copy_params;

static std::string spoiled(void (*spoil)(mla_tensor &),
                           const mla_tensor *Copy::*field = &Copy::src,
                           int32_t mode = MLA_MODE_CHECK) {
  auto call = validCopy();
  spoil(call[field]);
  return answer(mla_copy, call.p, mode);
}

TEST(Tensor, Rank) {
  EXPECT_EQ(
      spoiled([](mla_tensor &t) { t.rank = 7; }),
      "INVALID_ARGUMENT: mla_copy: src: expected a rank in [0, 6], got 7");
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.rank = -1; }),
            "INVALID_ARGUMENT: mla_copy: src: expected a rank in [0, 6], got "
            "-1");
}

TEST(Tensor, DType) {
  EXPECT_EQ(
      spoiled([](mla_tensor &t) { t.dtype = 0; }),
      "INVALID_ARGUMENT: mla_copy: src: expected a dtype of this ABI, got "
      "code 0");
  EXPECT_EQ(
      spoiled([](mla_tensor &t) { t.dtype = 99; }),
      "INVALID_ARGUMENT: mla_copy: src: expected a dtype of this ABI, got "
      "code 99");
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.dtype = MLA_DTYPE_F4E2M1FN; }),
            "UNIMPLEMENTED: mla_copy: src: expected elements of whole bytes, "
            "got f4E2M1FN");
}

TEST(Tensor, FlagsAndReservedWords) {
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.flags = MLA_TENSOR_READ_ONLY; }),
            "OK");
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.flags = MLA_TENSOR_READ_ONLY; },
                    &Copy::dst),
            "INVALID_ARGUMENT: mla_copy: dst: expected a tensor to write, got "
            "a read-only one");
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.flags = 6; }),
            "UNIMPLEMENTED: mla_copy: src: expected no flag but "
            "MLA_TENSOR_READ_ONLY, got 0x6");
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.reserved[1] = 1; }),
            "UNIMPLEMENTED: mla_copy: src: expected reserved words of zero, "
            "got others");
}

TEST(Tensor, Sizes) {
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.shape[1] = -3; }),
            "INVALID_ARGUMENT: mla_copy: src: expected non-negative sizes, got "
            "shape [4, -3, 5]");
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.strides[1] = -5; }),
            "INVALID_ARGUMENT: mla_copy: src: expected non-negative strides, "
            "got -5 in dimension 1");
  const std::string beyond =
      "INVALID_ARGUMENT: mla_copy: src: expected an extent below 2^61 bytes "
      "inside the address space, got shape [4, 3, 5] with strides, an offset "
      "or data beyond it";
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.strides[0] = INT64_MAX; }), beyond);
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.byte_offset = ~uint64_t(3); }),
            beyond);
  EXPECT_EQ(spoiled([](mla_tensor &t) {
              t.data = reinterpret_cast<void *>(~uint64_t(3));
            }),
            beyond);
  // Repeating elements may be read, not written.
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.strides[0] = 0; }), "OK");
}

TEST(Tensor, Data) {
  auto null = [](mla_tensor &t) { t.data = nullptr; };
  EXPECT_EQ(spoiled(null), "INVALID_ARGUMENT: mla_copy: src: expected data, "
                           "got null for shape [4, 3, 5]");
  EXPECT_EQ(spoiled(null, &Copy::dst, MLA_MODE_RUN),
            "INVALID_ARGUMENT: mla_copy: dst: expected data, got null for "
            "shape [4, 3, 5]");
  EXPECT_EQ(spoiled(null, &Copy::src, MLA_MODE_PLAN), "OK");
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.device_type = MLA_DEVICE_CUDA; }),
            "INVALID_ARGUMENT: mla_copy: src: expected device cpu:0, got "
            "cuda:0");
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.device_type = 42; }),
            "INVALID_ARGUMENT: mla_copy: src: expected device cpu:0, got "
            "device type 42");
  std::string text = spoiled([](mla_tensor &t) { t.byte_offset = 2; });
  EXPECT_EQ(text.rfind("INVALID_ARGUMENT: mla_copy: src: expected an address "
                       "aligned to the 4 bytes of f32, got 0x",
                       0),
            0u)
      << text;
}

TEST(Tensor, MayHaveNoDataWithoutElements) {
  auto call = validCopy();
  for (auto field : {&Copy::src, &Copy::dst}) {
    call[field].shape[1] = 0;
    call[field].data = nullptr;
  }
  EXPECT_EQ(answer(mla_copy, call.p, MLA_MODE_RUN), "OK");
}

TEST(Tensor, WrittenElementsAreDistinct) {
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.strides[1] = 0; }, &Copy::dst),
            "INVALID_ARGUMENT: mla_copy: dst: expected distinct elements to "
            "write, got stride 0 in dimension 1 of size 3");
  EXPECT_EQ(spoiled([](mla_tensor &t) { t.strides[1] = 4; }, &Copy::dst),
            "INVALID_ARGUMENT: mla_copy: dst: expected distinct elements to "
            "write, got dimensions 1 and 2 that meet (strides 4 and 1)");
  // No two of these meet, all three do: 28 is 2 * 8 + 3 * 4.
  EXPECT_EQ(spoiled(
                [](mla_tensor &t) {
                  t.strides[0] = 28, t.strides[1] = 8, t.strides[2] = 3;
                },
                &Copy::dst),
            "INVALID_ARGUMENT: mla_copy: dst: expected distinct elements to "
            "write, got dimensions that meet (shape [4, 3, 5], strides [28, 8, "
            "3])");
  // A dimension of size 1 may have any stride.
  auto call = validCopy();
  for (auto field : {&Copy::src, &Copy::dst}) {
    call[field].shape[1] = 1;
    call[field].strides[1] = 0;
  }
  EXPECT_EQ(answer(mla_copy, call.p, MLA_MODE_RUN), "OK");
  // [2, 3] with strides [3, 2] is 0 2 4 3 5 7: odd, but distinct.
  Call<Copy> odd;
  for (auto field : {&Copy::src, &Copy::dst}) {
    odd.add(field, MLA_DTYPE_F32, {2, 4});
    odd[field].shape[1] = 3;
    odd[field].strides[0] = 3;
    odd[field].strides[1] = 2;
  }
  EXPECT_EQ(answer(mla_copy, odd.p, MLA_MODE_RUN), "OK");
}
