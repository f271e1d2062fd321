//===- Host.cpp - A host of plugins ---------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Load.h"

int main(int argc, char **argv) {
  return argc == 2 && loadPlugin(argv[1]) ? 0 : 1;
}
