//===- PagedAttention.cpp - Calls of absorbed attention, made on a GPU ----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "PagedAttention.h"

#include "AttentionInputs.h"

#include <cmath>
#include <set>

using namespace mla;
using namespace mla::test;

/// Poisoned bytes on both sides of a result.
static const size_t guardBytes = 256;

int64_t mla::test::sizeOf(uint32_t dtype) {
  return static_cast<int64_t>(mla_dtype_bits(dtype) / 8);
}

size_t mla::test::bytesOf(const mla_tensor &tensor) {
  int64_t count = sizeOf(tensor.dtype);
  for (int i = 0; i < tensor.rank; ++i)
    count *= tensor.shape[i];
  return static_cast<size_t>(count);
}

char *mla::test::addressOf(const mla_tensor &tensor) {
  return static_cast<char *>(tensor.data) + tensor.byte_offset;
}

/// Its elements and the guards around them.
static void poison(const mla_tensor &tensor, cudaStream_t stream) {
  requireCuda(cudaMemsetAsync(addressOf(tensor) - guardBytes, 0xFF,
                              bytesOf(tensor) + 2 * guardBytes, stream));
}

/// Sets the first elements of a dense tensor of i32.
static void upload(const mla_tensor &to, const std::vector<int32_t> &values,
                   cudaStream_t stream) {
  requireCuda(cudaMemcpyAsync(addressOf(to), values.data(),
                              values.size() * sizeof(int32_t),
                              cudaMemcpyHostToDevice, stream));
}

/// Waits for the stream.
static void download(const void *from, size_t bytes, void *to,
                     cudaStream_t stream) {
  requireCuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream));
  requireCuda(cudaStreamSynchronize(stream));
}

mla_tensor *PagedAttention::add(uint32_t dtype,
                                const std::vector<int64_t> &shape) {
  mla_tensor tensor = {};
  tensor.device_type = testBackend().deviceType;
  tensor.device_id = testBackend().device;
  tensor.dtype = dtype;
  tensor.rank = static_cast<int32_t>(shape.size());
  int64_t stride = 1;
  for (int i = tensor.rank - 1; i >= 0; --i) {
    tensor.shape[i] = shape[i];
    tensor.strides[i] = stride;
    stride *= shape[i];
  }
  tensors.push_back(tensor);
  return &tensors.back();
}

mla_tensor *PagedAttention::add(DeviceBuffer &buffer, uint32_t dtype,
                                const std::vector<int64_t> &shape) {
  mla_tensor *tensor = add(dtype, shape);
  tensor->data = buffer.take(bytesOf(*tensor) + 2 * guardBytes);
  tensor->byte_offset = guardBytes;
  return tensor;
}

void PagedAttention::addCache(int64_t numPages) {
  const int64_t latent = form.latentWidth, pe = form.peWidth;
  bool apart = form.rows == CacheRows::Apart;
  int64_t row = apart ? latent : latent + pe, peRow = apart ? pe : row;
  int64_t gap = 0, first = form.rows == CacheRows::Shifted ? 1 : 0;
  if (form.rows == CacheRows::Gapped) {
    row = peRow = row + 40;
    gap = 3 * row + 24;
  }
  int64_t page = form.pageSize * row + gap;
  int64_t pePage = form.pageSize * peRow + gap;
  int64_t peFirst =
      apart ? (numPages * page + 127) / 128 * 128 : first + latent;
  int64_t elements = peFirst + numPages * std::max(page, pePage) + latent + pe;
  cacheBytes = static_cast<size_t>(elements * sizeOf(form.dtype));
  auto addPart = [&](int64_t begin, int64_t width, int64_t ofRow,
                     int64_t ofPage) {
    mla_tensor *part = add(form.dtype, {numPages, form.pageSize, width});
    part->data = cache.take(cacheBytes);
    part->byte_offset = static_cast<uint64_t>(begin * sizeOf(form.dtype));
    part->strides[0] = ofPage;
    part->strides[1] = ofRow;
    return part;
  };
  params.cache_latent = addPart(first, latent, row, page);
  if (pe > 0)
    params.cache_pe = addPart(peFirst, pe, peRow, pePage);
}

void PagedAttention::addQuery(int64_t total) {
  int64_t width = form.latentWidth + form.peWidth, head = width + form.headGap;
  int64_t token = form.heads * head + form.tokenGap;
  mla_tensor *tensor = add(form.dtype, {total, form.heads, width});
  tensor->strides[0] = form.sharesQuery ? 0 : token;
  tensor->strides[1] = head;
  int64_t tokens = form.sharesQuery ? 1 : total;
  queryBytes = static_cast<size_t>(tokens * token * sizeOf(form.dtype));
  tensor->data = query.take(queryBytes);
  params.query = tensor;
}

void PagedAttention::fillQuery(uint64_t seed) {
  requireCuda(cudaMemsetAsync(params.query->data, 0xFF, queryBytes, stream));
  mla_tensor distinct = *params.query;
  if (form.sharesQuery)
    distinct.shape[0] = 1;
  fillNormal(distinct, seed, form.isSharp ? 1.0f : 0.1f, stream);
}

void PagedAttention::addNumbers(int64_t seqs, int64_t total, int64_t pages) {
  std::vector<mla_tensor *> all;
  numberBytes = 0;
  auto addNext = [&](const std::vector<int64_t> &shape) {
    mla_tensor *tensor = add(MLA_DTYPE_I32, shape);
    tensor->byte_offset = numberBytes;
    numberBytes += (bytesOf(*tensor) + 255) / 256 * 256;
    all.push_back(tensor);
    return tensor;
  };
  params.page_table = addNext({seqs, pages});
  params.kv_lens = addNext({seqs});
  params.cu_q = addNext({seqs + 1});
  if (form.bounds != KeyBounds::Causal)
    params.kv_bounds = addNext({total});
  if (form.topk >= 0)
    params.indices = addNext({total, form.topk});
  for (mla_tensor *tensor : all)
    tensor->data = numbers.take(numberBytes);
}

void PagedAttention::make(const AttentionForm &newForm) {
  form = newForm;
  // A buffer that grows gives its memory back.
  requireCuda(cudaStreamSynchronize(stream));
  tensors.clear();
  auto seqs = static_cast<int64_t>(form.lengths.size());
  int64_t total = form.numTokens(), most = 0, used = 0;
  for (int64_t length : form.lengths) {
    int64_t keys = form.capacity ? form.capacity : length;
    int64_t pages = (keys + form.pageSize - 1) / form.pageSize;
    most = std::max(most, pages);
    used += pages;
  }
  params = makeParams<mla_absorbed_attention_params>();
  addCache(used + 3);
  // Behind the last page two more entries that lead nowhere.
  addNumbers(seqs, total, most + 2);
  addQuery(total);
  if (form.hasSinks)
    params.sinks = add(sinks, MLA_DTYPE_F32, {form.heads});
  params.o = add(o, form.outDtype, {total, form.heads, form.latentWidth});
  params.lse = add(lse, MLA_DTYPE_F32, {total, form.heads});
  plan = makeParams<mla_schedule_params>();
  plan.kv_lens = params.kv_lens;
  plan.cu_q = params.cu_q;
  plan.schedule = add(split, MLA_DTYPE_I32, {MLA_SCHEDULE_SIZE(seqs)});
  plan.num_heads = form.heads;
  plan.page_size = form.pageSize;
  // Not all of its elements have a meaning, and all are read back.
  poison(*plan.schedule, stream);
  if (form.hasSchedule)
    params.schedule = plan.schedule;
  refill(form);
}

void PagedAttention::refill(const AttentionForm &newForm) {
  form = newForm;
  Random random(form.seed);
  std::vector<int32_t> host(numberBytes / sizeof(int32_t));
  auto put = [&](const mla_tensor *to, const std::vector<int64_t> &values) {
    std::copy(values.begin(), values.end(),
              host.begin() + to->byte_offset / sizeof(int32_t));
  };
  put(params.kv_lens, form.lengths);
  put(params.cu_q, form.offsets());
  std::vector<int64_t> pages = form.drawPages(
      random, params.cache_latent->shape[0], params.page_table->shape[1]);
  put(params.page_table, pages);
  if (params.kv_bounds)
    put(params.kv_bounds, form.drawBounds(random));
  std::vector<int64_t> indices;
  if (params.indices) {
    indices = form.drawIndices(random);
    put(params.indices, indices);
  }
  requireCuda(cudaMemcpyAsync(numbers.take(numberBytes), host.data(),
                              numberBytes, cudaMemcpyHostToDevice, stream));
  requireCuda(
      cudaMemsetAsync(cache.take(cacheBytes), 0xFF, cacheBytes, stream));
  uint64_t seed = 4 * form.seed;
  fillHeldRows(*params.cache_latent, params, seed, 0.1f, stream);
  if (params.cache_pe)
    fillHeldRows(*params.cache_pe, params, seed + 1, 0.1f, stream);
  if (form.poisonsOthers)
    poisonOthers(pages, indices);
  fillQuery(seed + 2);
  if (params.sinks)
    fillNormal(*params.sinks, seed + 3, 1, stream);
  auto width = static_cast<double>(form.latentWidth + form.peWidth);
  params.softmax_scale = form.isSharp ? 2 : 1 / std::sqrt(width);
  poisonResults();
}

void PagedAttention::poisonOthers(const std::vector<int64_t> &pages,
                                  const std::vector<int64_t> &indices) {
  int64_t columns = params.page_table->shape[1], P = form.pageSize;
  auto next = indices.begin();
  for (size_t b = 0; b < form.lengths.size(); ++b) {
    std::set<int64_t> read;
    for (int64_t i = 0; i < form.tokens[b]; ++i)
      for (auto end = next + form.topk; next != end; ++next)
        if (*next < form.lengths[b] - (form.tokens[b] - 1 - i))
          read.insert(*next);
    for (int64_t position = 0; position < form.lengths[b]; ++position) {
      if (read.count(position))
        continue;
      int64_t page = pages[b * columns + position / P];
      for (const mla_tensor *part : {params.cache_latent, params.cache_pe}) {
        if (!part)
          continue;
        int64_t at = page * part->strides[0] + position % P * part->strides[1];
        requireCuda(cudaMemsetAsync(addressOf(*part) + at * sizeOf(part->dtype),
                                    0xFF, part->shape[2] * sizeOf(part->dtype),
                                    stream));
      }
    }
  }
}

mla_status PagedAttention::makeSchedule(mla_context *ctx) const {
  return ::mla_schedule(ctx, &plan);
}

mla_status PagedAttention::attend(mla_context *ctx) const {
  return ::mla_absorbed_attention(ctx, &params);
}

mla_status PagedAttention::run(mla_context *ctx) const {
  mla_status status = form.hasSchedule ? makeSchedule(ctx) : MLA_STATUS_OK;
  return status == MLA_STATUS_OK ? attend(ctx) : status;
}

AttentionDifference PagedAttention::difference(double factor) {
  mla_absorbed_attention_params scaled = params;
  scaled.softmax_scale *= factor;
  // Large logits can cancel in an lse near 0; they are sums in f32.
  double lseBound = publishedLseBound * (form.isSharp ? 10 : 1);
  return find([&](AttentionDifference *to) {
    compareWithFormula(scaled, lseBound, scratch, to, stream);
  });
}

int64_t PagedAttention::damage() {
  return static_cast<int64_t>(find([](AttentionDifference *) {}).damage);
}

AttentionDifference PagedAttention::find(
    const std::function<void(AttentionDifference *)> &compare) {
  AttentionDifference result;
  auto *to = reinterpret_cast<AttentionDifference *>(
      found.take(sizeof(AttentionDifference)));
  startDifference(to, stream);
  for (const mla_tensor *tensor : {params.o, params.lse}) {
    countDamage(addressOf(*tensor) - guardBytes, guardBytes, to, stream);
    countDamage(addressOf(*tensor) + bytesOf(*tensor), guardBytes, to, stream);
  }
  compare(to);
  download(to, sizeof(result), &result, stream);
  return result;
}

std::vector<uint8_t> PagedAttention::results() const {
  return results(0, params.o->shape[0]);
}

std::vector<uint8_t> PagedAttention::results(int64_t begin, int64_t end) const {
  std::vector<uint8_t> bytes;
  for (const mla_tensor *tensor : {params.o, params.lse}) {
    size_t ofToken = bytesOf(*tensor) / tensor->shape[0], at = bytes.size();
    bytes.resize(at + (end - begin) * ofToken);
    download(addressOf(*tensor) + begin * ofToken, bytes.size() - at,
             bytes.data() + at, stream);
  }
  return bytes;
}

void PagedAttention::poisonResults() const {
  poison(*params.o, stream);
  poison(*params.lse, stream);
}

std::vector<int32_t> PagedAttention::schedule() const {
  std::vector<int32_t> result(plan.schedule->shape[0]);
  download(addressOf(*plan.schedule), bytesOf(*plan.schedule), result.data(),
           stream);
  return result;
}

void PagedAttention::setSchedule(const std::vector<int32_t> &schedule) const {
  upload(*plan.schedule, schedule, stream);
}

void PagedAttention::setLengths(const std::vector<int64_t> &lengths) const {
  upload(*params.kv_lens, {lengths.begin(), lengths.end()}, stream);
}
