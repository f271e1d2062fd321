//===- fill.cu - One value in every element, on CUDA ----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Convert.h"
#include "Kernels.h"
#include "Launch.h"
#include "Strided.h"
#include "core/ElementBytes.h"

#include <cstring>

using namespace mla;
using namespace mla::cuda;

namespace {

/// CUDA's conversions from double round once.
bool encode(uint32_t dtype, double value, char (&bytes)[8]) {
  return encodeElement(
      dtype, value, bytes,
      [](double v) { return static_cast<__half_raw>(__double2half(v)).x; },
      [](double v) {
        return static_cast<__nv_bfloat16_raw>(__double2bfloat16(v)).x;
      },
      [](double v) {
        return __nv_cvt_double_to_fp8(v, __NV_SATFINITE, __NV_E4M3);
      });
}

constexpr int threads = 256;
/// Units that a thread writes.
constexpr int depth = 4;

template <typename Unit, typename Index>
__global__ void __launch_bounds__(threads)
    fillUnits(Strided<1> views, Unit unit, Index count) {
  waitForStream();
  Index begin = static_cast<Index>(blockIdx.x) * (threads * depth) +
                static_cast<Index>(threadIdx.x);
#pragma unroll
  for (int i = 0; i < depth; ++i) {
    Index index = begin + i * threads;
    if (index >= count)
      return;
    char *address[1];
    views.find(index, views.rank, address);
    *reinterpret_cast<Unit *>(address[0]) = unit;
  }
}

/// Fills with as many copies of the element's `size` bytes as a unit holds.
template <typename Unit>
mla_status fillAs(mla_context &ctx, const Strided<1> &views,
                  const char *element, int size) {
  char bytes[sizeof(Unit)];
  for (size_t i = 0; i < sizeof(Unit); ++i)
    bytes[i] = element[i % size];
  Unit unit;
  std::memcpy(&unit, bytes, sizeof(unit));
  int64_t count = views.count();
  dim3 grid(static_cast<unsigned>(ceilDiv(count, threads * depth)));
  if (count < int64_t(1) << 31)
    return launchEarly(ctx, "fill", fillUnits<Unit, uint32_t>, grid, threads, 0,
                       views, unit, static_cast<uint32_t>(count));
  return launchEarly(ctx, "fill", fillUnits<Unit, uint64_t>, grid, threads, 0,
                     views, unit, static_cast<uint64_t>(count));
}

} // namespace

cudaError_t mla::cuda::load_fill(const State &) {
  return loadKernels(
      fillUnits<uint8_t, uint32_t>, fillUnits<uint8_t, uint64_t>,
      fillUnits<uint16_t, uint32_t>, fillUnits<uint16_t, uint64_t>,
      fillUnits<uint32_t, uint32_t>, fillUnits<uint32_t, uint64_t>,
      fillUnits<uint2, uint32_t>, fillUnits<uint2, uint64_t>,
      fillUnits<uint4, uint32_t>, fillUnits<uint4, uint64_t>);
}

mla_status mla::cuda::supports_fill(mla_context &ctx,
                                    const mla_fill_params &params) {
  char element[8];
  if (encode(params.dst->dtype, params.value, element))
    return MLA_STATUS_OK;
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED,
              "mla_fill: dst: expected a type that the CUDA backend converts "
              "%g to, got %s",
              params.value, mla_dtype_name(params.dst->dtype));
}

static mla_status fillView(mla_context &ctx, const mla_fill_params &params) {
  const mla_tensor &dst = *params.dst;
  char element[8] = {};
  encode(dst.dtype, params.value, element);
  int size = elementSize(dst.dtype);
  Strided<1> views({&dst}, 0, dst.rank);
  switch (views.vectorize(size)) {
  case 1:
    return fillAs<uint8_t>(ctx, views, element, size);
  case 2:
    return fillAs<uint16_t>(ctx, views, element, size);
  case 4:
    return fillAs<uint32_t>(ctx, views, element, size);
  case 8:
    return fillAs<uint2>(ctx, views, element, size);
  default:
    return fillAs<uint4>(ctx, views, element, size);
  }
}

mla_status mla::cuda::fill(mla_context &ctx, const mla_fill_params &params) {
  const mla_tensor &dst = *params.dst;
  for (int i = 0; i < dst.rank; ++i)
    if (dst.shape[i] == 0)
      return MLA_STATUS_OK;
  mla_status status = fillView(ctx, params);
  stateOf(ctx).weightsWritten = true;
  return status;
}
