//===- uses_compiler.cpp - Registers the dialect --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/InitAll.h"

int main() {
  mlir::DialectRegistry registry;
  mla::registerAllDialects(registry);
}
