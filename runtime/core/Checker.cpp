//===- Checker.cpp - The generic argument check, driven by ops.def --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Checker.h"
#include "core/TensorChecks.h"

#include <cmath>
#include <cstdio>

//===----------------------------------------------------------------------===//
// Sentences
//===----------------------------------------------------------------------===//

bool Checker::report(mla_status status, const char *field, const char *format,
                     va_list args) {
  char text[768];
  std::vsnprintf(text, sizeof(text), format, args);
  fail(ctx, status, "%s: %s: %s", spec.function, field, text);
  return false;
}

bool Checker::refuse(const char *field, const char *format, ...) {
  va_list args;
  va_start(args, format);
  report(MLA_STATUS_INVALID_ARGUMENT, field, format, args);
  va_end(args);
  return false;
}

//===----------------------------------------------------------------------===//
// One field
//===----------------------------------------------------------------------===//

/// Dtypes of a class as a bit set, and as text.
static uint32_t dtypeSet(DTypes dtypes) {
  constexpr uint32_t act =
      1u << MLA_DTYPE_F32 | 1u << MLA_DTYPE_F16 | 1u << MLA_DTYPE_BF16;
  switch (dtypes) {
  case DTypes::ACT:
    return act;
  case DTypes::QUERY:
  case DTypes::CACHE:
    return act | 1u << MLA_DTYPE_F8E4M3FN;
  case DTypes::F32:
    return 1u << MLA_DTYPE_F32;
  case DTypes::I32:
    return 1u << MLA_DTYPE_I32;
  case DTypes::INT:
    return 1u << MLA_DTYPE_I32 | 1u << MLA_DTYPE_I64;
  case DTypes::I64T:
    return 1u << MLA_DTYPE_I64;
  case DTypes::ANY:
    return ~0u;
  }
  return 0;
}

static std::string dtypeSetText(uint32_t set) {
  std::string text;
  for (uint32_t code = 1, left = set; code <= MLA_DTYPE_BOOL; ++code) {
    left &= ~(1u << code);
    if (!(set >> code & 1))
      continue;
    if (!text.empty())
      text += left ? ", " : " or ";
    text += mla_dtype_name(code);
  }
  return text;
}

bool Checker::checkDType(const FieldSpec &field, const mla_tensor &tensor) {
  uint32_t set = dtypeSet(field.dtypes);
  // checkTensor looks at what no class excludes.
  if (set == ~0u || (tensor.dtype <= MLA_DTYPE_BOOL && set >> tensor.dtype & 1))
    return true;
  if (mla_dtype_bits(tensor.dtype) == 0)
    return refuse(field.name, "expected dtype %s, got code %u",
                  dtypeSetText(set).c_str(), tensor.dtype);
  return refuse(field.name, "expected dtype %s, got %s",
                dtypeSetText(set).c_str(), mla_dtype_name(tensor.dtype));
}

bool Checker::checkRank(const FieldSpec &field, const mla_tensor &tensor) {
  const DimsSpec &dims = field.dims;
  if (dims.star < 0)
    return tensor.rank == dims.size || refuseShape(field, tensor);
  int rank = tensor.rank - (dims.size - 1);
  if (rank < 0 || (starRank >= 0 && rank != starRank))
    return refuseShape(field, tensor);
  for (int i = 0; i < rank; ++i) {
    int64_t size = tensor.shape[dims.star + i];
    if (starRank >= 0 && starDims[i] != size)
      return refuseShape(field, tensor);
    starDims[i] = size;
  }
  starRank = rank;
  return true;
}

bool Checker::checkValue(const FieldSpec &field) {
  bool required = field.presence == Presence::REQUIRED;
  if (field.kind == FieldKind::I64) {
    int64_t value = i64Field(params, field);
    if (value < (required ? 1 : 0))
      return refuse(field.name, "expected a %s value, got %lld",
                    required ? "positive" : "non-negative",
                    static_cast<long long>(value));
  } else if (field.kind == FieldKind::F64 && required) {
    double value = f64Field(params, field);
    if (value == 0)
      return refuse(field.name, "expected a value, got 0");
  }
  return true;
}

bool Checker::checkField(const FieldSpec &field) {
  if (field.kind != FieldKind::Tensor)
    return checkValue(field);
  const mla_tensor *tensor = tensorField(params, field);
  if (!tensor)
    return field.presence == Presence::OPTIONAL ||
           refuse(field.name, "expected a tensor, got null");
  if (!checkDType(field, *tensor))
    return false;
  TensorUse use;
  use.written = field.role == FieldRole::OUT;
  return checkTensor(ctx, spec.function, field.name, *tensor, use) &&
         (field.dims.star >= 0 || hasI32Dims(field, *tensor));
}

bool Checker::hasI32Dims(const FieldSpec &field, const mla_tensor &tensor) {
  char got[192];
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (tensor.shape[i] > INT32_MAX)
      return refuse(field.name, "expected sizes up to %d, got shape %s",
                    INT32_MAX, shapeText(tensor, got, sizeof(got)));
  return true;
}

//===----------------------------------------------------------------------===//
// Dims that agree
//===----------------------------------------------------------------------===//

int64_t Checker::knownPart(const DimSpec &dim, unsigned &numUnknown,
                           Sym &unknown) const {
  int64_t known = dim.literal;
  numUnknown = 0;
  for (unsigned i = dim.numTerms; i-- > 0;) {
    int64_t value = this->dim(dim.syms[i]);
    if (value >= 0) {
      // A sum beyond all sizes is the size of no tensor that has elements.
      if (__builtin_add_overflow(known, value, &known))
        known = INT64_MAX;
    } else {
      ++numUnknown;
      unknown = dim.syms[i];
    }
  }
  return known;
}

static std::string symbolText(const DimSpec &dim) {
  if (dim.star)
    return "*";
  std::string text;
  for (unsigned i = 0; i < dim.numTerms; ++i)
    text += (i ? "+" : "") + std::string(symName(dim.syms[i]));
  if (dim.literal)
    text += (text.empty() ? "" : "+") + std::to_string(dim.literal);
  if (dim.divisor > 1)
    text += "/" + std::to_string(dim.divisor);
  return text;
}

std::string Checker::dimText(const DimSpec &dim) const {
  if (dim.star && starRank >= 0) {
    std::string text;
    for (int i = 0; i < starRank; ++i)
      text += (i ? ", " : "") + std::to_string(starDims[i]);
    return text;
  }
  unsigned numUnknown;
  Sym unknown;
  int64_t known = knownPart(dim, numUnknown, unknown);
  if (dim.star)
    return "*";
  if (numUnknown == 0)
    return std::to_string(known / dim.divisor);
  return known ? std::to_string(known) + "+?" : "?";
}

bool Checker::refuseShape(const FieldSpec &field, const mla_tensor &tensor) {
  char got[192];
  shapeText(tensor, got, sizeof(got));
  if (field.dims.size == 0)
    return refuse(field.name, "expected a scalar of rank 0, got shape %s", got);
  std::string symbols, sizes;
  for (int i = 0; i < field.dims.size; ++i) {
    std::string size = dimText(field.dims.dims[i]);
    symbols += (i ? ", " : "") + symbolText(field.dims.dims[i]);
    sizes += (sizes.empty() || size.empty() ? "" : ", ") + size;
  }
  return refuse(field.name, "expected shape [%s] = [%s], got %s",
                symbols.c_str(), sizes.c_str(), got);
}

bool Checker::unify(const FieldSpec &field, const mla_tensor &tensor,
                    const DimSpec *&open, bool &progress) {
  int starSkip = 0;
  for (int i = 0; i < field.dims.size; ++i) {
    const DimSpec &dim = field.dims.dims[i];
    if (dim.star) {
      starSkip = starRank - 1;
      continue;
    }
    int64_t size = tensor.shape[i + starSkip];
    unsigned numUnknown;
    Sym unknown;
    int64_t known = knownPart(dim, numUnknown, unknown);
    if (numUnknown == 0 && known % dim.divisor != 0)
      return refuse(field.name, "expected %s to be a multiple of %d, got %lld",
                    symName(dim.syms[0]), dim.divisor,
                    static_cast<long long>(known));
    if (numUnknown == 0 && size != known / dim.divisor)
      return refuseShape(field, tensor);
    if (numUnknown > 1 && !open)
      open = &dim;
    // A quotient is compared only: its symbol has a tensor of its own.
    if (numUnknown != 1 || dim.divisor > 1)
      continue;
    if (size < known)
      return refuseShape(field, tensor);
    bind(unknown, size - known);
    progress = true;
  }
  return true;
}

bool Checker::unifyAll() {
  while (true) {
    const DimSpec *open = nullptr;
    bool progress = false;
    for (unsigned i = 0; i < spec.numFields; ++i) {
      const FieldSpec &field = spec.fields[i];
      if (field.kind != FieldKind::Tensor)
        continue;
      if (const mla_tensor *tensor = tensorField(params, field))
        if (!unify(field, *tensor, open, progress))
          return false;
    }
    // Every dimension was compared or solved.
    if (!open)
      break;
    if (progress)
      continue;
    // R is 0 when nothing determines it. Of another sum that no tensor splits
    // (N+V), the last term takes all: only the sum matters then.
    unsigned numUnknown;
    Sym unknown = Sym::R;
    if (dim(Sym::R) >= 0)
      knownPart(*open, numUnknown, unknown);
    bind(unknown, 0);
  }
  for (Sym sym : {Sym::R, Sym::S, Sym::topk})
    if (dim(sym) < 0)
      bind(sym, 0);
  return true;
}

bool Checker::checkOverlaps() {
  struct Operand {
    const FieldSpec *field;
    const mla_tensor *tensor;
    Extent extent;
  } operands[maxFields];
  unsigned count = 0;
  for (unsigned i = 0; i < spec.numFields; ++i) {
    const FieldSpec &field = spec.fields[i];
    if (field.kind != FieldKind::Tensor)
      continue;
    if (const mla_tensor *tensor = tensorField(params, field)) {
      Extent extent = extentOf(*tensor);
      if (!extent.empty())
        operands[count++] = {&field, tensor, extent};
    }
  }
  for (unsigned i = 0; i < count; ++i) {
    for (unsigned j = i + 1; j < count; ++j) {
      bool isFirst = operands[i].field->role == FieldRole::OUT;
      const Operand &a = operands[isFirst ? i : j];
      const Operand &b = operands[isFirst ? j : i];
      if (a.field->role != FieldRole::OUT || a.extent.end <= b.extent.begin ||
          b.extent.end <= a.extent.begin)
        continue;
      bool mayBeSame = (a.tensor == sameA && b.tensor == sameB) ||
                       (a.tensor == sameB && b.tensor == sameA);
      if (mayBeSame && sameView(*a.tensor, *b.tensor))
        continue;
      if (certainlyOverlap(*a.tensor, *b.tensor))
        return refuse(a.field->name,
                      "expected memory apart from the other arguments, got an "
                      "overlap with %s",
                      b.field->name);
    }
  }
  return true;
}

bool Checker::run() {
  for (unsigned i = 0; i < spec.numFields; ++i)
    if (!checkField(spec.fields[i]))
      return false;
  for (unsigned i = 0; i < spec.numFields; ++i) {
    const FieldSpec &field = spec.fields[i];
    if (field.kind != FieldKind::Tensor)
      continue;
    if (const mla_tensor *tensor = tensorField(params, field))
      if (!checkRank(field, *tensor))
        return false;
  }
  // While planning there may be no memory yet to compare.
  return unifyAll() && (ctx.mode == MLA_MODE_PLAN || checkOverlaps());
}

//===----------------------------------------------------------------------===//
// Rules that several ops share
//===----------------------------------------------------------------------===//

bool Checker::isOneOf(const char *field, int64_t value, int64_t first,
                      std::initializer_list<const char *> names) {
  int64_t count = static_cast<int64_t>(names.size());
  if (value == 0 || (value >= first && value < first + count))
    return true;
  std::string text;
  for (const char *name : names)
    text += (text.empty() ? "" : ", ") + std::string(name);
  return refuse(field, "expected %s or 0, got %lld", text.c_str(),
                static_cast<long long>(value));
}

bool Checker::isPresent(const char *field, const mla_tensor *tensor,
                        const char *reason) {
  return tensor || refuse(field, "expected a tensor %s, got null", reason);
}

bool Checker::isAbsent(const char *field, const mla_tensor *tensor,
                       const char *reason) {
  char got[192];
  return !tensor || refuse(field, "expected null %s, got a tensor of shape %s",
                           reason, shapeText(*tensor, got, sizeof(got)));
}

bool Checker::scaleMatches(const char *field, const mla_tensor *scale,
                           const char *name, const mla_tensor *tensor) {
  bool isFp8 = tensor && tensor->dtype == MLA_DTYPE_F8E4M3FN;
  if (isFp8 == (scale != nullptr))
    return true;
  if (isFp8)
    return refuse(field, "expected a scale because %s is f8E4M3FN, got null",
                  name);
  if (!tensor)
    return refuse(field, "expected null without %s, got a scale", name);
  return refuse(field, "expected null because %s is %s, got a scale", name,
                mla_dtype_name(tensor->dtype));
}

bool Checker::cacheScalesMatch(const CacheFields &cache,
                               const mla_tensor *query) {
  if (!cache.scales)
    return scaleMatches("latent_scale", cache.latentScale, "cache_latent",
                        cache.latent) &&
           scaleMatches("pe_scale", cache.peScale, "cache_pe", cache.pe);
  const char *reason = "because cache_scales is present";
  if (cache.latent->dtype != MLA_DTYPE_F8E4M3FN)
    return refuse("cache_latent", "expected dtype f8E4M3FN %s, got %s", reason,
                  mla_dtype_name(cache.latent->dtype));
  if (cache.pe && cache.pe->dtype != MLA_DTYPE_F16 &&
      cache.pe->dtype != MLA_DTYPE_BF16)
    return refuse("cache_pe", "expected dtype f16 or bf16 %s, got %s", reason,
                  mla_dtype_name(cache.pe->dtype));
  if (query && query->dtype == MLA_DTYPE_F8E4M3FN)
    return refuse("query", "expected dtype f32, f16 or bf16 %s, got f8E4M3FN",
                  reason);
  return isAbsent("latent_scale", cache.latentScale, reason) &&
         isAbsent("pe_scale", cache.peScale, reason);
}

bool Checker::isPositive(const char *field, Sym sym) {
  return dim(sym) != 0 || refuse(field, "expected %s > 0, got 0", symName(sym));
}

bool Checker::fitsI32(const char *field, int64_t value) {
  return value <= INT32_MAX || refuse(field, "expected at most %d, got %lld",
                                      INT32_MAX, static_cast<long long>(value));
}

bool Checker::isRotatable(const char *field, int64_t width) {
  return (width > 0 && width % 2 == 0) ||
         refuse(field, "expected an even R > 0 to rotate, got %lld",
                static_cast<long long>(width));
}

bool Checker::isScheduleSize(const char *field, const mla_tensor *schedule) {
  if (!schedule)
    return true;
  int64_t size = MLA_SCHEDULE_SIZE(dim(Sym::B));
  return dim(Sym::S) >= size ||
         refuse(field,
                "expected at least MLA_SCHEDULE_SIZE(B) = %lld elements for "
                "B = %lld, got %lld",
                static_cast<long long>(size),
                static_cast<long long>(dim(Sym::B)),
                static_cast<long long>(dim(Sym::S)));
}

bool Checker::isSoftmaxScale(double scale) {
  auto factor = static_cast<float>(scale);
  return (std::isfinite(factor) && factor > 0) ||
         refuse("softmax_scale", "expected a finite f32 > 0, got %g", scale);
}
