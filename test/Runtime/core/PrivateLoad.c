//===- PrivateLoad.c - A process that loads the runtime privately ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* As an interpreter's extension would: the runtime's symbols are invisible to
 * what is loaded later, yet a module must find them. Usage: PROGRAM RUNTIME
 * MODULE. */

#include "mla_runtime/runtime.h"

#include <dlfcn.h>
#include <stdio.h>

typedef mla_status (*load_fn)(const char *, mla_module **);
typedef const char *(*error_fn)(const mla_context *);

int main(int argc, char **argv) {
  void *runtime = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!runtime) {
    fprintf(stderr, "expected a runtime and a module, got neither\n");
    return 1;
  }
  load_fn load = (load_fn)dlsym(runtime, "mla_module_load");
  error_fn error = (error_fn)dlsym(runtime, "mla_last_error");
  mla_module *module = NULL;
  if (!load || !error || load(argv[2], &module) != MLA_STATUS_OK) {
    fprintf(stderr, "%s\n", error ? error(NULL) : "no symbols");
    return 1;
  }
  return 0;
}
