//===- ValidCall.cpp - Valid calls of every operation, at random ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every tensor of ops.def gets a shape and a type from the table's own words;
// what the table can't say about an operation's fields together follows for
// each operation.
//
//===----------------------------------------------------------------------===//

#include "ValidCall.h"

#include <algorithm>
#include <numeric>
#include <random>

using namespace mla::fuzz;

namespace mla {
namespace fuzz {

class Maker {
public:
  Maker(AnyCall &call, Input &input) : call(call), in(input) {}

  void make();

private:
  bool is(const char *op) const { return std::string(call.op.name) == op; }
  bool has(const std::string &name) const {
    return call.tensor(name) != nullptr;
  }
  int64_t dimOf(const std::string &term) { return sizes[term]; }

  void chooseSizes();
  void chooseTypes();
  uint32_t dtypeOf(const Field &field);
  std::vector<int64_t> shapeOf(const Field &field);
  void addTensor(const Field &field);
  void fillFloats(const mla_tensor &tensor);
  /// Writes `value(i)` to element i of a tensor of rank 1 or 2.
  template <typename F> void fillIntegers(const std::string &name, F value);
  void fillData();
  void makeConsistent();
  void fixAppend();
  void fixScales();

  AnyCall &call;
  Input &in;
  std::map<std::string, int64_t> sizes;
  std::vector<int64_t> star;
  uint32_t act = 0, latent = 0, pe = 0, query = 0, any = 0;
  bool block = false, mixed = false;
  std::vector<int64_t> keys, offsets;
  std::mt19937 engine;
};

} // namespace fuzz
} // namespace mla

const std::vector<Op> &mla::fuzz::allOps() {
  static const std::vector<Op> ops = {
#define MLA_OP_BEGIN(op, since, doc)                                           \
  {#op, sizeof(mla_##op##_params),                                             \
   [](mla_context *ctx, const void *p) {                                       \
     return mla_##op(ctx, static_cast<const mla_##op##_params *>(p));          \
   },                                                                          \
   {
#define MLA_AT(op, field) #field, offsetof(mla_##op##_params, field)
#define MLA_OUT true
#define MLA_IN false
#define MLA_REQUIRED true
#define MLA_OPTIONAL false
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  {Field::Tensor, MLA_AT(op, field), MLA_##role, MLA_##presence, #dtypes, dims},
#define MLA_CACHE(op, field, role, presence, since, doc)                        \
  {Field::Tensor, MLA_AT(op, field##_latent),                                   \
   MLA_##role,    MLA_##presence,                                               \
   "LATENT",      "pages,P,L"},                                                 \
      {Field::Tensor, MLA_AT(op, field##_pe), MLA_##role, MLA_##presence, "PE", \
       "pages,P,R"},                                                            \
      {Field::Tensor, MLA_AT(op, field##_scales),                               \
       MLA_##role,    MLA_##presence,                                           \
       "F32",         "pages,P,L/128"},
#define MLA_I64(op, field, presence, since, doc)                               \
  {Field::I64, MLA_AT(op, field)},
#define MLA_F64(op, field, presence, since, doc)                               \
  {Field::F64, MLA_AT(op, field)},
#define MLA_STR(op, field, presence, since, doc)                               \
  {Field::Str, MLA_AT(op, field)},
#define MLA_OP_END(op)                                                         \
  }                                                                            \
  }                                                                            \
  ,
#include "mla_runtime/ops.def"
  };
  return ops;
}

//===--- Fields by name ---------------------------------------------------===//

const Field *AnyCall::find(const std::string &name) const {
  for (const Field &field : op.fields)
    if (field.name == name)
      return &field;
  return nullptr;
}

mla_tensor *AnyCall::tensor(const std::string &name) const {
  const Field *field = find(name);
  return field ? getField<mla_tensor *>(params.data(), *field) : nullptr;
}

void AnyCall::drop(const std::string &name) {
  if (const Field *field = find(name))
    setField<mla_tensor *>(params.data(), *field, nullptr);
}

void AnyCall::set(const std::string &name, int64_t value) {
  if (const Field *field = find(name))
    setField(params.data(), *field, value);
}

int64_t AnyCall::get(const std::string &name) const {
  const Field *field = find(name);
  return field ? getField<int64_t>(params.data(), *field) : 0;
}

std::vector<const mla_tensor *> AnyCall::tensors(bool writtenOnly) const {
  std::vector<const mla_tensor *> result;
  for (const Field &field : op.fields)
    if (field.kind == Field::Tensor && (field.written || !writtenOnly))
      if (auto *tensor = getField<const mla_tensor *>(params.data(), field))
        result.push_back(tensor);
  return result;
}

void AnyCall::makeValid(Input &input) { Maker(*this, input).make(); }

//===--- Sizes and types --------------------------------------------------===//

void Maker::chooseSizes() {
  sizes["B"] = in.pick<int64_t>({2, 1, 3, 0, 4});
  sizes["H"] = in.pick<int64_t>({2, 1, 3, 5, 16});
  sizes["L"] = in.pick<int64_t>({64, 128, 16, 5, 1, 256});
  sizes["N"] = in.pick<int64_t>({32, 8, 5, 64, 0});
  sizes["R"] = in.pick<int64_t>({16, 0, 2, 64, 7, 1});
  sizes["V"] = in.pick<int64_t>({32, 8, 5, 64, 0});
  sizes["P"] = in.pick<int64_t>({4, 1, 8, 3, 16});
  sizes["K"] = in.pick<int64_t>({3, 1, 0, 8});
  sizes["pages"] = in.pick<int64_t>({8, 1, 0, 13});
  sizes["D"] = in.pick<int64_t>({32, 5, 64, 128, 0});
  sizes["topk"] = in.pick<int64_t>({4, 1, 0, 19});
  sizes["max_pos"] = in.pick<int64_t>({40, 1, 200, 0});
  sizes["S"] = in.pick<int64_t>({6, 1, 0, 20});
  // Sequences of up to K pages, whose last tokens are new.
  offsets = {0};
  for (int64_t b = 0; b < sizes["B"]; ++b) {
    auto most = static_cast<unsigned>(sizes["K"] * sizes["P"]);
    keys.push_back(most ? in.below(std::min(most + 1, 256u)) : 0);
    offsets.push_back(
        offsets[static_cast<size_t>(b)] +
        in.below(static_cast<unsigned>(std::min<int64_t>(keys.back(), 9) + 1)));
  }
  sizes["T"] = offsets.back() + in.pick<int64_t>({0, 1, 3});
  if (is("schedule"))
    sizes["S"] = MLA_SCHEDULE_SIZE(sizes["B"]) + in.below(3);
  for (unsigned i = 0, n = in.pick({2u, 3u, 1u, 0u, 4u}); i < n; ++i)
    star.push_back(in.pick<int64_t>({3, 1, 5, 0, 2}));
  if (is("rope"))
    star.resize(std::min<size_t>(star.size(), 4));
}

void Maker::chooseTypes() {
  act = in.pick<uint32_t>({MLA_DTYPE_F32, MLA_DTYPE_BF16, MLA_DTYPE_F16});
  latent = pe = query = act;
  any = in.pick<uint32_t>({MLA_DTYPE_F32, MLA_DTYPE_BF16, MLA_DTYPE_I64,
                           MLA_DTYPE_I8, MLA_DTYPE_F16, MLA_DTYPE_F64,
                           MLA_DTYPE_I32, MLA_DTYPE_BOOL, MLA_DTYPE_F8E4M3FN,
                           MLA_DTYPE_F8E5M2});
  mixed = in.oneIn(8);
  const uint32_t fp8 = MLA_DTYPE_F8E4M3FN;
  switch (in.below(6)) {
  case 3:
    latent = pe = fp8;
    break;
  case 4:
    latent = pe = fp8;
    query = fp8;
    break;
  case 5: // block scales
    latent = fp8;
    block = true;
    pe = act == MLA_DTYPE_F32 ? uint32_t{MLA_DTYPE_BF16} : act;
    sizes["L"] = 128 * (1 + in.below(2));
    break;
  }
}

uint32_t Maker::dtypeOf(const Field &field) {
  std::string words = field.dtypes;
  if (words == "ACT")
    return mixed ? in.pick<uint32_t>(
                       {MLA_DTYPE_F32, MLA_DTYPE_BF16, MLA_DTYPE_F16})
                 : act;
  if (words == "QUERY")
    return query;
  if (words == "LATENT")
    return latent;
  if (words == "PE")
    return pe;
  if (words == "F32")
    return MLA_DTYPE_F32;
  if (words == "I64T")
    return MLA_DTYPE_I64;
  if (words == "I32")
    return MLA_DTYPE_I32;
  if (words == "INT")
    return in.pick<uint32_t>({MLA_DTYPE_I32, MLA_DTYPE_I64});
  return any;
}

std::vector<int64_t> Maker::shapeOf(const Field &field) {
  std::vector<int64_t> shape;
  std::string words = field.dims;
  for (size_t at = 0; at < words.size();) {
    size_t comma = std::min(words.find(',', at), words.size());
    std::string dim = words.substr(at, comma - at);
    at = comma + 1;
    if (dim == "*") {
      shape.insert(shape.end(), star.begin(), star.end());
      continue;
    }
    int64_t divisor = 1, size = 0;
    size_t slash = dim.find('/');
    if (slash != dim.npos) {
      divisor = std::stoll(dim.substr(slash + 1));
      dim.resize(slash);
    }
    for (size_t from = 0; from < dim.size();) {
      size_t plus = std::min(dim.find('+', from), dim.size());
      std::string term = dim.substr(from, plus - from);
      from = plus + 1;
      size += std::isdigit(static_cast<unsigned char>(term[0]))
                  ? std::stoll(term)
                  : sizes.at(term);
    }
    shape.push_back(size / divisor);
  }
  return shape;
}

void Maker::addTensor(const Field &field) {
  mla_tensor tensor = {};
  tensor.dtype = dtypeOf(field);
  tensor.device_type = in.pick({MLA_DEVICE_CPU, MLA_DEVICE_CONTEXT});
  std::vector<int64_t> shape = shapeOf(field);
  tensor.rank = static_cast<int32_t>(shape.size());
  // Dense, or with room after every dim; a column stride of 2 now and then.
  bool gaps = in.oneIn(3);
  int64_t elements = gaps && in.oneIn(4) ? 2 : 1;
  for (int i = tensor.rank; i-- > 0;) {
    tensor.shape[i] = shape[static_cast<size_t>(i)];
    tensor.strides[i] = elements;
    elements *= std::max<int64_t>(tensor.shape[i], 1);
    elements += gaps ? in.below(3) : 0;
  }
  size_t size = std::max(mla_dtype_bits(tensor.dtype) / 8, 1u);
  tensor.byte_offset = gaps ? in.below(3) * size : 0;
  size_t bytes = static_cast<size_t>(elements) * size + tensor.byte_offset;
  // Aligned to its elements, or to much more.
  tensor.data = call.arena.allocate(bytes, in.oneIn(4) ? size : 0);
  if (!tensor.data)
    return;
  call.descriptors.push_back(tensor);
  setField(call.params.data(), field, &call.descriptors.back());
  fillFloats(tensor);
}

//===--- Data -------------------------------------------------------------===//

void Maker::fillFloats(const mla_tensor &tensor) {
  // From zeros to bytes that may be anything, NaN and infinities included.
  uint32_t mask = in.pick<uint32_t>({0xBBBB, 0x3333, 0xFFFF});
  std::optional<std::pair<size_t, size_t>> range = call.arena.extent(tensor);
  if (!range || range->first == range->second)
    return;
  auto *data = static_cast<unsigned char *>(tensor.data) + tensor.byte_offset;
  size_t bytes = range->second - range->first;
  if (mla_dtype_bits(tensor.dtype) == 32) {
    for (size_t i = 0; i + 4 <= bytes; i += 4) {
      uint32_t bits = static_cast<uint32_t>(engine()) &
                      (mask == 0xFFFF ? ~0u : mask << 16 | 0xFFFF);
      std::memcpy(data + i, &bits, 4);
    }
    return;
  }
  for (size_t i = 0; i < bytes; ++i)
    data[i] = static_cast<unsigned char>(engine() & (mask >> 8));
}

static void write(const mla_tensor &tensor, int64_t element, int64_t value) {
  auto *at = static_cast<char *>(tensor.data) + tensor.byte_offset +
             element * (mla_dtype_bits(tensor.dtype) / 8);
  auto narrow = static_cast<int32_t>(value);
  if (tensor.dtype == MLA_DTYPE_I64)
    std::memcpy(at, &value, sizeof(value));
  else
    std::memcpy(at, &narrow, sizeof(narrow));
}

template <typename F>
void Maker::fillIntegers(const std::string &name, F value) {
  const mla_tensor *tensor = call.tensor(name);
  if (!tensor ||
      (tensor->dtype != MLA_DTYPE_I32 && tensor->dtype != MLA_DTYPE_I64))
    return;
  int64_t columns = tensor->rank > 1 ? tensor->shape[1] : 1;
  int64_t rows = tensor->rank > 0 ? tensor->shape[0] : 1;
  for (int64_t i = 0; i < rows * columns; ++i)
    write(*tensor,
          i / columns * tensor->strides[0] +
              (tensor->rank > 1 ? i % columns * tensor->strides[1] : 0),
          value(i));
}

void Maker::fillData() {
  auto numKeys = [&](int64_t b) { return keys[static_cast<size_t>(b)]; };
  fillIntegers("kv_lens", numKeys);
  int64_t first = call.get("first_token");
  fillIntegers("cu_q", [&](int64_t i) {
    return first + offsets[static_cast<size_t>(i)];
  });
  fillIntegers("cu_k", [&](int64_t i) {
    return std::min(std::accumulate(keys.begin(), keys.begin() + i, int64_t{0}),
                    sizes["S"]);
  });
  int64_t pages = std::max<int64_t>(sizes["pages"], 1);
  fillIntegers("page_table", [&](int64_t i) {
    return sizes["pages"] ? (i * 5 + 2) % pages : -1;
  });
  int64_t rows = sizes["pages"] * sizes["P"];
  fillIntegers("slots",
               [&](int64_t t) { return t < rows && t % 5 != 4 ? t : -1; });
  fillIntegers("positions", [&](int64_t t) {
    return t % std::max<int64_t>(sizes["max_pos"], 1);
  });
  fillIntegers("kv_bounds", [&](int64_t t) {
    for (size_t b = 0; b < keys.size(); ++b)
      if (t < offsets[b + 1])
        return std::min<int64_t>(keys[b], t);
    return int64_t{0};
  });
  int64_t width = std::max<int64_t>(sizes["topk"], 1);
  fillIntegers("indices", [&](int64_t i) { return i % width * 3 - 1; });
  for (const char *name : {"query_scale", "latent_scale", "pe_scale"})
    if (const mla_tensor *scale = call.tensor(name)) {
      float value = in.pick({1.0f, 0.01f, 300.0f});
      std::memcpy(static_cast<char *>(scale->data) + scale->byte_offset, &value,
                  sizeof(value));
    }
  if (is("absorbed_attention") && has("schedule")) {
    // As mla_schedule writes it; or whatever random bytes say.
    mla_context *ctx = nullptr;
    if (in.oneIn(3) || mla_context_create("cpu", 0, &ctx))
      return;
    mla_schedule_params plan = {};
    plan.struct_size = sizeof(plan);
    plan.kv_lens = call.tensor("kv_lens");
    plan.cu_q = call.tensor("cu_q");
    plan.schedule = call.tensor("schedule");
    plan.num_heads = sizes["H"];
    plan.page_size = sizes["P"];
    mla_schedule(ctx, &plan);
    mla_context_destroy(ctx);
  }
}

//===--- What the table doesn't say ---------------------------------------===//

void Maker::fixAppend() {
  bool cache = !in.oneIn(4), query = !in.oneIn(4), kPeOut = in.oneIn(3);
  if (!cache)
    for (const char *name : {"c_kv", "slots", "cache_latent", "cache_pe",
                             "cache_scales", "latent_scale", "pe_scale"})
      call.drop(name);
  if (!query)
    for (const char *name : {"q_nope", "q_pe", "query"})
      call.drop(name);
  if (!kPeOut)
    call.drop("k_pe_out");
  if (sizes["R"] == 0)
    for (const char *name : {"k_pe", "q_pe", "k_pe_out", "cache_pe"})
      call.drop(name);
  if (!cache && !kPeOut)
    call.drop("k_pe");
  if (in.oneIn(4))
    call.drop("q_nope");
  if (in.oneIn(4))
    call.drop("q_pe");
  if (in.oneIn(4))
    call.drop("cu_q");
  if (sizes["R"] > 0 && sizes["R"] % 2 == 0 && !in.oneIn(3)) {
    call.set("rope_style", in.pick({MLA_ROPE_INTERLEAVED, MLA_ROPE_HALF}));
    call.set("rope_head_dim", sizes["R"]);
  }
}

void Maker::fixScales() {
  auto isFp8 = [&](const char *name) {
    const mla_tensor *tensor = call.tensor(name);
    return tensor && tensor->dtype == MLA_DTYPE_F8E4M3FN;
  };
  if (!block || !has("cache_latent"))
    call.drop("cache_scales");
  if (!isFp8("query"))
    call.drop("query_scale");
  if (!isFp8("cache_latent") || has("cache_scales"))
    call.drop("latent_scale");
  if (!isFp8("cache_pe"))
    call.drop("pe_scale");
}

void Maker::makeConsistent() {
  if (is("append"))
    fixAppend();
  if (is("rope") && sizes["R"] > 0 && sizes["R"] % 2 == 0 && !in.oneIn(3))
    call.set("rope_style", in.pick({MLA_ROPE_INTERLEAVED, MLA_ROPE_HALF}));
  if (is("absorbed_attention") || is("gather_kv")) {
    if (sizes["R"] == 0) {
      call.drop("cache_pe");
      call.drop("k_pe");
    }
    if (!in.oneIn(3))
      call.set("max_kv", sizes["K"] * sizes["P"]);
  }
  if (is("absorbed_attention") && !in.coin())
    call.drop("schedule");
  if (is("expanded_attention")) {
    if (sizes["R"] == 0)
      call.drop("k_pe");
    call.set("causal", in.below(2));
    call.set("first_token", in.oneIn(3) ? in.below(200) : 0);
    call.drop(call.get("window_length") ? "cu_k" : "kv_lens");
  }
  for (const char *name :
       {"local_kv_lens", "kv_bounds", "sinks", "indices", "lse"})
    if (const Field *field = call.find(name))
      if (!field->required && in.coin())
        call.drop(name);
  fixScales();
}

void Maker::make() {
  chooseSizes();
  chooseTypes();
  engine.seed(in.byte());
  if (is("expanded_attention") || is("gather_kv")) {
    int64_t window = in.below(20);
    if (is("gather_kv"))
      window = std::max<int64_t>(window, 1);
    else if (in.coin())
      window = 0;
    call.set("window_length", window);
    if (window) {
      call.set("window_start", in.below(20));
      sizes["S"] = sizes["B"] * window;
    } else {
      sizes["S"] = std::accumulate(keys.begin(), keys.end(), int64_t{0});
    }
  } else if (is("absorbed_attention")) {
    sizes["S"] = MLA_SCHEDULE_SIZE(sizes["B"]);
  }
  call.set("page_size", sizes["P"]);
  call.set("num_heads", sizes["H"]);
  call.set("rounding", in.below(3));
  call.set("phase", in.below(3));
  if (is("slot_mapping") && in.coin()) {
    int64_t ranks = 1 + in.below(8);
    call.set("cp_size", ranks);
    call.set("cp_rank", in.below(static_cast<unsigned>(ranks)));
    call.set("cp_interleave", 1 + in.below(9));
  }
  for (const char *name : {"softmax_scale", "value"})
    if (const Field *field = call.find(name))
      setField(call.params.data(), *field,
               in.pick({0.125, 1.0, 1e-3, 1e30, 5e-324}));
  for (const Field &field : call.op.fields)
    if (field.kind == Field::Tensor)
      addTensor(field);
  makeConsistent();
  fillData();
}
