//===- ModelConfig.cpp - config.json to a core's description --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Import/ModelConfig.h"

#include "ConfigReader.h"
#include "mla/Import/RopeTable.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace llvm;

namespace mla {
namespace {

/// Far above any model, far below where products of three sizes overflow.
constexpr int64_t kMaxSize = 1 << 20;
constexpr int64_t kMaxPositions = 1 << 30;

/// What a model's code fixes and its config doesn't say.
struct ModelFacts {
  StringLiteral type;
  StringLiteral architecture;
  RopeStyle style;
  bool unrotated = false;
  bool sinks = false;
};

constexpr ModelFacts kModels[] = {
    {"axk1", "AXK1ForCausalLM", RopeStyle::Interleaved},
    {"axk2", "AXK2ForCausalLM", RopeStyle::Interleaved},
    {"deepseek_v2", "DeepseekV2ForCausalLM", RopeStyle::Interleaved},
    {"deepseek_v3", "DeepseekV3ForCausalLM", RopeStyle::Interleaved},
    {"deepseek_v32", "DeepseekV32ForCausalLM", RopeStyle::Interleaved},
    {"glm4_moe_lite", "Glm4MoeLiteForCausalLM", RopeStyle::Interleaved},
    {"glm5_next", "Glm5NextForConditionalGeneration", RopeStyle::Interleaved},
    {"glm5_next_text", "", RopeStyle::Interleaved},
    {"glm_moe_dsa", "GlmMoeDsaForCausalLM", RopeStyle::Interleaved},
    {"hy_v4", "HYV4ForCausalLM", RopeStyle::Half, /*unrotated=*/false,
     /*sinks=*/true},
    {"kimi_k2", "", RopeStyle::Interleaved},
    {"kimi_linear", "KimiLinearForCausalLM", RopeStyle::Interleaved,
     /*unrotated=*/true},
    {"longcat_flash", "LongcatFlashForCausalLM", RopeStyle::Interleaved},
    {"minicpm3", "MiniCPM3ForCausalLM", RopeStyle::Half},
    {"mistral4", "Mistral4ForCausalLM", RopeStyle::Interleaved},
    {"youtu", "YoutuForCausalLM", RopeStyle::Interleaved},
};

/// The row of a model, or null. `type` becomes the row's name when only the
/// architecture told.
const ModelFacts *findModel(const json::Object &config, std::string &type) {
  for (const ModelFacts &facts : kModels)
    if (facts.type == type)
      return &facts;
  const json::Array *names = config.getArray("architectures");
  std::optional<StringRef> name =
      names && !names->empty() ? names->front().getAsString() : std::nullopt;
  for (const ModelFacts &facts : kModels)
    if (name && !name->empty() && facts.architecture == *name) {
      if (type.empty())
        type = facts.type.str();
      return &facts;
    }
  return nullptr;
}

/// "one of axk1, axk2, ..., ", for a message.
std::string listModels() {
  std::string text = "one of ";
  for (const ModelFacts &facts : kModels)
    text += (facts.type + ", ").str();
  return text;
}

/// The object that describes the language model: the config itself, or a part
/// of it in a model that also sees or hears.
const json::Object *findTextConfig(const json::Object &config,
                                   std::string &place) {
  if (config.get("kv_lora_rank"))
    return &config;
  for (StringRef part : {"text_config", "language_config", "llm_config"})
    if (const json::Object *inner = config.getObject(part)) {
      place += (": " + part).str();
      return inner;
    }
  return &config;
}

std::optional<RopeScalingKind> symbolizeScaling(StringRef name) {
  return StringSwitch<std::optional<RopeScalingKind>>(name)
      .Case("default", RopeScalingKind::Default)
      .Case("linear", RopeScalingKind::Linear)
      .Cases({"yarn", "deepseek_yarn"}, RopeScalingKind::YaRN)
      .Cases({"longrope", "su"}, RopeScalingKind::LongRoPE)
      .Default(std::nullopt);
}

/// Reads the table's parameters from `rope_parameters`, or from `rope_theta`
/// and `rope_scaling`, which older configs have.
RopeParameters readRope(const ConfigReader &config, int64_t width,
                        int64_t maxPositions) {
  RopeParameters rope;
  StringRef field =
      config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const json::Object *inner = config.getObject(field);
  json::Object none;
  ConfigReader scaling(inner ? *inner : none, config, field);

  rope.theta = scaling.has("rope_theta") ? scaling.getNumber("rope_theta", 1)
                                         : config.getNumber("rope_theta", 1);
  if (!inner)
    return rope;

  StringRef kindField = scaling.has("rope_type") ? "rope_type" : "type";
  std::string name =
      scaling.getString(kindField, field == "rope_parameters" ? "default" : "");
  std::optional<RopeScalingKind> kind = symbolizeScaling(name);
  if (!kind)
    scaling.fail(kindField, "default, linear, yarn or longrope");
  rope.kind = kind.value_or(RopeScalingKind::Default);
  if (rope.kind == RopeScalingKind::Default)
    return rope;

  rope.originalMaxPositions =
      scaling.has("original_max_position_embeddings") || !maxPositions
          ? scaling.getInteger("original_max_position_embeddings", 2,
                               kMaxPositions)
          : maxPositions;
  if (scaling.has("attention_factor"))
    rope.attentionFactor = scaling.getNumber("attention_factor", 0);
  if (rope.kind == RopeScalingKind::LongRoPE) {
    rope.factor = static_cast<double>(maxPositions) /
                  static_cast<double>(rope.originalMaxPositions);
    rope.shortFactor = scaling.getNumbers("short_factor", width / 2, 0);
    rope.longFactor = scaling.getNumbers("long_factor", width / 2, 0);
    return rope;
  }
  rope.factor = scaling.getNumber("factor", 0);
  if (rope.kind == RopeScalingKind::Linear)
    return rope;
  rope.betaFast = scaling.getNumber("beta_fast", 0, 32);
  rope.betaSlow = scaling.getNumber("beta_slow", 0, 1);
  rope.mscale = scaling.getNumber("mscale", -1, 0);
  rope.mscaleAllDim = scaling.getNumber("mscale_all_dim", -1, 0);
  rope.truncate = scaling.getBool("truncate").value_or(true);
  return rope;
}

/// Whether the model rotates, in which pairing, with which table.
void readRotation(const ConfigReader &config, const ModelFacts *facts,
                  AttentionCoreSpec &spec) {
  if (spec.qkRopeHeadDim == 0) {
    spec.unrotatedReason = "qk_rope_head_dim is 0";
    return;
  }
  std::optional<bool> interleaved = config.getBool("rope_interleave");
  std::optional<bool> noRotation = config.getBool("mla_use_nope");
  if (!facts && !interleaved)
    config.fail("model_type", listModels() + "or a field rope_interleave");
  bool byDefault = facts && facts->style == RopeStyle::Interleaved;
  spec.ropeStyle = interleaved.value_or(byDefault) ? RopeStyle::Interleaved
                                                   : RopeStyle::Half;

  if (noRotation.value_or(facts && facts->unrotated)) {
    spec.unrotatedReason =
        noRotation ? "mla_use_nope is true"
                   : formatv("{0} rotates nothing", spec.model).str();
    return;
  }
  if (spec.qkRopeHeadDim % 2)
    config.fail("qk_rope_head_dim", "an even width to rotate");
  spec.rotated = true;
  spec.rope = readRope(config, spec.qkRopeHeadDim, spec.maxPositions);
}

/// How many layers have latent attention: Kimi-Linear and GLM-5-next have
/// linear attention in the others, LongCat has two attentions a layer.
int64_t readNumLayers(const ConfigReader &config, const json::Object &object,
                      StringRef model) {
  if (const json::Array *types = object.getArray("layer_types"))
    return llvm::count_if(*types, [](const json::Value &type) {
      return type.getAsString() != StringRef("linear_attention");
    });
  // Checkpoints of Kimi-Linear and of LongCat say it in these fields.
  if (const json::Object *linear = object.getObject("linear_attn_config"))
    if (const json::Array *full = linear->getArray("full_attn_layers"))
      return full->size();
  int64_t ifAbsent = model == "longcat_flash"
                         ? 2 * config.getInteger("num_layers", 0, kMaxSize, 0)
                         : 0;
  return config.getInteger("num_hidden_layers", 0, kMaxSize, ifAbsent);
}

/// Mistral-4 multiplies a query by a factor of its position, after the
/// rotation; the two commute.
void noteQueryScaling(const ConfigReader &config, AttentionCoreSpec &spec) {
  const json::Object *inner = config.getObject("rope_parameters");
  if (!inner)
    return;
  ConfigReader rope(*inner, config, "rope_parameters");
  double beta = rope.getNumber("llama_4_scaling_beta", -1, 0);
  if (!beta)
    return;
  std::string note;
  raw_string_ostream(note)
      << "the model multiplies q by 1 + " << format("%g", beta)
      << " * ln(1 + floor(position / " << spec.rope.originalMaxPositions
      << ")); that is outside the core and left to the caller";
  spec.notes.push_back(note);
}

/// LongCat multiplies what its low-rank projections give, so that its variance
/// doesn't depend on their rank (arXiv:2509.01322). Its own
/// configs have fields for that, those of the transformers package don't.
void noteRankScaling(const ConfigReader &config, AttentionCoreSpec &spec) {
  bool isLongCat = spec.model == "longcat_flash";
  auto note = [&](StringRef field, StringRef operand, StringRef rank) {
    if (!config.getBool(field).value_or(isLongCat))
      return;
    double factor = std::sqrt(config.getNumber("hidden_size", 1) /
                              config.getNumber(rank, 1));
    spec.notes.push_back(
        formatv("the model multiplies {0} by {1:f4}, the root of hidden_size / "
                "{2}; that is outside the core and left to the caller",
                operand, factor, rank));
  };
  note("mla_scale_q_lora", "q", "q_lora_rank");
  note("mla_scale_kv_lora", "c_kv, after its norm,", "kv_lora_rank");
}

} // namespace

Expected<AttentionCoreSpec> readModelConfig(StringRef text, StringRef place) {
  Expected<json::Object> file = parseJSONObject(text, place);
  if (!file)
    return file.takeError();
  std::string where = place.str();
  const json::Object &object = *findTextConfig(*file, where);
  ConfigReader config(object, where);

  AttentionCoreSpec spec;
  spec.model = config.getString("model_type", "");
  const ModelFacts *facts = findModel(object, spec.model);
  spec.kvLoraRank = config.getInteger("kv_lora_rank", 1, kMaxSize);
  spec.numHeads = config.getInteger("num_attention_heads", 1, kMaxSize);
  spec.qkNopeHeadDim = config.getInteger("qk_nope_head_dim", 1, kMaxSize);
  spec.qkRopeHeadDim = config.getInteger("qk_rope_head_dim", 0, kMaxSize);
  // MiniCPM3's checkpoints leave it to their code.
  if (!config.has("v_head_dim") && spec.model == "minicpm3")
    spec.vHeadDim = config.getInteger("hidden_size", spec.numHeads, kMaxSize) /
                    spec.numHeads;
  else
    spec.vHeadDim = config.getInteger("v_head_dim", 1, kMaxSize);
  for (StringRef field : {"model_max_length", "max_position_embeddings"})
    spec.maxPositions =
        config.getInteger(field, 1, kMaxPositions, spec.maxPositions);
  spec.topk = config.getInteger("index_topk", 0, kMaxSize, 0);
  spec.numLayers = readNumLayers(config, object, spec.model);
  spec.sinks = (facts && facts->sinks) || config.has("learnable_sink_init");
  readRotation(config, facts, spec);
  if (spec.rotated)
    noteQueryScaling(config, spec);
  noteRankScaling(config, spec);

  spec.softmaxScale = std::pow(static_cast<double>(spec.getQueryWidth()), -0.5);
  if (spec.rotated && spec.rope.mscaleAllDim) {
    double mscale = getYarnMscale(spec.rope.factor, spec.rope.mscaleAllDim);
    spec.softmaxScale *= mscale * mscale;
  }
  if (Error error = config.takeError())
    return error;
  return spec;
}

} // namespace mla
