//===- Dtype.h - Element types of files and their conversion ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Element types are the codes MLA_DTYPE_* of mla_runtime/tensor.h.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_IO_DTYPE_H
#define MLA_RUNTIME_IO_DTYPE_H

#include "io/Buffer.h"
#include "io/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mla::io {

/// The name of a code in a safetensors header ("F32", "BF16"), null when the
/// format has none.
const char *safetensorsName(uint32_t dtype);
/// The code of such a name, MLA_DTYPE_NONE when there is none.
uint32_t dtypeFromSafetensors(const std::string &name);
/// The names that dtypeFromSafetensors knows, for messages.
std::string safetensorsNames();
/// Bytes of an element; 0 for a code that isn't one, or of which two fill a
/// byte.
uint64_t dtypeBytes(uint32_t dtype);

/// Rounds to nearest, ties to even; a NaN stays one, too large becomes
/// infinite.
uint16_t floatToBF16(float value);
float bf16ToFloat(uint16_t bits);
uint16_t floatToF16(float value);
float f16ToFloat(uint16_t bits);
/// To f8E4M3FN: likewise, but beyond 448, infinities included, it becomes 448.
uint8_t floatToE4M3(float value);
float e4m3ToFloat(uint8_t bits);

/// The elements as f64, exact for every type but large i64. `data` needs no
/// alignment. False when the type has no conversion here.
bool toDoubles(const void *data, uint32_t dtype, uint64_t count,
               std::vector<double> &out);

/// Elements converted between f64, f32, bf16, f16 and f8E4M3FN (to nearest,
/// ties to even; no double rounding except from f64), and between i32 and i64
/// (an i64 that does not fit is an error). A copy when the types are equal.
Result<Buffer> convertElements(const void *data, uint32_t from, uint32_t to,
                               uint64_t count);

} // namespace mla::io

#endif // MLA_RUNTIME_IO_DTYPE_H
