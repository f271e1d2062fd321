//===- MatmulPlan.h - A product as cuBLASLt has to be told of it ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A row-major matrix is the transpose of a column-major one in the same memory:
// out = x * w becomes out^T = w^T * x^T, whose first factor is the weight. What
// is said of a product beside its addresses is its key; what cuBLASLt makes of
// that is found once and kept.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_MATMULPLAN_H
#define MLA_RUNTIME_CUDA_MATMULPLAN_H

#include "CublasLt.h"

#include <cstdint>
#include <type_traits>

namespace mla {
namespace cuda {

/// A matrix for each head. Sizes and strides are in elements.
struct MatmulOperand {
  int64_t leading;     ///< From one column (row-major: row) to the next.
  int64_t batchStride; ///< From one head to the next.
  int64_t alignment;   ///< Bytes that the address is surely a multiple of.
};

/// out^T [rows, columns] = w^T [rows, inner] * x^T [inner, columns], `batches`
/// times. Numbers alone, without gaps: compared and hashed as memory.
struct MatmulKey {
  int64_t rows, columns, inner, batches;
  MatmulOperand w, x, out;
  int64_t inputType, outputType; ///< cudaDataType_t
  int64_t transposed; ///< The weight's rows lie along `inner`, not `rows`.
  int64_t smLimit;    ///< 0: none.
};
static_assert(std::has_unique_object_representations_v<MatmulKey>,
              "memcmp must compare values alone");

/// What cuBLASLt needs for a call of one key.
struct MatmulPlan {
  MatmulKey key;
  uint64_t lastUse = 0;   ///< 0: nothing is kept here.
  bool supported = false; ///< Whether cuBLASLt can do the product at all.
  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t w = nullptr, x = nullptr, out = nullptr;
  cublasLtMatmulAlgo_t algorithm;

  /// Fills in all but `lastUse`, in place of what is here. That cuBLASLt can't
  /// do the product is no error.
  cublasStatus_t make(const CublasLt &lt, cublasLtHandle_t handle,
                      const MatmulKey &key, uint64_t workspaceBytes);
  void clear(const CublasLt &lt);

private:
  cublasStatus_t describe(const CublasLt &lt);
  cublasStatus_t findAlgorithm(const CublasLt &lt, cublasLtHandle_t handle,
                               uint64_t workspaceBytes);
};

/// The plans of the keys used last: a key has a few places, and the plan there
/// that was used longest ago makes room. So a server's changing numbers of
/// tokens keep what they need, in bounded memory.
class MatmulPlans {
public:
  static constexpr int numSets = 512, plansASet = 4;

  /// The plan of `key`, or the place for one, which may still hold another's;
  /// `found` says which.
  MatmulPlan &find(const MatmulKey &key, bool &found);
  /// `plan`, a place of find(), now holds what its key says.
  void keep(MatmulPlan &plan) { plan.lastUse = uses; }
  void clear(const CublasLt &lt);

private:
  MatmulPlan plans[numSets][plansASet];
  uint64_t uses = 0;
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_MATMULPLAN_H
