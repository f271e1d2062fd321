/*===- decode_loop.c - Prefill and decode with a compiled attention core ----===
 *
 * Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------------------------------------===
 *
 *   mla-compile --config=config.json --heads=4 --dtype=f32 -o core.so
 *   decode_loop core.so
 *
 * Two sequences go through one layer's attention core as in a server: their
 * prompts in one launch, then a token of each a launch, over one paged cache.
 * Noise stands in for the projections. Then the same tokens go through in a
 * single launch, and the outputs must be the same. decode_loop.py is the same
 * program in Python.
 *===--------------------------------------------------------------------------===*/

#include <mla_runtime/runtime.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEQUENCES = 2, STEPS = 24 };
static const int32_t PROMPTS[SEQUENCES] = {37, 130};
static const double BOUND = 1e-5; /* of f32, as in docs/numerics.md */

static void fail(const char *what) {
  fprintf(stderr, "decode_loop: error: %s\n", what);
  exit(1);
}

static void *allocate(int64_t count, size_t size) {
  void *data = calloc((size_t)count + 1, size);
  if (!data)
    fail("expected memory, got none");
  return data;
}

/* A compiled core and the arguments of its next call. */
typedef struct Core {
  mla_context *ctx;
  mla_entry_fn run;
  const mla_arg_spec *specs; /* what the entry asks of each argument */
  int64_t num_args;
  mla_tensor *args;
} Core;

static void check(const Core *core, mla_status status) {
  if (status != MLA_STATUS_OK)
    fail(mla_last_error(core->ctx));
}

/* Arguments go by name: which there are, and in which order, depends on the
 * model. -1 when it has no such argument. */
static int64_t find(const Core *core, const char *name) {
  for (int64_t i = 0; i < core->num_args; ++i)
    if (strcmp(core->specs[i].name, name) == 0)
      return i;
  return -1;
}

/* Sizes that the model has fixed; 0 where it has no such argument. */
static int64_t size_of(const Core *core, const char *name, int dim) {
  int64_t i = find(core, name);
  return i < 0 ? 0 : core->specs[i].dims[dim];
}

/* All of them multiplied: the elements of a token's row, or of a page. */
static int64_t elements(const Core *core, const char *name) {
  int64_t i = find(core, name), product = i >= 0;
  for (int dim = 0; i >= 0 && dim < core->specs[i].rank; ++dim)
    if (core->specs[i].dims[dim] >= 0)
      product *= core->specs[i].dims[dim];
  return product;
}

/* Passes `data`, row-major, as an argument of the next call. The specification
 * says everything but the dynamic sizes, which are d0 and then d1. */
static void pass(Core *core, const char *name, void *data, int64_t d0,
                 int64_t d1) {
  int64_t i = find(core, name), stride = 1, dynamic[2] = {d0, d1};
  if (i < 0)
    return;
  const mla_arg_spec *spec = &core->specs[i];
  mla_tensor tensor = {.data = data, .device_type = MLA_DEVICE_CPU};
  tensor.dtype = spec->dtype;
  tensor.rank = spec->rank;
  for (int dim = 0, next = 0; dim < spec->rank; ++dim)
    tensor.shape[dim] =
        spec->dims[dim] >= 0 ? spec->dims[dim] : dynamic[next++];
  for (int dim = spec->rank - 1; dim >= 0; --dim) {
    tensor.strides[dim] = stride;
    stride *= tensor.shape[dim];
  }
  core->args[i] = tensor;
}

/* What has a row a token: what the projections give, and what comes out. */
enum { INPUTS = 3, ROWS = 4 };
static const char *const NAMES[ROWS] = {"q", "c_kv", "k_pe", "out"};

typedef struct Tokens {
  float *rows[ROWS];
  int64_t width[ROWS];
  int64_t *positions; /* few models ask for them */
} Tokens;

static Tokens make_tokens(const Core *core, int64_t count) {
  Tokens tokens = {.positions = allocate(count, sizeof(int64_t))};
  for (int i = 0; i < ROWS; ++i) {
    tokens.width[i] = elements(core, NAMES[i]);
    tokens.rows[i] = allocate(count * tokens.width[i], sizeof(float));
  }
  return tokens;
}

static Tokens rows_from(Tokens tokens, int64_t first) {
  for (int i = 0; i < ROWS; ++i)
    tokens.rows[i] += first * tokens.width[i];
  tokens.positions += first;
  return tokens;
}

/* Pages, and whose they are. A sequence gets a page when it grows into it, so
 * the pages of all sequences mix. */
typedef struct Cache {
  float *pages;
  int32_t *page_table; /* [SEQUENCES, columns]; -1: no page yet */
  int32_t lengths[SEQUENCES];
  int64_t num_pages, columns, page_size, taken;
} Cache;

static Cache make_cache(const Core *core, int64_t longest) {
  Cache cache = {.page_size = size_of(core, "cache", 1)};
  cache.columns = (longest + cache.page_size - 1) / cache.page_size;
  cache.num_pages = SEQUENCES * cache.columns;
  cache.pages =
      allocate(cache.num_pages * elements(core, "cache"), sizeof(float));
  cache.page_table = allocate(cache.num_pages, sizeof(int32_t));
  memset(cache.page_table, -1, (size_t)cache.num_pages * sizeof(int32_t));
  return cache;
}

/* The next token of sequence b: gives it a place, and returns its position. */
static int64_t place(Cache *cache, int b) {
  int64_t position = cache->lengths[b]++, page = position / cache->page_size;
  if (position % cache->page_size == 0) /* from the pool's end */
    cache->page_table[b * cache->columns + page] =
        (int32_t)(cache->num_pages - ++cache->taken);
  return position;
}

/* Constants of the layer, passed in every launch. */
typedef struct Layer {
  float *w_kv_b, *cos_sin;
  int64_t max_positions;
} Layer;

/* Launches the next counts[b] tokens of each sequence b; `tokens` has those of
 * sequence 0, then those of sequence 1. Returns milliseconds. */
static double launch(Core *core, const Layer *layer, Cache *cache,
                     Tokens tokens, const int32_t counts[SEQUENCES]) {
  int32_t cu_q[SEQUENCES + 1] = {0};
  for (int b = 0; b < SEQUENCES; ++b) {
    cu_q[b + 1] = cu_q[b] + counts[b];
    for (int32_t token = cu_q[b]; token < cu_q[b + 1]; ++token)
      tokens.positions[token] = place(cache, b);
  }
  int64_t count = cu_q[SEQUENCES];
  for (int i = 0; i < ROWS; ++i)
    pass(core, NAMES[i], tokens.rows[i], count, 0);
  pass(core, "w_kv_b", layer->w_kv_b, 0, 0);
  pass(core, "cos_sin", layer->cos_sin, layer->max_positions, 0);
  pass(core, "positions", tokens.positions, count, 0);
  pass(core, "page_table", cache->page_table, SEQUENCES, cache->columns);
  pass(core, "kv_lens", cache->lengths, SEQUENCES, 0); /* new tokens too */
  pass(core, "cu_q", cu_q, SEQUENCES + 1, 0);
  pass(core, "cache", cache->pages, cache->num_pages, 0);

  struct timespec begin, end;
  timespec_get(&begin, TIME_UTC);
  check(core, core->run(core->ctx, core->args, core->num_args));
  timespec_get(&end, TIME_UTC);
  return (double)(end.tv_sec - begin.tv_sec) * 1e3 +
         (double)(end.tv_nsec - begin.tv_nsec) * 1e-6;
}

/* Numbers in [-scale, scale): a hash of their place, the same in Python. */
static void noise(float *to, uint32_t seed, int64_t count, float scale) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t h = ((uint32_t)i + seed * 65537u) * 2654435769u;
    h = (h ^ h >> 16) * 2246822507u;
    to[i] = ((float)((h ^ h >> 13) >> 8) * 0x1p-23f - 1) * scale;
  }
}

/* The table of a model whose config scales its rotation comes from `mla-import
 * --table`; this is the plain one: cosines, then sines, of each position. */
static Layer make_layer(const Core *core, int64_t max_positions) {
  int64_t width = elements(core, "cos_sin"), half = width / 2;
  Layer layer = {allocate(elements(core, "w_kv_b"), sizeof(float)),
                 allocate(max_positions * width, sizeof(float)), max_positions};
  noise(layer.w_kv_b, INPUTS, elements(core, "w_kv_b"), 0.25f);
  for (int64_t p = 0; p < max_positions; ++p)
    for (int64_t i = 0; i < half; ++i) {
      double angle = (double)p * pow(10000, -(double)i / (double)half);
      layer.cos_sin[p * width + i] = (float)cos(angle);
      layer.cos_sin[p * width + half + i] = (float)sin(angle);
    }
  return layer;
}

static Core load_core(const char *path, mla_module **module) {
  Core core;
  if (mla_module_load(path, module) != MLA_STATUS_OK ||
      mla_context_create("cpu", 0, &core.ctx) != MLA_STATUS_OK)
    fail(mla_last_error(NULL));
  core.run = mla_module_entry(*module, "attention");
  core.specs = mla_module_arguments(*module, "attention", &core.num_args);
  if (!core.run || !core.specs)
    fail(mla_last_error(NULL));
  core.args = allocate(core.num_args, sizeof(mla_tensor));
  return core;
}

int main(int argc, char **argv) {
  mla_module *module;
  if (argc != 2)
    fail("expected one argument, a module made by mla-compile");
  Core core = load_core(argv[1], &module);
  int32_t prompts = 0, longest = 0, totals[SEQUENCES], ones[SEQUENCES];
  for (int b = 0; b < SEQUENCES; ++b) {
    prompts += PROMPTS[b];
    totals[b] = PROMPTS[b] + STEPS;
    longest = totals[b] > longest ? totals[b] : longest;
    ones[b] = 1;
  }
  int64_t count = prompts + SEQUENCES * STEPS;
  Layer layer = make_layer(&core, longest);
  Tokens tokens = make_tokens(&core, count), whole = make_tokens(&core, count);
  for (int i = 0; i < INPUTS; ++i)
    noise(tokens.rows[i], (uint32_t)i, count * tokens.width[i], 1);

  /* Intermediates live in a workspace, here of the largest launch's size. Mode
   * PLAN counts its bytes and runs nothing. */
  Cache planned = make_cache(&core, longest);
  check(&core, mla_context_set_mode(core.ctx, MLA_MODE_PLAN));
  launch(&core, &layer, &planned, whole, totals);
  uint64_t bytes = mla_context_workspace_high_water(core.ctx);
  check(&core, mla_context_set_mode(core.ctx, MLA_MODE_RUN));
  check(&core, mla_context_set_workspace(core.ctx, NULL, bytes));
  printf("core: %d heads, cache rows of %d, pages of %d tokens, workspace of "
         "%llu bytes\n",
         (int)size_of(&core, "q", 1), (int)size_of(&core, "cache", 2),
         (int)planned.page_size, (unsigned long long)bytes);

  /* The loop. Tokens are in the order of launches. */
  Cache cache = make_cache(&core, longest);
  double prefill = launch(&core, &layer, &cache, tokens, PROMPTS), decode = 0;
  for (int step = 0; step < STEPS; ++step)
    decode += launch(&core, &layer, &cache,
                     rows_from(tokens, prompts + step * SEQUENCES), ones);
  /* A call doesn't look at pages and positions: they may be on a device. */
  check(&core, mla_context_check(core.ctx));

  /* The same tokens in one launch, in the order of sequences. */
  int64_t *source = allocate(count, sizeof(int64_t)), row = 0, prompt = 0;
  for (int b = 0; b < SEQUENCES; prompt += PROMPTS[b], ++b)
    for (int64_t p = 0; p < totals[b]; ++p, ++row) {
      source[row] = p < PROMPTS[b] ? prompt + p
                                   : prompts + (p - PROMPTS[b]) * SEQUENCES + b;
      Tokens to = rows_from(whole, row), from = rows_from(tokens, source[row]);
      for (int i = 0; i < INPUTS; ++i)
        memcpy(to.rows[i], from.rows[i], (size_t)to.width[i] * sizeof(float));
    }
  Cache other = make_cache(&core, longest);
  launch(&core, &layer, &other, whole, totals);

  double difference = 0, largest = 0;
  for (row = 0; row < count; ++row) {
    const float *expected = rows_from(whole, row).rows[INPUTS];
    const float *got = rows_from(tokens, source[row]).rows[INPUTS];
    for (int64_t i = 0; i < whole.width[INPUTS]; ++i) {
      difference = fmax(difference, fabs((double)got[i] - (double)expected[i]));
      largest = fmax(largest, fabs((double)expected[i]));
    }
  }
  printf("sequence  tokens  last token's output\n");
  for (int b = 0; b < SEQUENCES; ++b) {
    const float *out = rows_from(tokens, count - SEQUENCES + b).rows[INPUTS];
    printf("%8d  %6d  %+.6f %+.6f %+.6f ...\n", b, totals[b], out[0], out[1],
           out[2]);
  }
  printf("largest difference from one launch: %.1e of %.2f, bound %.0e\n",
         difference, largest, BOUND);
  printf("time: prefill %.2f ms, decode %.3f ms a step\n", prefill,
         decode / STEPS);

  for (int i = 0; i < ROWS; ++i) {
    free(tokens.rows[i]);
    free(whole.rows[i]);
  }
  void *others[] = {core.args,        layer.w_kv_b,       layer.cos_sin,
                    tokens.positions, whole.positions,    cache.pages,
                    cache.page_table, other.pages,        other.page_table,
                    planned.pages,    planned.page_table, source};
  for (size_t i = 0; i < sizeof(others) / sizeof(*others); ++i)
    free(others[i]);
  mla_context_destroy(core.ctx);
  mla_module_unload(module);
  return difference <= BOUND * largest ? 0 : 1;
}
