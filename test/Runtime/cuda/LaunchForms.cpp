//===- LaunchForms.cpp - Calls that are captured and never run ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "LaunchForms.h"

using namespace mla;
using namespace mla::test;

const mla_tensor *FakeTensors::make(uint32_t dtype,
                                    const std::vector<int64_t> &shape,
                                    RowLayout layout) {
  mla_tensor tensor = {};
  tensor.device_type = deviceType;
  tensor.device_id = device;
  tensor.dtype = dtype;
  tensor.rank = static_cast<int32_t>(shape.size());
  int64_t stride = 1, size = mla_dtype_bits(dtype) / 8;
  for (int i = tensor.rank - 1; i >= 0; --i) {
    tensor.shape[i] = shape[i];
    tensor.strides[i] = stride;
    stride *= shape[i] > 0 ? shape[i] : 1;
    if (i == tensor.rank - 1 && layout == RowLayout::Sliced)
      stride += 32;
  }
  tensor.data = reinterpret_cast<void *>(next);
  if (layout == RowLayout::Unaligned)
    tensor.byte_offset = size;
  next += (stride * size / 256 + 2) * 256;
  tensors.push_back(tensor);
  return &tensors.back();
}

template <typename Params>
void FakeTensors::setCache(Params &params, CacheForm form, uint32_t wide,
                           int64_t pages, int64_t pageSize, int64_t latent,
                           int64_t pe, RowLayout layout) {
  if (form == CacheForm::None)
    return;
  bool isFp8 = form != CacheForm::Same, hasBlocks = form == CacheForm::Fp8Block;
  uint32_t latentType = isFp8 ? uint32_t{MLA_DTYPE_F8E4M3FN} : wide;
  uint32_t peType = latentType;
  // Which keeps 16 bits there.
  if (hasBlocks)
    peType = wide == MLA_DTYPE_F32 ? uint32_t{MLA_DTYPE_BF16} : wide;
  params.cache_latent = make(latentType, {pages, pageSize, latent}, layout);
  if (pe > 0)
    params.cache_pe = make(peType, {pages, pageSize, pe}, layout);
  if (hasBlocks)
    params.cache_scales = make(MLA_DTYPE_F32, {pages, pageSize, latent / 128});
  if (form == CacheForm::Fp8)
    params.latent_scale = make(MLA_DTYPE_F32, {});
  if (form == CacheForm::Fp8 && pe > 0)
    params.pe_scale = make(MLA_DTYPE_F32, {});
}

bool AppendForm::isCall() const {
  bool rotates = style != MLA_ROPE_NONE;
  if (cache == CacheForm::None && query == QueryForm::None)
    return false;
  // A rotation has pairs, and q_pe columns.
  if (rotates && (peWidth == 0 || peWidth % 2 != 0))
    return false;
  if (query == QueryForm::Pe && peWidth == 0)
    return false;
  // Then there is nothing to do, unless there is padding to be cleared.
  if (query == QueryForm::InPlace && !rotates && cache == CacheForm::None &&
      !withPadding)
    return false;
  if (cache == CacheForm::Fp8Block && latentWidth % 128 != 0)
    return false;
  if (!withFp8Query)
    return true;
  // Nothing that is quantized rotates.
  return query != QueryForm::None && cache != CacheForm::Fp8Block &&
         (query != QueryForm::InPlace || !rotates);
}

mla_append_params AppendForm::params(FakeTensors &tensors) const {
  mla_append_params params = {};
  params.struct_size = sizeof(params);
  bool isContext = phase == MLA_PHASE_CONTEXT;
  int64_t nope = isContext ? 128 : latentWidth, pe = peWidth;
  bool hasPe = pe > 0, hasCache = cache != CacheForm::None;
  bool hasQPe = query == QueryForm::Pe || query == QueryForm::Assembled;
  auto make = [&](uint32_t type, const std::vector<int64_t> &shape) {
    return tensors.make(type, shape, layout);
  };
  if (hasCache) {
    params.c_kv = make(dtype, {tokens, latentWidth});
    params.slots = tensors.make(MLA_DTYPE_I64, {tokens});
    tensors.setCache(params, cache, dtype, 5, 64, latentWidth, pe, layout);
    if (hasPe)
      params.k_pe = make(dtype, {tokens, pe});
    if (hasPe && isContext)
      params.k_pe_out = make(dtype, {tokens, pe});
  }
  if (query != QueryForm::None) {
    uint32_t type = withFp8Query ? uint32_t{MLA_DTYPE_F8E4M3FN} : dtype;
    params.query = make(type, {tokens, heads, nope + pe});
    if (withFp8Query)
      params.query_scale = tensors.make(MLA_DTYPE_F32, {});
  }
  if (query == QueryForm::Assembled)
    params.q_nope = make(dtype, {tokens, heads, nope});
  if (hasQPe && hasPe)
    params.q_pe = make(dtype, {tokens, heads, pe});
  if (style != MLA_ROPE_NONE) {
    params.cos_sin = tensors.make(MLA_DTYPE_F32, {4096, pe});
    params.positions = tensors.make(MLA_DTYPE_I32, {tokens});
    params.rope_head_dim = pe;
  }
  if (withPadding)
    params.cu_q = tensors.make(MLA_DTYPE_I32, {3});
  params.rope_style = style;
  params.phase = phase;
  return params;
}

std::string AppendForm::describe() const {
  auto text = [](const char *name, int64_t value) {
    return std::string(", ") + name + " " + std::to_string(value);
  };
  return std::string(mla_dtype_name(dtype)) + text("phase", phase) +
         text("style", style) + text("L", latentWidth) + text("R", peWidth) +
         text("H", heads) + text("T", tokens) +
         text("cache", static_cast<int>(cache)) +
         text("query", static_cast<int>(query)) +
         text("fp8 query", withFp8Query) + text("padding", withPadding) +
         text("layout", static_cast<int>(layout));
}

static const std::initializer_list<CacheForm> cacheForms = {
    CacheForm::None, CacheForm::Same, CacheForm::Fp8, CacheForm::Fp8Block};
static const std::initializer_list<QueryForm> queryForms = {
    QueryForm::None, QueryForm::InPlace, QueryForm::Pe, QueryForm::Assembled};
static const std::initializer_list<RowLayout> rowLayouts = {
    RowLayout::Contiguous, RowLayout::Sliced, RowLayout::Unaligned};

/// Calls `visit(form)` for phases, ropes, widths, caches and queries of models.
template <typename Visitor> static void forEachOfModels(Visitor visit) {
  for (int64_t phase : {MLA_PHASE_CONTEXT, MLA_PHASE_GENERATION})
    for (int64_t style : {MLA_ROPE_NONE, MLA_ROPE_INTERLEAVED, MLA_ROPE_HALF})
      for (int64_t pe : {64, 32, 0})
        for (CacheForm cache : cacheForms)
          for (QueryForm query : queryForms)
            for (bool withFp8Query : {false, true})
              for (RowLayout layout : rowLayouts) {
                AppendForm form;
                form.phase = phase;
                form.style = style;
                form.peWidth = pe;
                form.cache = cache;
                form.query = query;
                form.withFp8Query = withFp8Query;
                form.layout = layout;
                if (form.isCall())
                  visit(form);
              }
}

std::vector<AppendForm> mla::test::appendForms(Random &random, int64_t count) {
  std::vector<AppendForm> forms;
  forEachOfModels([&](AppendForm form) {
    for (int64_t tokens : {0, 1, 64, 16384})
      for (int64_t heads : {1, 16, 128}) {
        form.tokens = tokens;
        form.heads = heads;
        forms.push_back(form);
      }
  });
  while (count > 0) {
    AppendForm form;
    form.phase = random.pick({MLA_PHASE_CONTEXT, MLA_PHASE_GENERATION});
    form.style =
        random.pick({MLA_ROPE_NONE, MLA_ROPE_INTERLEAVED, MLA_ROPE_HALF});
    form.peWidth =
        random.pick<int64_t>({64, 32, 0, 1, 2, 5, 8, 16, 24, 48, 96, 128, 256});
    form.latentWidth = random.pick<int64_t>({512, 448, 256, 128, 576, 100});
    form.heads = random.integer(1, 128);
    form.tokens = random.pick<int64_t>(
        {1, 2, 3, 7, 8, 31, 64, 100, 257, 1500, 4096, 16384, int64_t{1} << 20});
    form.dtype = random.pick({MLA_DTYPE_BF16, MLA_DTYPE_F16, MLA_DTYPE_F32});
    form.cache = random.pick(cacheForms);
    form.query = random.pick(queryForms);
    form.withFp8Query = random.chance(0.4);
    form.withPadding = random.chance(0.5);
    form.layout = random.pick(rowLayouts);
    if (!form.isCall())
      continue;
    forms.push_back(form);
    --count;
  }
  return forms;
}

mla_gather_kv_params GatherForm::params(FakeTensors &tensors) const {
  mla_gather_kv_params params = {};
  params.struct_size = sizeof(params);
  tensors.setCache(params, cache, dtype, 9, pageSize, latentWidth, peWidth,
                   layout);
  params.page_table = tensors.make(MLA_DTYPE_I32, {seqs, 12});
  params.kv_lens = tensors.make(MLA_DTYPE_I32, {seqs});
  params.c_kv = tensors.make(out, {seqs * window, latentWidth}, layout);
  if (peWidth > 0)
    params.k_pe = tensors.make(out, {seqs * window, peWidth}, layout);
  params.window_length = window;
  return params;
}

std::string GatherForm::describe() const {
  return std::string(mla_dtype_name(dtype)) + " to " + mla_dtype_name(out) +
         ", B " + std::to_string(seqs) + ", window " + std::to_string(window) +
         ", L " + std::to_string(latentWidth) + ", R " +
         std::to_string(peWidth) + ", P " + std::to_string(pageSize) +
         ", cache " + std::to_string(static_cast<int>(cache)) + ", layout " +
         std::to_string(static_cast<int>(layout));
}

std::vector<GatherForm> mla::test::gatherForms(Random &random, int64_t count) {
  std::vector<GatherForm> forms;
  for (int64_t i = 0; i < count; ++i) {
    GatherForm form;
    form.seqs = random.pick<int64_t>({0, 1, 2, 7, 64, 256});
    form.window = random.pick<int64_t>({1, 3, 40, 512, 4096, 100000});
    form.cache =
        random.pick({CacheForm::Same, CacheForm::Fp8, CacheForm::Fp8Block});
    form.latentWidth = form.cache == CacheForm::Fp8Block
                           ? random.pick<int64_t>({512, 256, 128})
                           : random.pick<int64_t>({512, 256, 448, 100, 1});
    form.peWidth = random.pick<int64_t>({64, 32, 0, 20, 128});
    form.pageSize = random.pick<int64_t>({1, 16, 48, 64});
    form.dtype = random.pick({MLA_DTYPE_BF16, MLA_DTYPE_F16, MLA_DTYPE_F32});
    form.out = random.chance(0.7) ? form.dtype : uint32_t{MLA_DTYPE_F32};
    form.layout = random.pick(rowLayouts);
    forms.push_back(form);
  }
  return forms;
}
