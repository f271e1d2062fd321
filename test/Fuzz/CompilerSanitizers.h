//===- CompilerSanitizers.h - Options where LLVM takes part -----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_FUZZ_COMPILERSANITIZERS_H
#define MLA_TEST_FUZZ_COMPILERSANITIZERS_H

/// libMLIR isn't instrumented: what LLVM's allocators and containers say about
/// their memory in our code, they don't take back in theirs; and what it keeps
/// until the end looks lost.
extern "C" const char *__asan_default_options(void);
extern "C" const char *__asan_default_options(void) {
  return "allow_user_poisoning=0:detect_container_overflow=0:detect_leaks=0";
}

#endif // MLA_TEST_FUZZ_COMPILERSANITIZERS_H
