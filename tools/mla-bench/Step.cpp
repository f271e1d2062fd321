//===- Step.cpp - A compiled step to be measured --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Step.h"

#include <algorithm>

using namespace mla;
using namespace mla::bench;

std::string mla::bench::baseName(const std::string &name) {
  size_t digits = name.find_last_not_of("0123456789") + 1;
  bool numbered = digits > 1 && digits < name.size() && name[digits - 1] == '_';
  return numbered ? name.substr(0, digits - 1) : name;
}

namespace {

/// The first argument of that name, of any layer; null when there is none.
const io::ManifestArg *firstOf(const io::ManifestEntry &entry,
                               const std::string &name) {
  for (const io::ManifestArg &arg : entry.args)
    if (baseName(arg.name) == name)
      return &arg;
  return nullptr;
}

int64_t countOf(const io::ManifestEntry &entry, const std::string &name) {
  return std::count_if(
      entry.args.begin(), entry.args.end(),
      [&](const io::ManifestArg &arg) { return baseName(arg.name) == name; });
}

/// Whether all dims from `first` on are numbers, of as many dims as `rank`.
bool isStatic(const io::ManifestArg &arg, size_t rank, size_t first) {
  if (arg.shape.size() != rank)
    return false;
  return std::all_of(
      arg.shape.begin() + static_cast<std::ptrdiff_t>(first), arg.shape.end(),
      [](const io::ManifestDim &dim) { return dim.symbol.empty(); });
}

io::Error expected(const io::ManifestEntry &entry, const std::string &what,
                   const std::string &got) {
  return {entry.name + ": expected " + what + ", got " + got};
}

/// What a cache of such rows holds; a sentence where it is none of ours.
io::Status setCache(const io::ManifestEntry &entry,
                    const io::ManifestArg &cache, Case &c) {
  uint32_t dtype = mla_dtype_from_name(cache.dtype.c_str());
  const char *format = dtype == c.dtype ? "same" : "fp8";
  if (dtype == MLA_DTYPE_I8)
    format = "fp8_block";
  else if (dtype != c.dtype && firstOf(entry, "query_scale"))
    format = "fp8_query";
  std::optional<Case> cached = withCache(c, format);
  if (!cached || (dtype != c.dtype && dtype != MLA_DTYPE_I8 &&
                  dtype != MLA_DTYPE_F8E4M3FN))
    return expected(entry,
                    "a cache of the activations' type, f8E4M3FN or packed "
                    "rows (i8)",
                    cache.dtype);
  c = *cached;
  c.page = cache.shape[1].offset;
  return {};
}

} // namespace

io::Result<StepShape>
mla::bench::shapeOf(const io::ManifestEntry &entry,
                    const std::vector<std::string> &passes) {
  const io::ManifestArg *q = firstOf(entry, "q"), *cKv = firstOf(entry, "c_kv"),
                        *w = firstOf(entry, "w_kv_b"),
                        *cache = firstOf(entry, "cache");
  for (const auto &[name, arg, rank, shape] :
       {std::tuple{"q", q, 3, "[T, H, N+R]"},
        {"c_kv", cKv, 2, "[T, L]"},
        {"w_kv_b", w, 3, "[H, N+V, L]"},
        {"cache", cache, 3, "[pages, P, W]"}})
    if (!arg || !isStatic(*arg, static_cast<size_t>(rank), name[0] != 'w'))
      return expected(entry, std::string("an argument ") + name + " " + shape,
                      arg ? arg->showShape() : "none");

  StepShape result;
  result.layers = countOf(entry, "cache");
  for (const char *name : {"q", "c_kv", "w_kv_b", "out"})
    if (countOf(entry, name) != result.layers)
      return expected(entry,
                      std::string("as many arguments ") + name +
                          " as caches, " + std::to_string(result.layers),
                      std::to_string(countOf(entry, name)));
  Case &c = result.attention;
  c.op = Op::AbsorbedAttention;
  c.dtype = c.cacheDtype = mla_dtype_from_name(q->dtype.c_str());
  c.heads = q->shape[1].offset;
  c.latent = cKv->shape[1].offset;
  const io::ManifestArg *kPe = firstOf(entry, "k_pe");
  c.pe = kPe && isStatic(*kPe, 2, 1) ? kPe->shape[1].offset : 0;
  c.nope = q->shape[2].offset - c.pe;
  c.value = w->shape[1].offset - c.nope;
  if (c.nope < 1 || c.value < 1)
    return expected(entry, "N and V > 0 from q, k_pe and w_kv_b",
                    std::to_string(c.nope) + " and " + std::to_string(c.value));
  if (io::Status status = setCache(entry, *cache, c); !status)
    return io::Error{status.error()};
  result.rotated = firstOf(entry, "cos_sin") && !firstOf(entry, "positions");
  auto absorbed = [](const std::string &pass) {
    return pass.rfind("mla-decompose", 0) == 0 &&
           pass.find("form=absorbed") != std::string::npos;
  };
  result.hasParts = std::any_of(passes.begin(), passes.end(), absorbed) &&
                    !firstOf(entry, "sinks") && !firstOf(entry, "indices");
  return result;
}

io::Result<std::shared_ptr<const StepModule>>
StepModule::load(const std::string &path, const std::string &name) {
  std::shared_ptr<StepModule> result(new StepModule);
  result->path = path;
  if (mla_module_load(path.c_str(), &result->module))
    return io::Error{mla_last_error(nullptr)};
  io::Result<io::Manifest> manifest =
      io::parseManifest(mla_module_manifest(result->module), path);
  if (!manifest)
    return io::Error{manifest.error()};
  const io::ManifestEntry *entry = !name.empty() ? manifest->find(name)
                                   : manifest->entries.size() == 1
                                       ? &manifest->entries.front()
                                       : nullptr;
  if (!entry) {
    std::string names;
    for (const io::ManifestEntry &one : manifest->entries)
      names += (names.empty() ? "" : ", ") + one.name;
    return io::Error{"--entry: expected one of " + names + ", got " +
                     (name.empty() ? "none" : "'" + name + "'")};
  }
  result->description = *entry;
  io::Result<StepShape> shape = shapeOf(*entry, manifest->passes);
  if (!shape)
    return io::Error{path + ": " + shape.error()};
  result->what = *shape;
  result->call = mla_module_entry(result->module, entry->name.c_str());
  if (!result->call)
    return io::Error{mla_last_error(nullptr)};
  return std::shared_ptr<const StepModule>(std::move(result));
}

StepCase::StepCase(std::shared_ptr<const StepModule> from, int64_t batch,
                   int64_t keys, int64_t newTokens)
    : module(std::move(from)), attention(module->shape().attention) {
  attention.batch = batch;
  attention.keys = keys;
  attention.newTokens = newTokens;
}

std::string StepCase::name() const {
  std::string text = attention.name();
  return "step" + text.substr(text.find(' ')) +
         " layers=" + std::to_string(layers());
}

double StepCase::weightBytes() const {
  const Case &c = attention;
  return static_cast<double>(c.heads * (c.nope + c.value) * c.latent) *
         mla_dtype_bits(c.dtype) / 8;
}

std::vector<Case> StepCase::parts() const {
  std::vector<Case> result;
  if (!module->shape().hasParts)
    return result;
  for (Op op : {Op::AbsorbedAttention, Op::AbsorbQ, Op::Append, Op::ProjectV}) {
    Case c = attention;
    c.op = op;
    if (op == Op::Append) {
      // absorb_q has written the other columns of the query.
      c.query = c.pe ? QueryMode::Pe : QueryMode::None;
      c.rope = module->shape().rotated ? Rope::Interleaved : Rope::None;
      c.sliced = true;
    }
    // A quantized query is assembled of what was absorbed.
    if (op == Op::Append && c.queryDtype() != c.dtype)
      c.query = QueryMode::Assembled;
    result.push_back(c);
  }
  return result;
}
