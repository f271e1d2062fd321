//===- FuzzTarget.h - What fuzz targets share -------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_FUZZ_FUZZTARGET_H
#define MLA_TEST_FUZZ_FUZZTARGET_H

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

/// One input; defined by each target. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace mla {
namespace fuzz {

/// Ends the process when `condition` doesn't hold: libFuzzer then keeps the
/// input, and a replay fails.
inline void require(bool condition, const char *what,
                    const std::string &detail) {
  if (condition)
    return;
  std::fprintf(stderr, "expected %s, got: %s\n", what, detail.c_str());
  std::abort();
}

/// An error is one line that starts with the place and says something.
inline void requireSentence(const std::string &text, const std::string &place) {
  require(text.rfind(place + ": ", 0) == 0 && text.size() > place.size() + 4,
          "a sentence that starts with the place", text);
  for (char c : text)
    require(static_cast<unsigned char>(c) >= ' ',
            "one line without control "
            "characters",
            text);
  require(text.size() < 2000, "a sentence of reasonable length", text);
}

} // namespace fuzz
} // namespace mla

#endif // MLA_TEST_FUZZ_FUZZTARGET_H
