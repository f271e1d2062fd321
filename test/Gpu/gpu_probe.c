/*===- gpu_probe.c - Is there a GPU, and which ------------------------------===
 *
 * Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------------------------------------===
 *
 * Asks the driver, by dlopen, so that it starts on any machine. Prints a line
 * for each GPU and exits 0, or says what is missing and exits 77.
 *===--------------------------------------------------------------------------===*/

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* Of cuda.h, which is not needed to build this. */
enum { MULTIPROCESSORS = 16, MAJOR = 75, MINOR = 76 };

static int skip(const char *got) {
  printf("expected an NVIDIA GPU, got %s\n", got);
  return 77;
}

int main(void) {
  void *driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (!driver)
    return skip("no driver: no libcuda.so.1");
  int (*init)(unsigned), (*count)(int *), (*version)(int *);
  int (*name)(char *, int, int), (*attribute)(int *, int, int);
  const struct {
    const char *symbol;
    void *function;
  } symbols[] = {{"cuInit", &init},
                 {"cuDeviceGetCount", &count},
                 {"cuDriverGetVersion", &version},
                 {"cuDeviceGetName", &name},
                 {"cuDeviceGetAttribute", &attribute}};
  for (unsigned i = 0; i < sizeof(symbols) / sizeof(symbols[0]); ++i) {
    void *found = dlsym(driver, symbols[i].symbol);
    if (!found)
      return skip("a libcuda.so.1 that is no driver");
    memcpy(symbols[i].function, &found, sizeof(found));
  }
  int devices = 0, supported = 0;
  if (init(0) || count(&devices) || devices == 0)
    return skip("none that the driver knows");
  version(&supported);
  for (int i = 0; i < devices; ++i) {
    char text[128] = "?";
    int sms = 0, major = 0, minor = 0;
    name(text, sizeof(text), i);
    attribute(&sms, MULTIPROCESSORS, i);
    attribute(&major, MAJOR, i);
    attribute(&minor, MINOR, i);
    printf("GPU %d: %s, compute capability %d.%d, %d multiprocessors, a driver "
           "for CUDA %d.%d\n",
           i, text, major, minor, sms, supported / 1000, supported % 1000 / 10);
  }
  return 0;
}
