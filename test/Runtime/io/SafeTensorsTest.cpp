//===- SafeTensorsTest.cpp - The format and files that lie ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/SafeTensors.h"

#include "TemporaryDirectory.h"
#include "io/File.h"
#include "mla_runtime/tensor.h"

#include <gtest/gtest.h>

#include <cstring>

namespace mla::io {
namespace {

/// A file with this header and `dataBytes` zeros; `length` is what it claims
/// for the header, by default the truth.
Buffer fileOf(const std::string &header, uint64_t dataBytes,
              uint64_t length = UINT64_MAX) {
  if (length == UINT64_MAX)
    length = header.size();
  Buffer bytes(8 + header.size() + dataBytes);
  for (int i = 0; i < 8; ++i)
    bytes.data()[i] = static_cast<uint8_t>(length >> 8 * i);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  return bytes;
}

std::string errorOf(const std::string &header, uint64_t dataBytes,
                    uint64_t length = UINT64_MAX) {
  Result<SafeTensors> file =
      SafeTensors::parse(fileOf(header, dataBytes, length), "f");
  return file ? "accepted" : file.error();
}

/// An entry of two f32 named a, with one field replaced.
std::string entry(const std::string &dtype, const std::string &shape,
                  const std::string &offsets) {
  return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape +
         R"(,"data_offsets":)" + offsets + "}}";
}

TEST(SafeTensors, RoundTrip) {
  TemporaryDirectory dir;
  float floats[] = {1.5f, -2.0f, 0.0f, 3.0f, 4.0f, 5.0f};
  int64_t longs[] = {-1, int64_t(1) << 40};
  uint8_t flags[] = {1, 0, 1};
  std::vector<NamedTensor> tensors = {
      {"flags", MLA_DTYPE_BOOL, {3}, flags, 3},
      {"floats", MLA_DTYPE_F32, {2, 3}, floats, sizeof(floats)},
      {"nothing", MLA_DTYPE_BF16, {7, 0}, nullptr, 0},
      {"scalar", MLA_DTYPE_F32, {}, floats + 1, 4},
      {"längs", MLA_DTYPE_I64, {2}, longs, sizeof(longs)}};
  std::string path = dir.file("t.safetensors");
  ASSERT_TRUE(writeSafeTensors(path, tensors, {{"model", "a \"b\"\n"}}));

  Result<SafeTensors> file = SafeTensors::read(path);
  ASSERT_TRUE(file) << file.error();
  EXPECT_EQ(file->tensors().size(), tensors.size());
  EXPECT_EQ(file->metadata(), (Metadata{{"model", "a \"b\"\n"}}));
  for (const NamedTensor &tensor : tensors) {
    const NamedTensor *read = file->find(tensor.name);
    ASSERT_TRUE(read) << tensor.name;
    EXPECT_EQ(read->dtype, tensor.dtype);
    EXPECT_EQ(read->shape, tensor.shape);
    ASSERT_EQ(read->bytes, tensor.bytes);
    if (tensor.bytes) {
      EXPECT_EQ(std::memcmp(read->data, tensor.data, tensor.bytes), 0);
    }
  }
  EXPECT_EQ(file->find("none"), nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file->find("längs")->data) % 8, 0u);
  EXPECT_EQ(dir.entries(), 1);
}

TEST(SafeTensors, WriterRefuses) {
  TemporaryDirectory dir;
  std::string path = dir.file("t");
  float data[2] = {};
  NamedTensor good = {"a", MLA_DTYPE_F32, {2}, data, 8}, bad = good;
  EXPECT_EQ(
      writeSafeTensors(path, {good, good}).error(),
      path + ": tensor 'a': expected a name of its own, got one that is taken");
  bad.bytes = 7;
  EXPECT_EQ(writeSafeTensors(path, {bad}).error(),
            path + ": tensor 'a': expected 8 bytes for its shape, got 7");
  bad = good;
  bad.dtype = MLA_DTYPE_F4E2M1FN;
  EXPECT_EQ(
      writeSafeTensors(path, {bad}).error(),
      path + ": tensor 'a': expected a type that the format has, got code 9");
  bad = good;
  bad.name = "\xff";
  EXPECT_EQ(writeSafeTensors(path, {bad}).error(),
            path + ": expected names and metadata in UTF-8, got other bytes");
  EXPECT_EQ(dir.entries(), 0);
}

TEST(SafeTensors, AcceptsWhatTheFormatAllows) {
  EXPECT_EQ(errorOf("{}", 0), "accepted");
  EXPECT_EQ(errorOf(entry(R"("F32")", "[2]", "[0,8]"), 8), "accepted");
  EXPECT_EQ(errorOf(entry(R"("F32")", "[2]", "[0,8]") + "   ", 8), "accepted");
  EXPECT_EQ(errorOf(entry(R"("F32")", "[]", "[0,4]"), 4), "accepted");
  EXPECT_EQ(errorOf(entry(R"("F32")", "[0,9223372036854775807]", "[0,0]"), 0),
            "accepted");
}

TEST(SafeTensors, Truncated) {
  EXPECT_EQ(SafeTensors::parse(Buffer(0), "f").error(),
            "f: expected a header's length in 8 bytes, got a file of 0");
  EXPECT_EQ(SafeTensors::parse(Buffer(7), "f").error(),
            "f: expected a header's length in 8 bytes, got a file of 7");
  EXPECT_EQ(
      errorOf("{}", 0, 3),
      "f: expected a header of 3 bytes, got a file with 2 after the length");
  EXPECT_EQ(
      errorOf("{}", 0, UINT64_MAX - 1),
      "f: expected a header of 18446744073709551614 bytes, got a file with 2 "
      "after the length");
  // Cut in the data.
  EXPECT_EQ(errorOf(entry(R"("F32")", "[2]", "[0,8]"), 7),
            "f: tensor 'a': expected data_offsets within the 7 bytes after the "
            "header, got [0,8]");
}

TEST(SafeTensors, NotAHeader) {
  EXPECT_EQ(errorOf("[]", 0),
            "f: expected the header to be a JSON object, got array");
  EXPECT_EQ(errorOf("{\"a\":", 0),
            "f: expected the header to be JSON in UTF-8, got "
            "a syntax error at its byte 6");
  EXPECT_EQ(errorOf("", 0), "f: expected the header to be JSON in UTF-8, got a "
                            "syntax error at its byte 1");
  EXPECT_EQ(errorOf("{\"\xff\":1}", 0),
            "f: expected the header to be JSON in "
            "UTF-8, got a syntax error at its byte 3");
  EXPECT_EQ(errorOf(std::string(100000, '['), 0).substr(0, 47),
            "f: expected the header to be JSON in UTF-8, got");
  EXPECT_EQ(
      errorOf(R"({"__metadata__":{"k":1}})", 0),
      "f: expected the value of 'k' in __metadata__ to be a string, got 1");
  EXPECT_EQ(errorOf(R"({"__metadata__":[]})", 0),
            "f: expected __metadata__ to be an object, got []");
}

TEST(SafeTensors, DuplicateNames) {
  std::string one = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_EQ(errorOf("{" + one + "," + one + "}", 1),
            "f: expected every name once in the header, got 'a' twice");
  // As an escape it is the same name.
  EXPECT_EQ(errorOf("{" + one + R"(,"\u0061":{}})", 1),
            "f: expected every name once in the header, got 'a' twice");
  EXPECT_EQ(
      errorOf(
          R"({"a":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}})",
          1),
      "f: expected every name once in the header, got 'dtype' twice");
}

TEST(SafeTensors, BadFields) {
  EXPECT_EQ(errorOf(R"({"a":7})", 0),
            "f: tensor 'a': expected an object with dtype, "
            "shape and data_offsets, got 7");
  EXPECT_EQ(errorOf(R"({"a":{"dtype":"U8","shape":[]}})", 0),
            "f: tensor 'a': expected a field data_offsets, got none");
  EXPECT_EQ(errorOf(entry(R"("F31")", "[2]", "[0,8]"), 8),
            "f: tensor 'a': expected dtype to be one of F64, F32, F16, BF16, "
            "F8_E4M3, "
            "F8_E5M2, F8_E8M0, I64, I32, I8, U8, BOOL, got \"F31\"");
  EXPECT_EQ(errorOf(entry("null", "[2]", "[0,8]"), 8).substr(0, 42),
            "f: tensor 'a': expected dtype to be one of");
  EXPECT_EQ(errorOf(entry(R"("F32")", "2", "[0,8]"), 8),
            "f: tensor 'a': expected shape to be an array, got 2");
  for (std::string dim : {"-2", "1.5", "\"2\"", "null", "9223372036854775808",
                          "18446744073709551616"}) {
    std::string error = errorOf(entry(R"("F32")", "[" + dim + "]", "[0,8]"), 8);
    EXPECT_EQ(error.substr(0, 66),
              "f: tensor 'a': expected shape to hold sizes from "
              "0 to 2^63-1, got ")
        << dim;
  }
  EXPECT_EQ(errorOf(entry(R"("F32")", "[4294967296,4294967296]", "[0,0]"), 0),
            "f: tensor 'a': expected a size in bytes below 2^64, got shape "
            "[4294967296,4294967296]");
  EXPECT_EQ(
      errorOf(entry(R"("F32")", "[3]", "[0,8]"), 8),
      "f: tensor 'a': expected 12 bytes for F32 [3], got data_offsets of 8");
  for (std::string offsets :
       {"[8,0]", "[0]", "[0,8,9]", "[-1,7]", "[0.0,8]", "{}"})
    EXPECT_EQ(errorOf(entry(R"("F32")", "[2]", offsets), 8),
              "f: tensor 'a': expected data_offsets to be [begin, end], got " +
                  offsets)
        << offsets;
  // A name that would break the line of a message.
  EXPECT_EQ(errorOf(R"({"a\nb":7})", 0).find('\n'), std::string::npos);
}

TEST(SafeTensors, HolesAndOverlaps) {
  auto two = [](int begin) {
    std::string first =
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
    return first + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[)" +
           std::to_string(begin) + "," + std::to_string(begin + 4) + "]}}";
  };
  EXPECT_EQ(errorOf(two(4), 8), "accepted");
  EXPECT_EQ(errorOf(two(3), 8),
            "f: tensor 'b': expected its data at byte 4, where "
            "the one before ends, got 3");
  EXPECT_EQ(errorOf(two(8), 12),
            "f: tensor 'b': expected its data at byte 4, where "
            "the one before ends, got 8");
  EXPECT_EQ(errorOf(two(4), 9), "f: expected 8 bytes after the header, got 9");
}

TEST(SafeTensors, EveryPrefixOfAFileIsRefused) {
  TemporaryDirectory dir;
  float data[4] = {1, 2, 3, 4};
  std::string path = dir.file("t");
  ASSERT_TRUE(writeSafeTensors(path, {{"x", MLA_DTYPE_F32, {4}, data, 16}},
                               {{"k", "v"}}));
  Result<Buffer> whole = readFile(path);
  ASSERT_TRUE(whole);
  for (uint64_t size = 0; size < whole->size(); ++size) {
    Buffer part(size);
    std::memcpy(part.data(), whole->data(), size);
    EXPECT_FALSE(SafeTensors::parse(std::move(part), "f")) << size;
  }
}

} // namespace
} // namespace mla::io
