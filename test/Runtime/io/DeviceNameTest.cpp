//===- DeviceNameTest.cpp - How users name a device -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/DeviceName.h"

#include <gtest/gtest.h>

using namespace mla::io;

TEST(DeviceName, HasABackendAndANumber) {
  const struct {
    const char *text, *backend;
    int32_t number;
  } names[] = {{"cpu", "cpu", 0},
               {"cuda", "cuda", 0},
               {"cuda:0", "cuda", 0},
               {"cuda:7", "cuda", 7},
               {"cuda:12", "cuda", 12}};
  for (const auto &expected : names) {
    Result<DeviceName> name = parseDeviceName(expected.text);
    ASSERT_TRUE(name) << name.error();
    EXPECT_EQ(name->backend, expected.backend);
    EXPECT_EQ(name->number, expected.number);
  }
}

TEST(DeviceName, RefusesOthersInOneSentence) {
  for (const char *text :
       {"", "gpu", "CUDA", "cpu:0", "cuda:", "cuda:-1", "cuda:+1", "cuda:1 ",
        "cuda: 1", "cuda:1x", "cuda:99999999999", "cuda:0x1", " cuda"}) {
    Result<DeviceName> name = parseDeviceName(text);
    EXPECT_FALSE(name) << text;
    EXPECT_EQ(name.error(), std::string("expected cpu, cuda or cuda:NUMBER, "
                                        "got '") +
                                text + "'");
  }
}
