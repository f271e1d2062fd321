//===- ModelConfigTest.cpp - config.json, old, new and broken -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Import/ModelConfig.h"

#include "mla/Import/RopeTable.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace llvm;

namespace mla {
namespace {

/// A config under construction.
class Config {
public:
  explicit Config(const char *text)
      : object(*cantFail(json::parse(text)).getAsObject()) {}
  Config with(StringRef field, json::Value value) const {
    Config copy = *this;
    copy.object[field] = std::move(value);
    return copy;
  }
  Config without(StringRef field) const {
    Config copy = *this;
    copy.object.erase(field);
    return copy;
  }
  Config inside(StringRef field) const {
    return Config(json::Object{{field, json::Object(object)}});
  }
  Expected<AttentionCoreSpec> read() const {
    std::string text;
    raw_string_ostream(text) << json::Value(json::Object(object));
    return readModelConfig(text, "f");
  }
  AttentionCoreSpec spec() const {
    Expected<AttentionCoreSpec> result = read();
    if (result)
      return *result;
    ADD_FAILURE() << toString(result.takeError());
    return {};
  }
  std::string error() const {
    Expected<AttentionCoreSpec> result = read();
    return result ? "accepted" : toString(result.takeError());
  }

private:
  explicit Config(json::Object object) : object(std::move(object)) {}
  json::Object object;
};

/// As checkpoints of DeepSeek-V3 carry it.
const Config deepseek(R"({
  "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
  "num_attention_heads": 128, "num_key_value_heads": 128, "kv_lora_rank": 512,
  "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
  "v_head_dim": 128, "max_position_embeddings": 163840, "rope_theta": 10000,
  "rope_scaling": {"type": "yarn", "factor": 40, "beta_fast": 32, "beta_slow": 1,
    "mscale": 1.0, "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096}
})");

TEST(ModelConfig, OlderForm) {
  AttentionCoreSpec spec = deepseek.spec();
  EXPECT_EQ(spec.model, "deepseek_v3");
  EXPECT_EQ(spec.numHeads, 128);
  EXPECT_EQ(spec.getQueryWidth(), 192);
  EXPECT_EQ(spec.getCacheWidth(), 576);
  EXPECT_EQ(spec.vHeadDim, 128);
  EXPECT_EQ(spec.maxPositions, 163840);
  EXPECT_TRUE(spec.rotated);
  EXPECT_EQ(spec.ropeStyle, RopeStyle::Interleaved);
  EXPECT_EQ(spec.rope.kind, RopeScalingKind::YaRN);
  EXPECT_EQ(spec.rope.factor, 40);
  EXPECT_EQ(spec.rope.originalMaxPositions, 4096);
  EXPECT_DOUBLE_EQ(spec.softmaxScale, 0.1352337788608801);
}

TEST(ModelConfig, NewerFormIsTheSame) {
  json::Object rope{
      {"rope_type", "yarn"},   {"rope_theta", 10000.0},
      {"factor", 40.0},        {"beta_fast", 32},
      {"beta_slow", 1},        {"mscale", 1.0},
      {"mscale_all_dim", 1.0}, {"original_max_position_embeddings", 4096}};
  AttentionCoreSpec newer = deepseek.without("rope_scaling")
                                .without("rope_theta")
                                .with("rope_parameters", std::move(rope))
                                .spec();
  AttentionCoreSpec older = deepseek.spec();
  EXPECT_EQ(newer.softmaxScale, older.softmaxScale);
  EXPECT_EQ(computeRopeTable(newer, 50), computeRopeTable(older, 50));
}

TEST(ModelConfig, NullScalingIsNone) {
  AttentionCoreSpec spec = deepseek.with("rope_scaling", nullptr).spec();
  EXPECT_EQ(spec.rope.kind, RopeScalingKind::Default);
  EXPECT_DOUBLE_EQ(spec.softmaxScale, 1 / std::sqrt(192.0));
}

TEST(ModelConfig, WithoutMscaleAllDimTheScaleIsPlain) {
  AttentionCoreSpec spec =
      deepseek
          .with("rope_scaling",
                json::Object{{"type", "yarn"},
                             {"factor", 40},
                             {"original_max_position_embeddings", 4096}})
          .spec();
  EXPECT_DOUBLE_EQ(spec.softmaxScale, 1 / std::sqrt(192.0));
  EXPECT_GT(getRopeAttentionFactor(spec.rope, 4096), 1.3);
}

TEST(ModelConfig, ThreeFactsAboutRope) {
  // R = 0 is zero, not missing.
  AttentionCoreSpec none = deepseek.with("qk_rope_head_dim", 0).spec();
  EXPECT_EQ(none.qkRopeHeadDim, 0);
  EXPECT_FALSE(none.rotated);
  EXPECT_EQ(none.unrotatedReason, "qk_rope_head_dim is 0");
  EXPECT_EQ(none.getCacheWidth(), 512);
  EXPECT_DOUBLE_EQ(none.softmaxScale, 1 / std::sqrt(128.0));
  // No rotation, but the columns stay, and no YaRN factor.
  AttentionCoreSpec kept = deepseek.with("mla_use_nope", true).spec();
  EXPECT_EQ(kept.qkRopeHeadDim, 64);
  EXPECT_FALSE(kept.rotated);
  EXPECT_EQ(kept.unrotatedReason, "mla_use_nope is true");
  EXPECT_DOUBLE_EQ(kept.softmaxScale, 1 / std::sqrt(192.0));
  // Kimi-Linear, newer form, doesn't say so; its code does.
  Config kimi = deepseek.with("model_type", "kimi_linear")
                    .without("rope_theta")
                    .without("rope_scaling");
  EXPECT_FALSE(kimi.spec().rotated);
  EXPECT_EQ(kimi.spec().unrotatedReason, "kimi_linear rotates nothing");
  EXPECT_EQ(kimi.with("mla_use_nope", false).error(),
            "f: rope_theta: expected a number above 1, got none");
  // The other pairing.
  EXPECT_EQ(deepseek.with("rope_interleave", false).spec().ropeStyle,
            RopeStyle::Half);
  EXPECT_EQ(deepseek.with("model_type", "minicpm3").spec().ropeStyle,
            RopeStyle::Half);
}

TEST(ModelConfig, WhereTheModelIsNamed) {
  EXPECT_EQ(deepseek.without("model_type").spec().model, "deepseek_v3");
  EXPECT_EQ(deepseek.with("model_type", "kimi_k2").spec().model, "kimi_k2");
  Config unknown = deepseek.with("model_type", "new")
                       .with("architectures", json::Array{"New"});
  EXPECT_EQ(unknown.error(),
            "f: model_type: expected one of axk1, axk2, deepseek_v2, "
            "deepseek_v3, deepseek_v32, glm4_moe_lite, glm5_next, "
            "glm5_next_text, glm_moe_dsa, hy_v4, kimi_k2, kimi_linear, "
            "longcat_flash, minicpm3, mistral4, youtu, or a field "
            "rope_interleave, got \"new\"");
  EXPECT_EQ(unknown.with("rope_interleave", true).error(), "accepted");
  EXPECT_EQ(unknown.with("qk_rope_head_dim", 0).error(), "accepted");
}

TEST(ModelConfig, NestedInALargerModel) {
  EXPECT_EQ(deepseek.inside("text_config").spec().numHeads, 128);
  EXPECT_EQ(
      deepseek.without("v_head_dim").inside("text_config").error(),
      "f: text_config: v_head_dim: expected an integer from 1 to 1048576, "
      "got none");
}

TEST(ModelConfig, LongRoPEOfACheckpoint) {
  // MiniCPM3's v_head_dim follows from its hidden size.
  Config minicpm(R"({
    "architectures": ["MiniCPM3ForCausalLM"], "model_type": "minicpm3",
    "hidden_size": 2560, "num_attention_heads": 40, "kv_lora_rank": 256,
    "qk_nope_head_dim": 64, "qk_rope_head_dim": 4, "rope_theta": 10000.0,
    "max_position_embeddings": 32768,
    "rope_scaling": {"type": "longrope", "short_factor": [1, 2],
      "long_factor": [3, 4], "original_max_position_embeddings": 32768}})");
  AttentionCoreSpec spec = minicpm.spec();
  EXPECT_EQ(spec.vHeadDim, 64);
  EXPECT_EQ(spec.rope.kind, RopeScalingKind::LongRoPE);
  EXPECT_EQ(spec.rope.factor, 1);
  EXPECT_EQ(spec.rope.shortFactor, (std::vector<double>{1, 2}));
  EXPECT_EQ(
      minicpm.with("qk_rope_head_dim", 6).error(),
      "f: rope_scaling.short_factor: expected an array of 3 numbers above 0, "
      "got [1,2]");
}

TEST(ModelConfig, MissingFieldsAreNamed) {
  for (const char *field : {"kv_lora_rank", "num_attention_heads",
                            "qk_nope_head_dim", "v_head_dim"})
    EXPECT_EQ(deepseek.without(field).error(),
              "f: " + std::string(field) +
                  ": expected an integer from 1 to 1048576, got none");
  EXPECT_EQ(
      deepseek.without("qk_rope_head_dim").error(),
      "f: qk_rope_head_dim: expected an integer from 0 to 1048576, got none");
  EXPECT_EQ(deepseek.without("rope_theta").error(),
            "f: rope_theta: expected a number above 1, got none");
  Config scaled = deepseek.without("rope_scaling");
  auto scaling = [&](const char *text) {
    return scaled.with("rope_scaling", cantFail(json::parse(text))).error();
  };
  EXPECT_EQ(scaling(R"({"type": "yarn"})"),
            "f: rope_scaling.factor: expected a number above 0, got none");
  EXPECT_EQ(
      scaling(R"({"factor": 4})"),
      "f: rope_scaling.type: expected default, linear, yarn or longrope, got "
      "none");
  EXPECT_EQ(
      scaling(R"({"type": "dynamic", "factor": 4})"),
      "f: rope_scaling.type: expected default, linear, yarn or longrope, got "
      "\"dynamic\"");
  EXPECT_EQ(scaling(R"([])"), "f: rope_scaling: expected an object, got []");
}

TEST(ModelConfig, BadValues) {
  auto expect = [](const char *field, const char *value,
                   const std::string &expected) {
    std::string got = value;
    EXPECT_EQ(deepseek.with(field, cantFail(json::parse(value))).error(),
              "f: " + std::string(field) + ": expected " + expected + ", got " +
                  got);
  };
  for (const char *value : {"0", "-1", "1048577", "\"512\"", "[]", "null"})
    expect("kv_lora_rank", value, "an integer from 1 to 1048576");
  expect("kv_lora_rank", "9223372036854775807", "an integer from 1 to 1048576");
  expect("qk_rope_head_dim", "-2", "an integer from 0 to 1048576");
  expect("qk_rope_head_dim", "63", "an even width to rotate");
  for (const char *value : {"1", "0", "-10", "\"x\"", "null"})
    expect("rope_theta", value, "a number above 1");
  expect("rope_interleave", "1", "true or false");
  expect("mla_use_nope", "\"yes\"", "true or false");
  expect("model_type", "7", "a string");
  expect("max_position_embeddings", "0", "an integer from 1 to 1073741824");
  expect("index_topk", "-1", "an integer from 0 to 1048576");
}

TEST(ModelConfig, NotAConfig) {
  auto error = [](StringRef text) {
    Expected<AttentionCoreSpec> spec = readModelConfig(text, "f");
    return spec ? "accepted" : toString(spec.takeError());
  };
  EXPECT_EQ(error(""), "f: expected JSON, got a syntax error at [1:0, byte=0]: "
                       "Unexpected EOF");
  EXPECT_EQ(error("[1]"), "f: expected a JSON object, got another value");
  EXPECT_EQ(error("{}"),
            "f: kv_lora_rank: expected an integer from 1 to 1048576, "
            "got none");
  EXPECT_EQ(error(std::string(100000, '[')),
            "f: expected JSON of at most 100 levels, got more");
  EXPECT_EQ(error("{\"a\": \"" + std::string(200, '[') + "\"}"),
            "f: kv_lora_rank: expected an integer from 1 to 1048576, got none");
}

TEST(ModelConfig, SparseSinksAndNotes) {
  EXPECT_EQ(deepseek.with("index_topk", 2048).spec().topk, 2048);
  EXPECT_EQ(deepseek.spec().topk, 0);
  EXPECT_FALSE(deepseek.spec().sinks);
  EXPECT_TRUE(deepseek.with("model_type", "hy_v4").spec().sinks);
  EXPECT_TRUE(deepseek.with("learnable_sink_init", 0.0).spec().sinks);
  EXPECT_TRUE(deepseek.spec().notes.empty());
  json::Object rope{{"rope_type", "yarn"},
                    {"rope_theta", 10000.0},
                    {"factor", 2.0},
                    {"llama_4_scaling_beta", 0.1},
                    {"original_max_position_embeddings", 8192}};
  AttentionCoreSpec spec =
      deepseek.with("rope_parameters", std::move(rope)).spec();
  ASSERT_EQ(spec.notes.size(), 1u);
  EXPECT_EQ(
      spec.notes[0],
      "the model multiplies q by 1 + 0.1 * ln(1 + floor(position / 8192)); "
      "that is outside the core and left to the caller");
}

} // namespace
} // namespace mla
