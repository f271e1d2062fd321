//===- Load.h - Loads a plugin as MLIR does ---------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_PLUGIN_HOST_LOAD_H
#define MLA_TEST_PLUGIN_HOST_LOAD_H

/// Loads a plugin's file, and prints what its two entry points hand out. False
/// where it can't be loaded.
bool loadPlugin(const char *file);

#endif // MLA_TEST_PLUGIN_HOST_LOAD_H
