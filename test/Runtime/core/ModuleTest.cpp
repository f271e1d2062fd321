//===- ModuleTest.cpp - Loading compiled modules --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla_runtime/runtime.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <string>

static std::string path(const std::string &kind) {
  return std::string(TEST_MODULE_DIR) + "/mla-test-module-" + kind + ".so";
}

TEST(Module, PlansChecksAndRuns) {
  mla_module *module = nullptr;
  ASSERT_EQ(mla_module_load(path("good").c_str(), &module), MLA_STATUS_OK)
      << mla_last_error(nullptr);
  EXPECT_EQ(std::string(mla_module_manifest(module)).rfind("{\"schema\": 1", 0),
            0u);
  mla_entry_fn entry = mla_module_entry(module, "twice");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(mla_module_entry(module, "mla_manifest"), nullptr);
  EXPECT_STREQ(
      mla_last_error(nullptr),
      "mla_module_entry: expected an entry of 'twice', got 'mla_manifest'");

  mla_context *ctx = nullptr;
  ASSERT_EQ(mla_context_create("cpu", 0, &ctx), MLA_STATUS_OK);
  float data[100] = {};
  mla_tensor out = {};
  out.device_type = MLA_DEVICE_CPU;
  out.dtype = MLA_DTYPE_F32;
  out.rank = 1;
  out.shape[0] = 100;
  out.strides[0] = 1;
  // PLAN asks for no memory, CHECK for all of it.
  ASSERT_EQ(mla_context_set_mode(ctx, MLA_MODE_PLAN), MLA_STATUS_OK);
  EXPECT_EQ(entry(ctx, &out, 1), MLA_STATUS_OK) << mla_last_error(ctx);
  EXPECT_EQ(mla_context_workspace_high_water(ctx), 512u);
  ASSERT_EQ(mla_context_set_mode(ctx, MLA_MODE_CHECK), MLA_STATUS_OK);
  EXPECT_EQ(entry(ctx, &out, 1), MLA_STATUS_INVALID_ARGUMENT);
  out.data = data;
  EXPECT_EQ(entry(ctx, &out, 1), MLA_STATUS_RESOURCE_EXHAUSTED);
  ASSERT_EQ(mla_context_set_workspace(ctx, nullptr, 512), MLA_STATUS_OK);
  EXPECT_EQ(entry(ctx, &out, 1), MLA_STATUS_OK) << mla_last_error(ctx);
  EXPECT_EQ(data[0], 0.0f);
  ASSERT_EQ(mla_context_set_mode(ctx, MLA_MODE_RUN), MLA_STATUS_OK);
  EXPECT_EQ(entry(ctx, &out, 0), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(ctx), "twice: expected 1 arguments, got 0");
  EXPECT_EQ(entry(ctx, &out, 1), MLA_STATUS_OK) << mla_last_error(ctx);
  for (float value : data)
    EXPECT_EQ(value, 3.0f);
  mla_context_destroy(ctx);
  mla_module_unload(module);
}

TEST(Module, ListsArguments) {
  mla_module *module = nullptr;
  ASSERT_EQ(mla_module_load(path("good").c_str(), &module), MLA_STATUS_OK)
      << mla_last_error(nullptr);
  int64_t count = -1;
  const mla_arg_spec *specs = mla_module_arguments(module, "twice", &count);
  ASSERT_NE(specs, nullptr) << mla_last_error(nullptr);
  ASSERT_EQ(count, 1);
  EXPECT_STREQ(specs[0].name, "out");
  EXPECT_EQ(specs[0].role, uint32_t(MLA_ROLE_OUTPUT));
  EXPECT_EQ(specs[0].dims[0], -2);

  // In the table, but not the manifest's.
  EXPECT_EQ(mla_module_arguments(module, "other", &count), nullptr);
  EXPECT_EQ(count, 0);
  EXPECT_STREQ(
      mla_last_error(nullptr),
      "mla_module_arguments: expected an entry of 'twice', got 'other'");
  mla_module_unload(module);
}

TEST(Module, MissesArguments) {
  for (const char *kind : {"no_arguments", "without_entry"}) {
    mla_module *module = nullptr;
    ASSERT_EQ(mla_module_load(path(kind).c_str(), &module), MLA_STATUS_OK)
        << mla_last_error(nullptr);
    EXPECT_NE(mla_module_entry(module, "twice"), nullptr);
    int64_t count = -1;
    EXPECT_EQ(mla_module_arguments(module, "twice", &count), nullptr);
    EXPECT_EQ(count, 0);
    EXPECT_STREQ(
        mla_last_error(nullptr),
        "mla_module_arguments: expected a module with the arguments of 'twice' "
        "in mla_module_entries, got one without; compile it again");
    mla_module_unload(module);
  }
}

static std::string refusal(const std::string &file, mla_status expected) {
  mla_module *module = reinterpret_cast<mla_module *>(1);
  EXPECT_EQ(mla_module_load(file.c_str(), &module), expected);
  EXPECT_EQ(module, nullptr);
  std::string text = mla_last_error(nullptr);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.rfind(file + ": expected ", 0), 0u) << text;
  return text.substr(std::min(text.size(), file.size() + 2));
}

TEST(Module, RefusesOthers) {
  const mla_status wrong = MLA_STATUS_FAILED_PRECONDITION;
  EXPECT_EQ(refusal("/nowhere/x.so", MLA_STATUS_NOT_FOUND),
            "expected a compiled module, got no readable file");
  EXPECT_EQ(refusal(path("other_abi"), wrong),
            "expected a module of ABI 1, got ABI 2");
  EXPECT_EQ(refusal(path("no_abi"), wrong),
            "expected a compiled module, got a library without mla_module_abi");
  EXPECT_EQ(refusal(path("no_manifest"), wrong),
            "expected a compiled module, got a library without mla_manifest");
  EXPECT_EQ(refusal(path("bad_manifest"), wrong),
            "expected a manifest of schema 1, got another or a malformed one");
  EXPECT_EQ(refusal(path("missing_entry"), wrong),
            "expected a symbol for the manifest's entry 'twice', got none");
  std::string text = testing::TempDir() + "not-a-module.so";
  std::ofstream(text) << "hello";
  EXPECT_EQ(refusal(text, wrong).rfind("expected a compiled module, got: ", 0),
            0u);
  std::remove(text.c_str());
}

TEST(Module, TakesNull) {
  mla_module *module = nullptr;
  EXPECT_EQ(mla_module_load(nullptr, &module), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mla_module_load("x", nullptr), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_module_manifest(nullptr), "");
  EXPECT_EQ(mla_module_entry(nullptr, "x"), nullptr);
  int64_t count = -1;
  EXPECT_EQ(mla_module_arguments(nullptr, "x", &count), nullptr);
  EXPECT_EQ(count, 0);
  EXPECT_EQ(mla_module_arguments(nullptr, "x", nullptr), nullptr);
  EXPECT_STREQ(mla_last_error(nullptr),
               "mla_module_arguments: count: expected an address, got null");
  mla_module_unload(nullptr);
}
