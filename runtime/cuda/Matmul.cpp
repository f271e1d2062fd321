//===- Matmul.cpp - Matrix products, by cuBLASLt for many tokens ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Matmul.h"

#include "HeadProduct.h"
#include "MatmulPlan.h"
#include "SkinnyProduct.h"

#include <climits>
#include <new>

using namespace mla;
using namespace mla::cuda;

class mla::cuda::Matmul {
public:
  explicit Matmul(const CublasLt &lt) : lt(lt) {}
  ~Matmul();
  Matmul(const Matmul &) = delete;
  Matmul &operator=(const Matmul &) = delete;

  mla_status open(mla_context &ctx);
  /// Multiplies if cuBLASLt can; `done` says whether it did.
  mla_status multiply(mla_context &ctx, const char *op, const MatmulKey &key,
                      const HeadOperands &operands, bool &done);

private:
  cublasStatus_t enqueue(mla_context &ctx, const MatmulPlan &plan,
                         const HeadOperands &operands);

  // What cuBLAS's own functions take on Hopper.
  static constexpr uint64_t workspaceBytes = uint64_t{32} << 20;

  const CublasLt &lt;
  cublasLtHandle_t handle = nullptr;
  void *workspace = nullptr;
  MatmulPlans plans;
};

Matmul::~Matmul() {
  plans.clear(lt);
  freeMemory(workspace);
  if (handle)
    lt.Destroy(handle);
}

mla_status Matmul::open(mla_context &ctx) {
  if (cublasStatus_t status = lt.Create(&handle))
    return fail(ctx, MLA_STATUS_INTERNAL,
                "mla_context_create: backend 'cuda': expected a handle of "
                "cuBLASLt, got: %s",
                lt.GetStatusString(status));
  if (cudaError_t error = cudaMalloc(&workspace, workspaceBytes))
    return fail(ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
                "mla_context_create: backend 'cuda': expected %llu bytes of "
                "device memory, got: %s",
                static_cast<unsigned long long>(workspaceBytes), textOf(error));
  return MLA_STATUS_OK;
}

cublasStatus_t Matmul::enqueue(mla_context &ctx, const MatmulPlan &plan,
                               const HeadOperands &operands) {
  const float one = 1, zero = 0;
  void *out = operands.out.data;
  return lt.Matmul(handle, plan.product, &one, operands.w.data, plan.w,
                   operands.x.data, plan.x, &zero, out, plan.out, out, plan.out,
                   &plan.algorithm, workspace, workspaceBytes, streamOf(ctx));
}

namespace {

/// Lets the thread load a kernel while a stream is captured, which capture in
/// its global mode would refuse.
class AllowLoading {
public:
  AllowLoading() { cudaThreadExchangeStreamCaptureMode(&mode); }
  ~AllowLoading() { cudaThreadExchangeStreamCaptureMode(&mode); }
  AllowLoading(const AllowLoading &) = delete;
  AllowLoading &operator=(const AllowLoading &) = delete;

private:
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
};

} // namespace

mla_status Matmul::multiply(mla_context &ctx, const char *op,
                            const MatmulKey &key, const HeadOperands &operands,
                            bool &done) {
  DeviceGuard guard(ctx.device);
  bool found = false;
  MatmulPlan &plan = plans.find(key, found);
  cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
  if (found) {
    if (plan.supported)
      status = enqueue(ctx, plan, operands);
  } else {
    AllowLoading loading;
    status = plan.make(lt, handle, key, workspaceBytes);
    if (status == CUBLAS_STATUS_SUCCESS && plan.supported)
      status = enqueue(ctx, plan, operands);
    if (status == CUBLAS_STATUS_SUCCESS)
      plans.keep(plan);
  }
  done = plan.supported;
  if (status != CUBLAS_STATUS_SUCCESS)
    return fail(ctx, MLA_STATUS_INTERNAL,
                "mla_%s: expected cuBLASLt to take the product, got: %s", op,
                lt.GetStatusString(status));
  return MLA_STATUS_OK;
}

mla_status mla::cuda::openMatmul(mla_context &ctx, Matmul *&matmul) {
  const char *error = nullptr;
  const CublasLt *lt = loadCublasLt(error);
  if (!lt)
    return fail(ctx, MLA_STATUS_NOT_FOUND,
                "mla_context_create: backend 'cuda': expected %s on the "
                "loader's path, got: %s",
                cublasLtFile, error);
  matmul = new (std::nothrow) Matmul(*lt);
  if (!matmul)
    return fail(ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
                "mla_context_create: backend 'cuda': expected host memory, got "
                "none");
  return matmul->open(ctx);
}

void mla::cuda::closeMatmul(Matmul *matmul) { delete matmul; }

//===--- What cuBLASLt is asked -------------------------------------------===//

namespace {

cudaDataType_t cudaType(uint32_t dtype) {
  return dtype == MLA_DTYPE_F32   ? CUDA_R_32F
         : dtype == MLA_DTYPE_F16 ? CUDA_R_16F
                                  : CUDA_R_16BF;
}

/// What the address and the distance between heads are multiples of, as far as
/// algorithms differ in it.
int64_t alignmentOf(const void *data, int64_t headStride) {
  uint64_t address =
      reinterpret_cast<uintptr_t>(data) | static_cast<uint64_t>(headStride);
  for (int bytes : {256, 16, 8, 4, 2})
    if (address % bytes == 0)
      return bytes;
  return 1;
}

/// The matrices of `tensor` for each head, a row of which has `width` elements
/// side by side, `strides` in bytes. False where no leading dimension says
/// that.
bool describe(const Tensor<3> &tensor, int64_t count, int64_t width,
              int64_t rowStride, int64_t elementStride, int64_t headStride,
              int64_t heads, MatmulOperand &operand) {
  int size = elementSize(tensor.dtype);
  // Of a single row any stride is right: one that is as aligned as can be.
  operand.leading = count == 1 ? (width + 15) / 16 * 16 : rowStride / size;
  operand.batchStride = heads == 1 ? 0 : headStride / size;
  operand.alignment = alignmentOf(tensor.data, operand.batchStride * size);
  return (width == 1 || elementStride == size) && operand.leading >= width &&
         operand.batchStride >= 0 && operand.alignment >= size;
}

/// Whether the heads' weights lie one after the other like the rows of one, and
/// their outputs like those of one head.
bool formsOneProduct(const HeadOperands &operands, bool transposed) {
  const Tensor<3> &w = operands.w, &out = operands.out;
  int64_t outer = out.shape[2];
  return transposed && operands.x.strides[1] == 0 &&
         w.strides[0] == outer * w.strides[1] &&
         out.strides[1] == outer * out.strides[2];
}

/// False where cuBLASLt surely can't take the product.
bool makeKey(mla_context &ctx, const HeadOperands &operands, bool transposed,
             MatmulKey &key) {
  const Tensor<3> &x = operands.x, &w = operands.w, &out = operands.out;
  if (x.dtype != w.dtype ||
      (out.dtype != x.dtype && out.dtype != MLA_DTYPE_F32))
    return false;
  key.rows = out.shape[2];
  key.columns = out.shape[0];
  key.inner = x.shape[2];
  key.batches = out.shape[1];
  key.inputType = cudaType(x.dtype);
  key.outputType = cudaType(out.dtype);
  key.transposed = transposed;
  int sms = usableSMs(ctx);
  key.smLimit = sms < stateOf(ctx).numSMs ? sms : 0;
  if (formsOneProduct(operands, transposed)) {
    key.rows *= key.batches;
    key.batches = 1;
  }
  // A row of the weight in memory lies along the sum where it is transposed.
  int rowDim = transposed ? 1 : 2, elementDim = transposed ? 2 : 1;
  int64_t rows = transposed ? key.rows : key.inner;
  int64_t width = transposed ? key.inner : key.rows;
  return key.inner > 0 && key.batches <= INT_MAX &&
         describe(w, rows, width, w.strides[rowDim], w.strides[elementDim],
                  w.strides[0], key.batches, key.w) &&
         describe(x, key.columns, key.inner, x.strides[0], x.strides[2],
                  x.strides[1], key.batches, key.x) &&
         describe(out, key.columns, key.rows, out.strides[0], out.strides[2],
                  out.strides[1], key.batches, key.out);
}

/// x [T, inner] with a dim for the heads, which share it.
Tensor<3> spread(const Tensor<2> &x, int64_t heads) {
  Tensor<3> result;
  result.data = x.data;
  result.dtype = x.dtype;
  const int64_t shape[] = {x.shape[0], heads, x.shape[1]};
  const int64_t strides[] = {x.strides[0], 0, x.strides[1]};
  std::copy_n(shape, 3, result.shape);
  std::copy_n(strides, 3, result.strides);
  return result;
}

} // namespace

cudaError_t mla::cuda::loadHeadProduct() {
  cudaError_t error = loadSkinnyProduct();
  return error ? error : loadPlainHeadProduct();
}

mla_status mla::cuda::headProduct(mla_context &ctx, const char *op,
                                  const mla_tensor &x, const mla_tensor &w,
                                  const mla_tensor &out, bool transposed) {
  HeadOperands operands;
  operands.out = Tensor<3>(&out);
  if (!operands.out)
    return MLA_STATUS_OK;
  operands.x = x.rank == 2 ? spread(Tensor<2>(&x), operands.out.shape[1])
                           : Tensor<3>(&x);
  operands.w = Tensor<3>(&w);
  if (!transposed) {
    std::swap(operands.w.shape[1], operands.w.shape[2]);
    std::swap(operands.w.strides[1], operands.w.strides[2]);
  }
  bool done = false;
  if (isSkinny(operands.out.shape[0], operands.out.shape[1], transposed)) {
    mla_status status = skinnyProduct(ctx, op, operands, transposed, done);
    if (done || status)
      return status;
  }
  MatmulKey key = {};
  if (makeKey(ctx, operands, transposed, key)) {
    mla_status status =
        stateOf(ctx).matmul->multiply(ctx, op, key, operands, done);
    if (done || status)
      return status;
  }
  return plainHeadProduct(ctx, op, operands);
}
