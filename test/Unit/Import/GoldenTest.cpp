//===- GoldenTest.cpp - Configs against what the models computed ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The config and the recorded tensors of a model are two ways to the same core.
// The tensors hold what the model's own code made of its config: the rotary
// table's rows, the softmax scale, and, found by recomputing the output, the
// pairing.
//
//===----------------------------------------------------------------------===//

#include "mla/Import/Golden.h"
#include "mla/Import/ModelConfig.h"
#include "mla/Import/RopeTable.h"

#include "io/File.h"
#include "mla_runtime/tensor.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <cmath>
#include <unistd.h>

using namespace llvm;

namespace mla {
namespace {

struct Case {
  const char *golden, *config;
};

constexpr Case kCases[] = {
    {"axk1", "axk1"},
    {"axk2", "axk2"},
    {"deepseek_v2_lite", "deepseek_v2"},
    {"deepseek_v3", "deepseek_v3"},
    {"deepseek_v32", "deepseek_v32"},
    {"deepseek_v3_yarn", "deepseek_v3"},
    {"glm4_moe_lite", "glm4_moe_lite"},
    {"glm5_next", "glm5_next"},
    {"glm_moe_dsa", "glm_moe_dsa"},
    {"hy_v4", "hy_v4"},
    {"kimi_linear", "kimi_linear"},
    {"longcat_flash", "longcat_flash"},
    {"minicpm3", "minicpm3"},
    {"mistral4", "mistral4"},
    {"youtu", "youtu"},
};

/// The model's config with the fields that were overridden for the recording.
std::string readMergedConfig(const Case &test, const io::SafeTensors &golden) {
  std::string path =
      MLA_TEST_DATA "/configs/" + std::string(test.config) + ".json";
  io::Result<io::Buffer> text = io::readFile(path);
  EXPECT_TRUE(text) << text.error();
  json::Object config =
      *cantFail(json::parse(StringRef(reinterpret_cast<char *>(text->data()),
                                      text->size())))
           .getAsObject();
  json::Object *target = config.getObject("text_config");
  if (!target)
    target = &config;
  json::Value overrides = cantFail(json::parse(golden.metadata().at("config")));
  for (auto &[key, value] : *overrides.getAsObject())
    (*target)[key] = value;
  std::string merged;
  raw_string_ostream(merged) << json::Value(std::move(config));
  return merged;
}

class GoldenTest : public testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    std::string path = MLA_TEST_DATA "/goldens/" +
                       std::string(GetParam().golden) + ".safetensors";
    io::Result<io::SafeTensors> read = io::SafeTensors::read(path);
    ASSERT_TRUE(read) << read.error();
    file.emplace(std::move(*read));
    Expected<AttentionCoreSpec> spec = readGolden(*file, path);
    ASSERT_TRUE(!!spec) << toString(spec.takeError());
    recorded = *spec;
    Expected<AttentionCoreSpec> config =
        readModelConfig(readMergedConfig(GetParam(), *file), path);
    ASSERT_TRUE(!!config) << toString(config.takeError());
    stated = *config;
  }

  std::optional<io::SafeTensors> file;
  AttentionCoreSpec recorded, stated;
};

TEST_P(GoldenTest, ConfigAndTensorsAgree) {
  EXPECT_EQ(stated.numHeads, recorded.numHeads);
  EXPECT_EQ(stated.kvLoraRank, recorded.kvLoraRank);
  EXPECT_EQ(stated.qkNopeHeadDim, recorded.qkNopeHeadDim);
  EXPECT_EQ(stated.qkRopeHeadDim, recorded.qkRopeHeadDim);
  EXPECT_EQ(stated.vHeadDim, recorded.vHeadDim);
  EXPECT_EQ(stated.rotated, recorded.rotated);
  EXPECT_EQ(stated.hasLiveRope(), file->find("cos") != nullptr);
  if (recorded.rotated) {
    EXPECT_EQ(stated.ropeStyle, recorded.ropeStyle);
  }
  EXPECT_EQ(stated.topk, recorded.topk);
  EXPECT_EQ(stated.sinks, recorded.sinks);
  EXPECT_DOUBLE_EQ(stated.softmaxScale, recorded.softmaxScale);
}

TEST_P(GoldenTest, TableHasTheRecordedRows) {
  if (!recorded.rotated) {
    EXPECT_EQ(toString(readGoldenRopeTable(*file, "f").takeError()),
              "f: expected a tensor cos, got none");
    return;
  }
  Expected<std::vector<float>> expected = readGoldenRopeTable(*file, "f");
  ASSERT_TRUE(!!expected) << toString(expected.takeError());
  auto rows = static_cast<int64_t>(expected->size()) / stated.qkRopeHeadDim;
  ASSERT_EQ(rows, 37);
  std::vector<float> table = computeRopeTable(stated, rows);
  ASSERT_EQ(table.size(), expected->size());
  float worst = 0;
  for (size_t i = 0; i < table.size(); ++i)
    worst = std::max(worst, std::fabs(table[i] - (*expected)[i]));
  EXPECT_LE(worst, 1.5e-7f); // one unit in the last place near 1
  // The same rows with another base would be far off.
  stated.rope.theta *= 2;
  table = computeRopeTable(stated, rows);
  worst = 0;
  for (size_t i = 0; i < table.size(); ++i)
    worst = std::max(worst, std::fabs(table[i] - (*expected)[i]));
  EXPECT_GT(worst, 0.1f);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case> &info) {
                           return std::string(info.param.golden);
                         });

/// Tensors as a recording has them, small.
class Recording {
public:
  Recording() {
    add("q", MLA_DTYPE_F32, {2, 3, 6});
    add("c_kv", MLA_DTYPE_F32, {2, 8});
    add("k_pe", MLA_DTYPE_F32, {2, 2});
    add("w_kv_b", MLA_DTYPE_BF16, {3, 9, 8});
    add("out", MLA_DTYPE_F32, {2, 3, 5});
    metadata = {
        {"model", "m"}, {"softmax_scale", "0.25"}, {"rope", "interleaved"}};
  }
  void add(const std::string &name, uint32_t dtype,
           std::vector<int64_t> shape) {
    shapes[name] = {dtype, std::move(shape)};
  }
  std::string error() {
    io::Result<io::SafeTensors> file = save();
    Expected<AttentionCoreSpec> spec = readGolden(*file, "f");
    return spec ? "accepted" : toString(spec.takeError());
  }
  io::Result<io::SafeTensors> save() {
    std::string path = testing::TempDir() + "mla-recording-" +
                       std::to_string(getpid()) + ".safetensors";
    std::vector<char> zeros(4096);
    std::vector<io::NamedTensor> tensors;
    for (auto &[name, entry] : shapes) {
      io::NamedTensor tensor{name, entry.first, entry.second, zeros.data(), 0};
      tensor.bytes =
          tensor.numElements() * (entry.first == MLA_DTYPE_BF16 ? 2 : 4);
      tensors.push_back(tensor);
    }
    io::Status written = io::writeSafeTensors(path, tensors, metadata);
    EXPECT_TRUE(written) << written.error();
    io::Result<io::SafeTensors> file = io::SafeTensors::read(path);
    EXPECT_TRUE(file) << file.error();
    std::remove(path.c_str());
    return file;
  }

  std::map<std::string, std::pair<uint32_t, std::vector<int64_t>>> shapes;
  io::Metadata metadata;
};

TEST(RecordingTest, Accepted) {
  Recording recording;
  io::Result<io::SafeTensors> file = recording.save();
  AttentionCoreSpec spec = cantFail(readGolden(*file, "f"));
  EXPECT_EQ(spec.model, "m");
  EXPECT_EQ(spec.qkNopeHeadDim, 4);
  EXPECT_EQ(spec.qkRopeHeadDim, 2);
  EXPECT_EQ(spec.vHeadDim, 5);
  EXPECT_EQ(spec.softmaxScale, 0.25);
}

TEST(RecordingTest, MissingAndWrong) {
  auto check = [](auto change, const std::string &expected) {
    Recording recording;
    change(recording);
    EXPECT_EQ(recording.error(), "f: " + expected);
  };
  using R = Recording &;
  check([](R r) { r.shapes.erase("c_kv"); },
        "expected a tensor c_kv, got none");
  check([](R r) { r.add("q", MLA_DTYPE_F32, {2, 6}); },
        "q: expected rank 3, got shape [2, 6]");
  check([](R r) { r.add("c_kv", MLA_DTYPE_F32, {3, 8}); },
        "c_kv: expected shape [S, L] = [2, 8], got [3, 8]");
  check([](R r) { r.add("w_kv_b", MLA_DTYPE_BF16, {3, 9, 7}); },
        "w_kv_b: expected shape [H, N+V, L] = [3, 9, 8], got [3, 9, 7]");
  check([](R r) { r.add("w_kv_b", MLA_DTYPE_BF16, {3, 4, 8}); },
        "expected H, L, N and V of at least 1, got H = 3, L = 8, N = 4, V = 0");
  check([](R r) { r.add("out", MLA_DTYPE_F32, {2, 3, 4}); },
        "out: expected shape [S, H, V] = [2, 3, 5], got [2, 3, 4]");
  check([](R r) { r.add("sinks", MLA_DTYPE_F32, {2}); },
        "sinks: expected shape [H] = [3], got [2]");
  check([](R r) { r.add("topk_indices", MLA_DTYPE_I32, {1, 4}); },
        "topk_indices: expected shape [S, topk] = [2, 4], got [1, 4]");
  check([](R r) { r.metadata.erase("softmax_scale"); },
        "expected softmax_scale in the metadata, got none");
  for (const char *scale : {"0", "-1", "nan", "inf", "x", ""})
    check([&](R r) { r.metadata["softmax_scale"] = scale; },
          "softmax_scale: expected a positive number, got '" +
              std::string(scale) + "'");
  check([](R r) { r.metadata["rope"] = "neox"; },
        "rope: expected interleaved, half or none, got 'neox'");
  check(
      [](R r) {
        r.add("k_pe", MLA_DTYPE_F32, {2, 0});
        r.shapes.erase("out"); // whose width says otherwise
      },
      "k_pe: expected an even width to rotate, got 0");
}

} // namespace
} // namespace mla
