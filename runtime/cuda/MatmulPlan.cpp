//===- MatmulPlan.cpp - A product as cuBLASLt has to be told of it --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "MatmulPlan.h"

#include <cstring>

using namespace mla::cuda;

/// Gives up where a call fails.
#define MLA_LT(call)                                                           \
  do {                                                                         \
    if (cublasStatus_t failed = (call))                                        \
      return failed;                                                           \
  } while (false)

namespace {

/// A layout [rows, columns] for every head.
cublasStatus_t makeLayout(const CublasLt &lt, int64_t type, int64_t rows,
                          int64_t columns, const MatmulOperand &operand,
                          int64_t batches, cublasLtMatrixLayout_t &layout) {
  MLA_LT(lt.MatrixLayoutCreate(
      &layout, static_cast<cudaDataType_t>(type), static_cast<uint64_t>(rows),
      static_cast<uint64_t>(columns), operand.leading));
  auto count = static_cast<int32_t>(batches);
  MLA_LT(lt.MatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT,
                                     &count, sizeof(count)));
  return lt.MatrixLayoutSetAttribute(
      layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &operand.batchStride,
      sizeof(operand.batchStride));
}

cublasStatus_t setPreference(const CublasLt &lt,
                             cublasLtMatmulPreference_t preference,
                             const MatmulKey &key, uint64_t workspaceBytes) {
  MLA_LT(lt.MatmulPreferenceSetAttribute(
      preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspaceBytes,
      sizeof(workspaceBytes)));
  // Parts of a sum are f32 until the whole is: rounded once, and in a fixed
  // order.
  uint32_t schemes =
      CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  MLA_LT(lt.MatmulPreferenceSetAttribute(
      preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes,
      sizeof(schemes)));
  const struct {
    cublasLtMatmulPreferenceAttributes_t attribute;
    int64_t alignment;
  } alignments[] = {
      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key.w.alignment},
      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key.x.alignment},
      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key.out.alignment},
      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key.out.alignment}};
  for (const auto &entry : alignments) {
    auto bytes = static_cast<uint32_t>(entry.alignment);
    MLA_LT(lt.MatmulPreferenceSetAttribute(preference, entry.attribute, &bytes,
                                           sizeof(bytes)));
  }
  return CUBLAS_STATUS_SUCCESS;
}

uint64_t hash(const MatmulKey &key) {
  int64_t words[sizeof(key) / sizeof(int64_t)];
  std::memcpy(words, &key, sizeof(key));
  uint64_t result = 0;
  for (int64_t word : words)
    result = (result ^ static_cast<uint64_t>(word)) * 0x9e3779b97f4a7c15u;
  return result >> 32;
}

} // namespace

cublasStatus_t MatmulPlan::describe(const CublasLt &lt) {
  // CUBLAS_COMPUTE_32F never rounds f32 factors to TF32.
  MLA_LT(lt.MatmulDescCreate(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  cublasOperation_t turn = key.transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  MLA_LT(lt.MatmulDescSetAttribute(product, CUBLASLT_MATMUL_DESC_TRANSA, &turn,
                                   sizeof(turn)));
  if (key.smLimit) {
    auto limit = static_cast<int32_t>(key.smLimit);
    MLA_LT(lt.MatmulDescSetAttribute(
        product, CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET, &limit, sizeof(limit)));
  }
  MLA_LT(makeLayout(lt, key.inputType, key.transposed ? key.inner : key.rows,
                    key.transposed ? key.rows : key.inner, key.w, key.batches,
                    w));
  MLA_LT(makeLayout(lt, key.inputType, key.inner, key.columns, key.x,
                    key.batches, x));
  return makeLayout(lt, key.outputType, key.rows, key.columns, key.out,
                    key.batches, out);
}

cublasStatus_t MatmulPlan::findAlgorithm(const CublasLt &lt,
                                         cublasLtHandle_t handle,
                                         uint64_t workspaceBytes) {
  cublasLtMatmulPreference_t preference = nullptr;
  MLA_LT(lt.MatmulPreferenceCreate(&preference));
  cublasLtMatmulHeuristicResult_t best = {};
  int count = 0;
  cublasStatus_t status = setPreference(lt, preference, key, workspaceBytes);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = lt.MatmulAlgoGetHeuristic(handle, product, w, x, out, out,
                                       preference, 1, &best, &count);
  lt.MatmulPreferenceDestroy(preference);
  if (status != CUBLAS_STATUS_SUCCESS)
    return status;
  if (count == 0)
    return CUBLAS_STATUS_NOT_SUPPORTED;
  MLA_LT(best.state);
  algorithm = best.algo;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t MatmulPlan::make(const CublasLt &lt, cublasLtHandle_t handle,
                                const MatmulKey &newKey,
                                uint64_t workspaceBytes) {
  clear(lt);
  key = newKey;
  cublasStatus_t status = describe(lt);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = findAlgorithm(lt, handle, workspaceBytes);
  supported = status == CUBLAS_STATUS_SUCCESS;
  // Layouts that it refuses, it calls invalid values.
  if (status == CUBLAS_STATUS_NOT_SUPPORTED ||
      status == CUBLAS_STATUS_INVALID_VALUE)
    return CUBLAS_STATUS_SUCCESS;
  return status;
}

void MatmulPlan::clear(const CublasLt &lt) {
  if (product)
    lt.MatmulDescDestroy(product);
  for (cublasLtMatrixLayout_t *layout : {&w, &x, &out}) {
    if (*layout)
      lt.MatrixLayoutDestroy(*layout);
    *layout = nullptr;
  }
  product = nullptr;
  supported = false;
  lastUse = 0;
}

MatmulPlan &MatmulPlans::find(const MatmulKey &key, bool &found) {
  MatmulPlan *set = plans[hash(key) % numSets], *oldest = set;
  ++uses;
  for (MatmulPlan *plan = set; plan != set + plansASet; ++plan) {
    found = plan->lastUse && std::memcmp(&plan->key, &key, sizeof(key)) == 0;
    if (found) {
      keep(*plan);
      return *plan;
    }
    if (plan->lastUse < oldest->lastUse)
      oldest = plan;
  }
  return *oldest;
}

void MatmulPlans::clear(const CublasLt &lt) {
  for (auto &set : plans)
    for (MatmulPlan &plan : set)
      plan.clear(lt);
}
