/*===- run_layer.c - Loads a compiled module and runs it
 * ---------------------===
 *
 * Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------------------------------------===
 *
 *   run_layer layer.so
 *
 * One token of one sequence, the first: its only key is its own, so the softmax
 * is 1 and a head's output is the latent times the head's value rows. With
 * every element 1 that is the latent's width.
 *===--------------------------------------------------------------------------===*/

#include "mla_runtime/runtime.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARGUMENTS = 16 };

static void fail(const char *what, const char *why) {
  fprintf(stderr, "run_layer: %s: %s\n", what, why);
  exit(1);
}

/* A contiguous tensor of ones in every dynamic size, or of `dims`. */
static mla_tensor make_tensor(const mla_arg_spec *spec) {
  mla_tensor tensor;
  int64_t elements = 1;
  memset(&tensor, 0, sizeof tensor);
  tensor.dtype = spec->dtype;
  tensor.rank = spec->rank;
  for (int32_t i = spec->rank - 1; i >= 0; --i) {
    tensor.shape[i] = spec->dims[i] < 0 ? 1 : spec->dims[i];
    tensor.strides[i] = elements;
    elements *= tensor.shape[i];
  }
  /* One sequence has two offsets. */
  if (strcmp(spec->name, "cu_q") == 0)
    elements = tensor.shape[0] = 2;
  tensor.data = calloc((size_t)elements, mla_dtype_bits(spec->dtype) / 8);
  if (spec->dtype == MLA_DTYPE_F32)
    for (int64_t i = 0; i < elements; ++i)
      ((float *)tensor.data)[i] = 1;
  return tensor;
}

int main(int argc, char **argv) {
  mla_tensor arguments[MAX_ARGUMENTS];
  const mla_tensor *out = NULL, *weights = NULL;
  mla_context *context;
  mla_module *module;
  int64_t count;

  if (argc != 2)
    fail("usage", "run_layer layer.so");
  if (mla_module_load(argv[1], &module) ||
      mla_context_create("cpu", 0, &context))
    fail(argv[1], mla_last_error(NULL));
  mla_entry_fn layer = mla_module_entry(module, "layer");
  const mla_arg_spec *specs = mla_module_arguments(module, "layer", &count);
  if (!layer || !specs || count > MAX_ARGUMENTS)
    fail("layer", mla_last_error(NULL));

  for (int64_t i = 0; i < count; ++i) {
    arguments[i] = make_tensor(&specs[i]);
    if (strcmp(specs[i].name, "kv_lens") == 0)
      *(int32_t *)arguments[i].data = 1;
    else if (strcmp(specs[i].name, "cu_q") == 0)
      ((int32_t *)arguments[i].data)[1] = 1;
    else if (strcmp(specs[i].name, "out") == 0)
      out = &arguments[i];
    else if (strcmp(specs[i].name, "w_kv_b") == 0)
      weights = &arguments[i];
  }
  if (!out || !weights)
    fail("layer", "expected arguments out and w_kv_b, got none");

  /* The first call launches nothing and counts the workspace. */
  if (mla_context_set_mode(context, MLA_MODE_PLAN) ||
      layer(context, arguments, count))
    fail("layer", mla_last_error(context));
  if (mla_context_set_workspace(context, NULL,
                                mla_context_workspace_high_water(context)) ||
      mla_context_set_mode(context, MLA_MODE_RUN) ||
      layer(context, arguments, count))
    fail("layer", mla_last_error(context));

  float got = *(float *)out->data, expected = (float)weights->shape[2];
  printf("out[0] = %g\n", got);
  if (fabsf(got - expected) > 1e-4f * expected)
    fail("out[0]", "expected the width of the latent, got another number");

  for (int64_t i = 0; i < count; ++i)
    free(arguments[i].data);
  mla_context_destroy(context);
  mla_module_unload(module);
  return 0;
}
