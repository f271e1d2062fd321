//===- SafeTensorsFuzz.cpp - Random .safetensors files --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file is refused with a sentence, or every tensor that it lists lies within
// its bytes.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "io/Dtype.h"
#include "io/SafeTensors.h"
#include "mla_runtime/runtime.h"

#include <cstring>

using namespace mla;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  io::Buffer bytes(size);
  if (size)
    std::memcpy(bytes.data(), data, size);
  io::Result<io::SafeTensors> file =
      io::SafeTensors::parse(std::move(bytes), "file");
  if (!file) {
    fuzz::requireSentence(file.error(), "file");
    return 0;
  }
  for (const io::NamedTensor &tensor : file->tensors()) {
    fuzz::require(tensor.bytes <= size, "a tensor within the file",
                  tensor.name);
    fuzz::require(tensor.numElements() * mla_dtype_bits(tensor.dtype) ==
                      tensor.bytes * 8,
                  "as many bytes as the shape says", tensor.name);
    fuzz::require(file->find(tensor.name) != nullptr, "unique names",
                  tensor.name);
    // Reads every byte, which the address sanitizer watches.
    volatile uint8_t sum = 0;
    for (uint64_t i = 0; i < tensor.bytes; ++i)
      sum = static_cast<uint8_t>(sum +
                                 static_cast<const uint8_t *>(tensor.data)[i]);
    std::vector<double> values;
    if (io::toDoubles(tensor.data, tensor.dtype, tensor.numElements(), values))
      fuzz::require(values.size() == tensor.numElements(),
                    "as many numbers as elements", tensor.name);
  }
  return 0;
}
