//===- Rows.cpp - Rows that calls move ------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calls.h"

using namespace mla::bench;

static char *addressOf(const mla_tensor &tensor) {
  return static_cast<char *>(tensor.data) + tensor.byte_offset;
}

Rows mla::bench::rowsOf(const mla_tensor *tensor) {
  Rows result;
  if (!tensor)
    return result;
  int64_t element = mla_dtype_bits(tensor->dtype) / 8;
  result.data = addressOf(*tensor);
  result.tokens = tensor->shape[0];
  result.tokenStride = tensor->strides[0] * element;
  if (tensor->rank == 3) {
    result.rows = tensor->shape[1];
    result.rowStride = tensor->strides[1] * element;
  }
  result.bytes = tensor->shape[tensor->rank - 1] * element;
  return result;
}

Rows mla::bench::rowsOf(const mla_tensor *tensor, const mla_tensor *index) {
  Rows result = rowsOf(tensor);
  result.tokens = index->shape[0];
  result.index = reinterpret_cast<const int64_t *>(addressOf(*index));
  return result;
}

Rows mla::bench::cacheRows(const mla_tensor *part, const mla_tensor *slots) {
  if (!part)
    return {};
  mla_tensor lines = *part; // [pages * P, W]
  lines.rank = 2;
  lines.shape[0] *= lines.shape[1];
  lines.strides[0] = lines.strides[1];
  lines.shape[1] = part->shape[2];
  lines.strides[1] = 1;
  return rowsOf(&lines, slots);
}

Transfer mla::bench::move(const Rows &from, const Rows &to) {
  Transfer result;
  result.from = from.data;
  result.to = to.data;
  const Rows &one = from.data ? from : to;
  result.tokens = one.tokens;
  result.rows = one.rows;
  result.readBytes = from.bytes;
  result.writeBytes = to.bytes;
  result.fromToken = from.tokenStride;
  result.fromRow = from.rowStride;
  result.toToken = to.tokenStride;
  result.toRow = to.rowStride;
  result.fromIndex = from.index;
  result.toIndex = to.index;
  return result;
}
