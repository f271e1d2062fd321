//===- AbiTest.cpp - The ABI's layout, the same for C11 and C++17 ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AbiOffsets.h"
#include "mla_runtime/runtime.h"

#include <gtest/gtest.h>

static const AbiOffset abiOffsetsInCpp[] = {
#include "AbiOffsets.inc"
};

TEST(Abi, IsTheSameInCAndCpp) {
  size_t i = 0;
  for (; abiOffsetsInC[i].what && abiOffsetsInCpp[i].what; ++i) {
    EXPECT_STREQ(abiOffsetsInC[i].what, abiOffsetsInCpp[i].what);
    EXPECT_EQ(abiOffsetsInC[i].value, abiOffsetsInCpp[i].value)
        << abiOffsetsInC[i].what;
  }
  EXPECT_EQ(abiOffsetsInC[i].what, abiOffsetsInCpp[i].what);
  EXPECT_GT(i, 140u);
}

// What compiled modules have built in: a change here is another ABI.
TEST(Abi, IsFrozen) {
  auto at = [](const std::string &what) -> int64_t {
    for (const AbiOffset *o = abiOffsetsInCpp; o->what; ++o)
      if (what == o->what)
        return static_cast<int64_t>(o->value);
    return -1;
  };
  EXPECT_EQ(at("mla_tensor"), 152);
  EXPECT_EQ(at("mla_tensor.rank"), 20);
  EXPECT_EQ(at("mla_tensor.shape"), 24);
  EXPECT_EQ(at("mla_tensor.strides"), 72);
  EXPECT_EQ(at("mla_tensor.byte_offset"), 120);
  EXPECT_EQ(at("mla_tensor.flags"), 128);
  EXPECT_EQ(at("mla_arg_spec"), 72);
  EXPECT_EQ(at("mla_arg_spec.dims"), 24);
  EXPECT_EQ(at("mla_entry_spec"), 24);
  EXPECT_EQ(at("mla_entry_spec.num_args"), 16);
  EXPECT_EQ(at("append.struct_size"), 0);
  EXPECT_EQ(at("append.c_kv"), 8);
  EXPECT_EQ(at("append.cache_scales"), 15 * 8 + 8);
  EXPECT_EQ(at("append.rope_off"), 20 * 8 + 8);
  EXPECT_EQ(at("append"), 176);
  EXPECT_EQ(mla_abi_version(), 1u);
}

TEST(Abi, NamesStatuses) {
  EXPECT_STREQ(mla_status_name(MLA_STATUS_OK), "OK");
  EXPECT_STREQ(mla_status_name(MLA_STATUS_INVALID_ARGUMENT),
               "INVALID_ARGUMENT");
  EXPECT_STREQ(mla_status_name(MLA_STATUS_UNIMPLEMENTED), "UNIMPLEMENTED");
  EXPECT_STREQ(mla_status_name(MLA_STATUS_RESOURCE_EXHAUSTED),
               "RESOURCE_EXHAUSTED");
  EXPECT_STREQ(mla_status_name(MLA_STATUS_FAILED_PRECONDITION),
               "FAILED_PRECONDITION");
  EXPECT_STREQ(mla_status_name(MLA_STATUS_NOT_FOUND), "NOT_FOUND");
  EXPECT_STREQ(mla_status_name(MLA_STATUS_DATA_ERROR), "DATA_ERROR");
  EXPECT_STREQ(mla_status_name(MLA_STATUS_INTERNAL), "INTERNAL");
  EXPECT_STREQ(mla_status_name(8), "UNKNOWN");
  EXPECT_STREQ(mla_status_name(-1), "UNKNOWN");
}

TEST(Abi, NamesElementTypes) {
  EXPECT_STREQ(mla_dtype_name(MLA_DTYPE_BF16), "bf16");
  EXPECT_STREQ(mla_dtype_name(MLA_DTYPE_F8E4M3FN), "f8E4M3FN");
  EXPECT_STREQ(mla_dtype_name(MLA_DTYPE_NONE), "?");
  EXPECT_STREQ(mla_dtype_name(16), "?");
  EXPECT_EQ(mla_dtype_bits(MLA_DTYPE_F4E2M1FN), 4u);
  EXPECT_EQ(mla_dtype_bits(MLA_DTYPE_I64), 64u);
  EXPECT_EQ(mla_dtype_bits(99), 0u);
  for (uint32_t code = MLA_DTYPE_F32; code <= MLA_DTYPE_BOOL; ++code)
    EXPECT_EQ(mla_dtype_from_name(mla_dtype_name(code)), code);
  EXPECT_EQ(mla_dtype_from_name("?"), uint32_t(MLA_DTYPE_NONE));
  EXPECT_EQ(mla_dtype_from_name("fp32"), uint32_t(MLA_DTYPE_NONE));
  EXPECT_EQ(mla_dtype_from_name(nullptr), uint32_t(MLA_DTYPE_NONE));
}
