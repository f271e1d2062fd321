//===- copy.cu - Copies of any strides, on CUDA ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Launch.h"
#include "Packet.h"
#include "Strided.h"

using namespace mla;
using namespace mla::cuda;

namespace {

constexpr int threads = 256;
/// Units that a thread moves, all read before the first is written.
constexpr int depth = 4;

/// Copies `count` units as they are. View 0 is the destination, 1 the source.
template <typename Unit, typename Index>
__global__ void __launch_bounds__(threads)
    copyUnits(Strided<2> views, Index count) {
  waitForStream();
  Index begin = static_cast<Index>(blockIdx.x) * (threads * depth) +
                static_cast<Index>(threadIdx.x);
  Unit unit[depth];
  char *address[depth][2];
#pragma unroll
  for (int i = 0; i < depth; ++i) {
    Index index = begin + i * threads;
    if (index >= count)
      continue;
    views.find(index, views.rank, address[i]);
    unit[i] = *reinterpret_cast<const Unit *>(address[i][1]);
  }
#pragma unroll
  for (int i = 0; i < depth; ++i)
    if (begin + i * threads < count)
      *reinterpret_cast<Unit *>(address[i][0]) = unit[i];
}

/// Converts `count` packets, `inRow` of them in each run of the innermost dim.
template <typename Index>
__global__ void __launch_bounds__(threads)
    convertPackets(Strided<2> views, Row dst, Row src, Index inRow,
                   Index count) {
  waitForStream();
  Index index = static_cast<Index>(blockIdx.x) * threads +
                static_cast<Index>(threadIdx.x);
  if (index >= count)
    return;
  Index row = index / inRow;
  int64_t column = static_cast<int64_t>(index - row * inRow) * packetSize;
  int64_t rest = views.shape[views.rank - 1] - column;
  char *address[2];
  views.find(row, views.rank - 1, address);
  dst.data = address[0];
  src.data = address[1];
  Packet packet = loadPacket(src, column, rest);
  storePacket(dst, column, convert(packet, src.dtype, dst.dtype), rest);
}

bool isSameView(const mla_tensor &a, const mla_tensor &b) {
  bool same = static_cast<char *>(a.data) + a.byte_offset ==
                  static_cast<char *>(b.data) + b.byte_offset &&
              a.dtype == b.dtype;
  for (int i = 0; i < a.rank; ++i)
    same &= a.shape[i] == 1 || a.strides[i] == b.strides[i];
  return same;
}

/// The rows that view `view`'s innermost dim makes.
Row rowOf(const Strided<2> &views, int view, uint32_t dtype) {
  int size = elementSize(dtype), inner = views.rank - 1;
  int alignment = size == 4 ? 16 : packetSize * size;
  bool vectors = views.strides[view][inner] == size &&
                 views.shape[inner] % packetSize == 0 &&
                 reinterpret_cast<uintptr_t>(views.data[view]) % alignment == 0;
  for (int i = 0; i < inner; ++i)
    vectors &= views.strides[view][i] % alignment == 0;
  return {nullptr, views.strides[view][inner], dtype, size, vectors};
}

/// Calls `visit` with a 0 of the type that counts up to `count` fastest.
template <typename Visitor>
mla_status visitIndex(int64_t count, Visitor visit) {
  return count < int64_t(1) << 31 ? visit(uint32_t{0}) : visit(uint64_t{0});
}

template <typename Unit>
mla_status copyAs(mla_context &ctx, const Strided<2> &views) {
  int64_t count = views.count();
  dim3 grid(static_cast<unsigned>(ceilDiv(count, threads * depth)));
  return visitIndex(count, [&](auto zero) {
    using Index = decltype(zero);
    return launchEarly(ctx, "copy", copyUnits<Unit, Index>, grid, threads, 0,
                       views, static_cast<Index>(count));
  });
}

mla_status convertAs(mla_context &ctx, const Strided<2> &views,
                     const mla_copy_params &params) {
  int64_t width = views.shape[views.rank - 1], inRow = numPackets(width);
  int64_t count = views.count() / width * inRow;
  Row dst = rowOf(views, 0, params.dst->dtype);
  Row src = rowOf(views, 1, params.src->dtype);
  dim3 grid(static_cast<unsigned>(ceilDiv(count, threads)));
  return visitIndex(count, [&](auto zero) {
    using Index = decltype(zero);
    return launchEarly(ctx, "copy", convertPackets<Index>, grid, threads, 0,
                       views, dst, src, static_cast<Index>(inRow),
                       static_cast<Index>(count));
  });
}

} // namespace

cudaError_t mla::cuda::load_copy(const State &) {
  return loadKernels(
      copyUnits<uint8_t, uint32_t>, copyUnits<uint8_t, uint64_t>,
      copyUnits<uint16_t, uint32_t>, copyUnits<uint16_t, uint64_t>,
      copyUnits<uint32_t, uint32_t>, copyUnits<uint32_t, uint64_t>,
      copyUnits<uint2, uint32_t>, copyUnits<uint2, uint64_t>,
      copyUnits<uint4, uint32_t>, copyUnits<uint4, uint64_t>,
      convertPackets<uint32_t>, convertPackets<uint64_t>);
}

static mla_status copyViews(mla_context &ctx, const mla_copy_params &params) {
  const mla_tensor &src = *params.src, &dst = *params.dst;
  Strided<2> views({&dst, &src}, 0, dst.rank);
  if (src.dtype != dst.dtype)
    return convertAs(ctx, views, params);
  switch (views.vectorize(elementSize(dst.dtype))) {
  case 1:
    return copyAs<uint8_t>(ctx, views);
  case 2:
    return copyAs<uint16_t>(ctx, views);
  case 4:
    return copyAs<uint32_t>(ctx, views);
  case 8:
    return copyAs<uint2>(ctx, views);
  default:
    return copyAs<uint4>(ctx, views);
  }
}

mla_status mla::cuda::copy(mla_context &ctx, const mla_copy_params &params) {
  const mla_tensor &src = *params.src, &dst = *params.dst;
  for (int i = 0; i < dst.rank; ++i)
    if (dst.shape[i] == 0)
      return MLA_STATUS_OK;
  if (isSameView(src, dst))
    return MLA_STATUS_OK;
  mla_status status = copyViews(ctx, params);
  stateOf(ctx).weightsWritten = true;
  return status;
}
