//===- EntryTest.cpp - What mla_begin asks of an entry's arguments --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

namespace {
/// An entry `decode(q [T,8] bf16, steps, out [T,8] bf16, cache [pages,8]
/// bf16)`.
struct Decode {
  mla_arg_spec specs[4] = {
      {"q", MLA_ROLE_INPUT, MLA_DTYPE_BF16, 2, 0, {-2, 8}},
      {"steps", MLA_ROLE_SCALAR, MLA_DTYPE_I64, 0, 0, {}},
      {"out", MLA_ROLE_OUTPUT, MLA_DTYPE_BF16, 2, 0, {-2, 8}},
      {"cache", MLA_ROLE_INOUT, MLA_DTYPE_BF16, 2, 0, {-1, 8}}};
  Operand q{MLA_DTYPE_BF16, {4, 8}};
  Operand steps{MLA_DTYPE_I64, {}};
  Operand out{MLA_DTYPE_BF16, {4, 8}};
  Operand cache{MLA_DTYPE_BF16, {16, 8}};
  mla_tensor args[4] = {q.tensor, steps.tensor, out.tensor, cache.tensor};

  std::string begin(int32_t mode = MLA_MODE_RUN, int64_t numArgs = 4) {
    Context ctx(mode);
    mla_status status = mla_begin(ctx, "decode", specs, 4, args, numArgs);
    std::string text = mla_last_error(ctx);
    EXPECT_EQ(mla_context_status(ctx), status);
    // Whether it opened or not, mla_end gives the same answer.
    EXPECT_EQ(mla_end(ctx), status);
    if (status == MLA_STATUS_OK)
      return "OK";
    return std::string(mla_status_name(status)) + ": " + text;
  }
};
} // namespace

TEST(Entry, Begins) {
  Decode decode;
  for (int32_t mode : {MLA_MODE_RUN, MLA_MODE_CHECK, MLA_MODE_PLAN})
    EXPECT_EQ(decode.begin(mode), "OK");
}

TEST(Entry, CountsArguments) {
  Decode decode;
  EXPECT_EQ(decode.begin(MLA_MODE_RUN, 3),
            "INVALID_ARGUMENT: decode: expected 4 arguments, got 3");
  Context ctx;
  EXPECT_EQ(mla_begin(ctx, "decode", decode.specs, 4, nullptr, 4),
            MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(ctx), "decode: expected 4 arguments, got null");
  EXPECT_EQ(mla_begin(ctx, "decode", decode.specs, -1, nullptr, -1),
            MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(ctx),
               "decode: num_args: expected a non-negative value, got -1");
}

TEST(Entry, ChecksTypesAndShapes) {
  {
    Decode decode;
    decode.args[0].dtype = MLA_DTYPE_F16;
    EXPECT_EQ(decode.begin(),
              "INVALID_ARGUMENT: decode: q: expected dtype bf16, got f16");
  }
  {
    Decode decode;
    decode.args[0].shape[1] = 7;
    EXPECT_EQ(decode.begin(), "INVALID_ARGUMENT: decode: q: expected shape "
                              "[?, 8], got [4, 7]");
  }
  {
    Decode decode;
    decode.args[3].rank = 1;
    EXPECT_EQ(decode.begin(), "INVALID_ARGUMENT: decode: cache: expected shape "
                              "[?, 8], got [16]");
  }
  {
    Decode decode;
    decode.args[2].shape[0] = 3;
    EXPECT_EQ(decode.begin(),
              "INVALID_ARGUMENT: decode: out: expected shape [4, 8], got "
              "[3, 8] (dimension 0 is dimension 0 of q)");
  }
  {
    Decode decode;
    decode.args[0].shape[0] = -1;
    EXPECT_EQ(decode.begin(), "INVALID_ARGUMENT: decode: q: expected "
                              "non-negative sizes, got shape [-1, 8]");
  }
}

TEST(Entry, ChecksWherePackedRowsStart) {
  // A cache [pages, P, bytes] of a pool of two layers, rows of 12 bytes.
  mla_arg_spec spec = {"cache", MLA_ROLE_INOUT,      MLA_DTYPE_I8,
                       3,       MLA_ARG_PACKED_ROWS, {-1, 2, 12}};
  Operand pool{MLA_DTYPE_I8, {3, 2, 24}};
  mla_tensor arg = pool.tensor;
  arg.shape[2] = 12;
  auto begin = [&] {
    Context ctx(MLA_MODE_RUN);
    mla_status status = mla_begin(ctx, "decode", &spec, 1, &arg, 1);
    std::string text = mla_last_error(ctx);
    mla_end(ctx);
    return status == MLA_STATUS_OK ? "OK" : text;
  };
  EXPECT_EQ(begin(), "OK");
  arg.strides[1] = 22;
  EXPECT_EQ(begin(), "decode: cache: expected rows at multiples of 4 bytes, "
                     "got stride 22 in dimension 1");
  spec.flags = 0;
  EXPECT_EQ(begin(), "OK");
  spec.flags = MLA_ARG_PACKED_ROWS;
  arg.strides[1] = 24;
  arg.strides[0] = 50;
  EXPECT_EQ(begin(), "decode: cache: expected rows at multiples of 4 bytes, "
                     "got stride 50 in dimension 0");
  arg.shape[0] = 1; // of a single page nobody asks where the next one is
  EXPECT_EQ(begin(), "OK");
  arg.strides[2] = 2;
  EXPECT_EQ(begin(), "decode: cache: expected the bytes of a row side by side, "
                     "got stride 2");
  arg.strides[2] = 1;
  for (uint64_t offset : {1, 2, 3}) {
    arg.byte_offset = offset;
    EXPECT_NE(begin().find("decode: cache: expected rows at multiples of 4 "
                           "bytes, got address "),
              std::string::npos)
        << begin();
  }
  arg.byte_offset = 4;
  EXPECT_EQ(begin(), "OK");
  arg.byte_offset = 2;
  arg.shape[0] = 0; // no row, no address
  EXPECT_EQ(begin(), "OK");
  spec.flags = 2;
  EXPECT_EQ(begin(), "decode: cache: expected an argument specification of ABI "
                     "1, got another");
}

TEST(Entry, ChecksDataButNotWhilePlanning) {
  Decode decode;
  decode.args[0].data = nullptr;
  const char *text = "INVALID_ARGUMENT: decode: q: expected data, got null for "
                     "shape [4, 8]";
  EXPECT_EQ(decode.begin(MLA_MODE_RUN), text);
  EXPECT_EQ(decode.begin(MLA_MODE_CHECK), text);
  EXPECT_EQ(decode.begin(MLA_MODE_PLAN), "OK");
  decode.args[0] = decode.q.tensor;
  // A scalar is read in every mode.
  decode.args[1].data = nullptr;
  EXPECT_EQ(decode.begin(MLA_MODE_PLAN), "INVALID_ARGUMENT: decode: steps: "
                                         "expected data, got null for shape "
                                         "[]");
}

TEST(Entry, ChecksDevicesAlignmentAndFlags) {
  {
    Decode decode;
    decode.args[0].device_type = MLA_DEVICE_CUDA;
    decode.args[0].device_id = 1;
    EXPECT_EQ(decode.begin(), "INVALID_ARGUMENT: decode: q: expected device "
                              "cpu:0, got cuda:1");
    EXPECT_EQ(decode.begin(MLA_MODE_PLAN), "OK");
  }
  {
    Decode decode;
    decode.args[0].byte_offset = 1;
    std::string text = decode.begin();
    EXPECT_EQ(text.rfind("INVALID_ARGUMENT: decode: q: expected an address "
                         "aligned to the 2 bytes of bf16, got 0x",
                         0),
              0u)
        << text;
  }
  for (int written : {2, 3}) {
    Decode decode;
    decode.args[0].flags = MLA_TENSOR_READ_ONLY;
    EXPECT_EQ(decode.begin(), "OK");
    decode.args[written].flags = MLA_TENSOR_READ_ONLY;
    EXPECT_EQ(decode.begin(), std::string("INVALID_ARGUMENT: decode: ") +
                                  decode.specs[written].name +
                                  ": expected a tensor to write, got a "
                                  "read-only one");
  }
}

TEST(Entry, RefusesOutputsInAnotherArgument) {
  Decode decode;
  decode.args[2].data = decode.q.tensor.data;
  EXPECT_EQ(decode.begin(), "INVALID_ARGUMENT: decode: out: expected memory "
                            "apart from the other arguments, got an overlap "
                            "with q");
}

TEST(Entry, ClearsWhatWasLeft) {
  Context ctx;
  auto bad = validFill();
  bad.p.dst = nullptr;
  EXPECT_NE(mla_fill(ctx, &bad.p), MLA_STATUS_OK);
  EXPECT_EQ(mla_begin(ctx, "e", nullptr, 0, nullptr, 0), MLA_STATUS_OK);
  EXPECT_STREQ(mla_last_error(ctx), "");
  EXPECT_EQ(mla_fill(ctx, &bad.p), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mla_end(ctx), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(ctx),
               "mla_fill: dst: expected a tensor, got null");
}

TEST(Entry, DoesNotNest) {
  Context ctx;
  EXPECT_EQ(mla_end(ctx), MLA_STATUS_FAILED_PRECONDITION);
  EXPECT_STREQ(mla_last_error(ctx),
               "mla_end: expected an open entry, got none");
  ASSERT_EQ(mla_begin(ctx, "first", nullptr, 0, nullptr, 0), MLA_STATUS_OK);
  EXPECT_EQ(mla_begin(ctx, "second", nullptr, 0, nullptr, 0),
            MLA_STATUS_FAILED_PRECONDITION);
  EXPECT_STREQ(mla_last_error(ctx), "mla_begin: expected no open entry, got "
                                    "'first' while 'second' begins");
}

TEST(Entry, RefusesSpecificationsOfAnotherKind) {
  Decode decode;
  decode.specs[0].rank = 7;
  EXPECT_EQ(decode.begin(), "FAILED_PRECONDITION: decode: q: expected an "
                            "argument specification of ABI 1, got another");
}
