/*===- runtime.h - Contexts, entries and modules ----------------------------===
 *
 * Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------------------------------------===
 *
 * The C ABI between compiled modules, their callers and the backends. C11; no
 * exception leaves it and nothing in it exits or aborts (but OpenMP's library
 * where it can start no thread). Include this header;
 * it brings in the tensor and the operations' parameters.
 *===--------------------------------------------------------------------------===*/

#ifndef MLA_RUNTIME_RUNTIME_H
#define MLA_RUNTIME_RUNTIME_H

#include "mla_runtime/params.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Version of everything in these headers. A module states the version that it
 * was compiled for; the loader refuses one of another major version. */
#define MLA_ABI_VERSION 1
#define MLA_VERSION_STRING "0.1.0"

/* Values of the fields rope_style, phase and rounding. */
enum { MLA_ROPE_NONE = 0, MLA_ROPE_INTERLEAVED = 1, MLA_ROPE_HALF = 2 };
enum { MLA_PHASE_NONE = 0, MLA_PHASE_CONTEXT = 1, MLA_PHASE_GENERATION = 2 };
enum { MLA_ROUNDING_DIRECT = 1, MLA_ROUNDING_THROUGH_INPUT_TYPE = 2 };

/* Elements of the i32 tensor that mla_schedule writes for B sequences. */
#define MLA_SCHEDULE_SIZE(B) (4096 + 2 * ((int64_t)(B) + 1))

/* What a call does. In CHECK and PLAN every call validates its arguments and
 * launches nothing; PLAN also records how much workspace the run will need. */
enum { MLA_MODE_RUN = 0, MLA_MODE_CHECK = 1, MLA_MODE_PLAN = 2 };

/*===--- Version and names
 * ----------------------------------------------------===*/

/* MLA_ABI_VERSION of the loaded library. */
MLA_EXPORT uint32_t mla_abi_version(void);
/* "OK", "INVALID_ARGUMENT", ...; "UNKNOWN" for a code that isn't one. */
MLA_EXPORT const char *mla_status_name(mla_status status);
/* "f32", "bf16", "f8E4M3FN", ... as MLIR spells them; "?" for a code that isn't
 * one. */
MLA_EXPORT const char *mla_dtype_name(uint32_t dtype);
/* The code of a name, MLA_DTYPE_NONE when there is none. */
MLA_EXPORT uint32_t mla_dtype_from_name(const char *name);
/* Size of one element in bits; 0 for a code that isn't one. */
MLA_EXPORT uint32_t mla_dtype_bits(uint32_t dtype);

/*===--- Context
 * --------------------------------------------------------------===*/

/* Makes a context for `backend` ("cpu", "cuda") and device number `device` (0
 * on the CPU). NOT_FOUND when the backend can't be had; mla_last_error(NULL)
 * says why. Use one context per concurrent stream: a context is not
 * thread-safe. */
MLA_EXPORT mla_status mla_context_create(const char *backend, int32_t device,
                                         mla_context **out);
/* Null is ignored. */
MLA_EXPORT void mla_context_destroy(mla_context *ctx);
/* The calling thread's CPU context whose workspace grows by itself, made on
 * first use. For functions marked {mla.host} and for tests; not for the hot
 * path. It prints its errors to stderr as they occur. What its arena handed out
 * lives until the next mla_begin or change of mode, or the thread's end. */
MLA_EXPORT mla_context *mla_context_default(void);
/* The backend's name. */
MLA_EXPORT const char *mla_context_backend(const mla_context *ctx);

/* A cudaStream_t; null is the default stream. Ignored by the CPU backend. */
MLA_EXPORT mla_status mla_context_set_stream(mla_context *ctx, void *stream);
MLA_EXPORT void *mla_context_stream(const mla_context *ctx);
/* MLA_MODE_*; RUN at first. Refused between mla_begin and mla_end. This and the
 * other settings work on a context with a sticky error and leave the error as
 * it is. */
MLA_EXPORT mla_status mla_context_set_mode(mla_context *ctx, int32_t mode);
/* Limit of streaming multiprocessors (or CPU threads); 0, and more than there
 * are: all. */
MLA_EXPORT mla_status mla_context_set_sm_limit(mla_context *ctx, int32_t limit);
/* Scratch memory of `bytes`, 256-byte aligned, on the context's device. The
 * caller keeps it alive; with data = NULL and bytes > 0 the runtime allocates
 * and owns it; bytes = 0 takes it away. */
MLA_EXPORT mla_status mla_context_set_workspace(mla_context *ctx, void *data,
                                                uint64_t bytes);
/* Most bytes that any call sequence between mla_begin and mla_end took since
 * the mode was last set: set PLAN, call the entry, ask. */
MLA_EXPORT uint64_t mla_context_workspace_high_water(const mla_context *ctx);
/* Does now what the first calls would do lazily (load kernels, find
 * heuristics). */
MLA_EXPORT mla_status mla_warmup(mla_context *ctx);
/* Waits for the stream and returns DATA_ERROR with a text when a call met a bad
 * page, slot or position since the last check, and forgets it. That status does
 * not stick: its text is mla_last_error's until the next operation, mla_begin,
 * check or mla_context_clear_error. Synchronises. */
MLA_EXPORT mla_status mla_context_check(mla_context *ctx);

/* Text of the context's sticky error (or of what mla_context_check found), ""
 * when there is none; one line; to be read before the next call on the context,
 * which may put another in its place. With NULL: the
 * calling thread's last error outside any context. */
MLA_EXPORT const char *mla_last_error(const mla_context *ctx);
/* Prints the sticky status as one line on standard output, "mla: OK" or
 * "mla: INVALID_ARGUMENT: <text>", and returns it: how a function that runs
 * under mlir-runner shows what became of it. */
MLA_EXPORT mla_status mla_context_report(const mla_context *ctx);
/* The sticky status. */
MLA_EXPORT mla_status mla_context_status(const mla_context *ctx);
/* Forgets the sticky error. mla_begin does so too. */
MLA_EXPORT void mla_context_clear_error(mla_context *ctx);

/*===--- Entries
 * --------------------------------------------------------------===*/

/* Every entry of a compiled module. `args` are in the manifest's order, outputs
 * as destinations. */
typedef mla_status (*mla_entry_fn)(mla_context *ctx, const mla_tensor *args,
                                   int64_t num_args);

/* How an entry uses an argument. */
enum {
  MLA_ROLE_INPUT = 1,
  MLA_ROLE_OUTPUT = 2, /* written whole */
  MLA_ROLE_INOUT = 3,  /* a cache */
  MLA_ROLE_CONSTANT =
      4,              /* an input that never changes, such as a rotary table */
  MLA_ROLE_SCALAR = 5 /* a host i64 of rank 0, read by the call */
};

/* The elements are bytes of packed rows: those of a row side by side, rows at
 * multiples of 4 bytes. */
#define MLA_ARG_PACKED_ROWS 1u

/* What an entry asks of an argument; compiled modules carry a table of these.
 */
typedef struct mla_arg_spec {
  const char *name;
  uint32_t role;  /* MLA_ROLE_* */
  uint32_t dtype; /* MLA_DTYPE_* */
  int32_t rank;
  uint32_t flags; /* MLA_ARG_* */
  /* >= 0: static size. < 0: dynamic; equal negative numbers other than -1 must
   * have equal sizes in all arguments of the call. */
  int64_t dims[6];
} mla_arg_spec;

/* One entry and its arguments. Compiled modules export an array of these as
 * mla_module_entries; after the last comes one whose name is null. */
typedef struct mla_entry_spec {
  const char *name;
  const mla_arg_spec *args;
  int64_t num_args;
} mla_entry_spec;

/* Called by compiled entries. mla_begin clears the sticky error and the arena,
 * and checks number, dtypes, ranks, static dims, dims that must agree, strides
 * and flags; in RUN and CHECK also devices, null data, alignment, and that what
 * is written overlaps nothing else. So a PLAN needs no memory: only scalars
 * must have data. Entries don't nest. When it fails it has opened none, and the
 * caller returns its status without touching `args`. mla_end closes what
 * mla_begin opened and returns the status. */
MLA_EXPORT mla_status mla_begin(mla_context *ctx, const char *entry,
                                const mla_arg_spec *specs, int64_t num_specs,
                                const mla_tensor *args, int64_t num_args);
MLA_EXPORT mla_status mla_end(mla_context *ctx);
/* Takes `bytes` from the context's arena, 256-byte aligned, until mla_end. In
 * CHECK and PLAN the address is not to be dereferenced. On an error the sticky
 * status says so and the address is null. */
MLA_EXPORT void *mla_arena_alloc(mla_context *ctx, uint64_t bytes);

/*===--- Device memory, for callers without an allocator of their own
 * ---------===*/

/* 256-byte aligned; null with a sticky error when there is none left. */
MLA_EXPORT void *mla_device_alloc(mla_context *ctx, uint64_t bytes);
MLA_EXPORT void mla_device_free(mla_context *ctx, void *data);
/* Contiguous bytes between host and device, done when the call returns. */
MLA_EXPORT mla_status mla_upload(mla_context *ctx, void *device,
                                 const void *host, uint64_t bytes);
MLA_EXPORT mla_status mla_download(mla_context *ctx, void *host,
                                   const void *device, uint64_t bytes);

/*===--- Compiled modules
 * -----------------------------------------------------===*/

typedef struct mla_module mla_module;

/* Loads a shared object made by mla-compile. NOT_FOUND, or FAILED_PRECONDITION
 * for a module of another ABI or no module at all; mla_last_error(NULL) says
 * which. */
MLA_EXPORT mla_status mla_module_load(const char *path, mla_module **out);
MLA_EXPORT void mla_module_unload(mla_module *module);
/* The manifest, JSON; docs/runtime-abi.md gives its schema. */
MLA_EXPORT const char *mla_module_manifest(const mla_module *module);
/* Null when there is none; mla_last_error(NULL) lists those there are. */
MLA_EXPORT mla_entry_fn mla_module_entry(const mla_module *module,
                                         const char *name);
/* What the entry `entry` asks of its arguments, in the order of its `args`, and
 * their number in *count: how a caller finds arguments by name without reading
 * the manifest. Valid until the module is unloaded. Null, with *count = 0, when
 * there is no such entry or the module has no table of arguments, as those of
 * earlier compilers; mla_last_error(NULL) says which. Names of dynamic
 * dimensions are in the manifest only; here they are equal negative numbers. */
MLA_EXPORT const mla_arg_spec *mla_module_arguments(const mla_module *module,
                                                    const char *entry,
                                                    int64_t *count);

#ifdef __cplusplus
}
#endif

#endif /* MLA_RUNTIME_RUNTIME_H */
