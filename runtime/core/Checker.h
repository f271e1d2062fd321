//===- Checker.h - The generic argument check, driven by ops.def ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_CHECKER_H
#define MLA_RUNTIME_CORE_CHECKER_H

#include "core/Context.h"
#include "core/OpTable.h"

#include <algorithm>
#include <initializer_list>
#include <string>

/// A cache's tensors and their scales in the parameters of any op.
struct CacheFields {
  template <typename Params>
  explicit CacheFields(const Params &p)
      : latent(p.cache_latent), pe(p.cache_pe), scales(p.cache_scales),
        latentScale(p.latent_scale), peScale(p.pe_scale) {}

  const mla_tensor *latent, *pe, *scales, *latentScale, *peScale;
};

/// Checks one call. Every refusal makes the context's error sticky with a
/// sentence "mla_<op>: <field>: expected ..., got ..." and returns false.
class Checker {
public:
  Checker(mla_context &ctx, const OpSpec &spec, const void *params)
      : ctx(ctx), spec(spec), params(params) {
    std::fill(values, values + numSyms, -1);
  }

  /// Fixes a symbol before run(), which then holds the tensors to it.
  void bind(Sym sym, int64_t value) {
    values[static_cast<unsigned>(sym)] = value;
  }
  /// Lets two fields of the op be the same view of the same memory; without it
  /// an OUT tensor overlaps no other argument.
  void allowSameView(const mla_tensor *a, const mla_tensor *b) {
    sameA = a;
    sameB = b;
  }

  /// Everything that ops.def says: presence, dtypes, devices, strides, dims
  /// that agree, overlap.
  bool run();

  /// Value of a symbol; -1 when nothing in the call determines it.
  int64_t dim(Sym sym) const { return values[static_cast<unsigned>(sym)]; }

  /// INVALID_ARGUMENT; the text goes behind "mla_<op>: <field>: ". Returns
  /// false.
  bool refuse(const char *field, const char *format, ...)
      __attribute__((format(printf, 3, 4)));

  //===--- Rules that several ops share -----------------------------------===//

  /// `value` is one of `names`, numbered from `first`; 0 is absent.
  bool isOneOf(const char *field, int64_t value, int64_t first,
               std::initializer_list<const char *> names);
  /// `field` is present, because of something (`reason` ends the sentence
  /// "expected a tensor ...").
  bool isPresent(const char *field, const mla_tensor *tensor,
                 const char *reason);
  bool isAbsent(const char *field, const mla_tensor *tensor,
                const char *reason);
  /// An fp8 tensor has its scale, and nothing else has one. `name` is what the
  /// sentence calls the tensor.
  bool scaleMatches(const char *field, const mla_tensor *scale,
                    const char *name, const mla_tensor *tensor);
  /// An fp8 cache has a scale a tensor, or block scales: these go with an fp8
  /// latent, which is present, a 16-bit pe part, no other scale, and a query
  /// that isn't fp8.
  bool cacheScalesMatch(const CacheFields &cache, const mla_tensor *query);
  /// A symbol that must not be 0 in `field`.
  bool isPositive(const char *field, Sym sym);
  /// For numbers of positions and the like, which the data hold as i32: a
  /// larger one means nothing, and sums and products of two stay in i64.
  bool fitsI32(const char *field, int64_t value);
  /// A rotated width is even and not 0.
  bool isRotatable(const char *field, int64_t width);
  bool isScheduleSize(const char *field, const mla_tensor *schedule);
  bool isSoftmaxScale(double scale);

private:
  bool checkField(const FieldSpec &field);
  bool checkValue(const FieldSpec &field);
  /// So a backend's product of two is an int64, whatever the strides are.
  bool hasI32Dims(const FieldSpec &field, const mla_tensor &tensor);
  bool checkDType(const FieldSpec &field, const mla_tensor &tensor);
  bool checkRank(const FieldSpec &field, const mla_tensor &tensor);
  /// Compares what is known and solves for single unknowns; leaves in `open` a
  /// dimension that has to wait for another tensor.
  bool unify(const FieldSpec &field, const mla_tensor &tensor,
             const DimSpec *&open, bool &progress);
  bool unifyAll();
  bool refuseShape(const FieldSpec &field, const mla_tensor &tensor);
  std::string dimText(const DimSpec &dim) const;
  bool checkOverlaps();
  bool report(mla_status status, const char *field, const char *format,
              va_list args);
  /// The sum of what is known of a dimension, and how many symbols are not.
  int64_t knownPart(const DimSpec &dim, unsigned &numUnknown,
                    Sym &unknown) const;

  mla_context &ctx;
  const OpSpec &spec;
  const void *params;
  int64_t values[numSyms];
  int starRank = -1; ///< Of the star; -1: not met yet.
  int64_t starDims[MLA_MAX_RANK] = {};
  const mla_tensor *sameA = nullptr;
  const mla_tensor *sameB = nullptr;
};

#endif // MLA_RUNTIME_CORE_CHECKER_H
