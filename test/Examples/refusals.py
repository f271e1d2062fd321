# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the runtime says of a caller's mistakes; docs/troubleshooting.md quotes it.

    refusals.py MODULE MISTAKE...

Calls the only entry of MODULE, a core that mla-import made, once without a mistake and once
with each MISTAKE, and prints what came. Needs Python alone, with mla_runtime on its path.
"""

import ctypes
import struct
import sys

import mla_runtime

# One token of one sequence, the third; the cache has four pages.
SIZES = {"T": 1, "B": 1, "B+1": 2, "K": 4, "pages": 4, "max_pos": 256, "topk": 4}
CONTENTS = {"page_table": ("i", 0, 1, 2, 3), "kv_lens": ("i", 3), "cu_q": ("i", 0, 1),
            "latent_scale": ("f", 1), "pe_scale": ("f", 1), "query_scale": ("f", 1)}


class Arguments(dict):
    """Tensors by name, as an entry takes them, in memory of ctypes."""

    def __init__(self, entry):
        super().__init__()
        self.specs = {arg.name: arg for arg in entry.arguments}
        for name, arg in self.specs.items():
            if arg.role == "scalar":
                self[name] = 0
            else:
                self.make(name)
                self.fill(name, *CONTENTS.get(name, ("f",)))

    def make(self, name, shape=None, dtype=None, strides=None, skip=0):
        """Another tensor for an argument, its first element `skip` bytes into the memory."""
        arg = self.specs[name]
        shape = shape or [SIZES.get(size, size) for size in arg.shape]
        dtype = dtype or arg.dtype
        bits = mla_runtime.DTYPES[dtype][1]
        for size in shape:
            bits *= size
        memory = ctypes.create_string_buffer(2 * (bits // 8) + 256)
        start = -(-ctypes.addressof(memory) // 64) * 64 + skip
        self[name] = mla_runtime.Tensor(start, dtype, shape, strides, owner=memory)

    def fill(self, name, letter, *values):
        ctypes.memmove(self[name].struct.data,
                       struct.pack(f"={len(values)}{letter}", *values), 4 * len(values))


def shape(args):
    args.make("q", [1, 2, 160])


def sizes(args):
    args.make("c_kv", [3, 512])


def dtype(args):
    args.make("c_kv", dtype="f16")


def address(args):
    args.make("c_kv", skip=1)


def overlap(args):
    args["out"] = mla_runtime.Tensor(args["q"].struct.data, args["out"].dtype,
                                     args["out"].shape, owner=args["q"])


def rows(args):
    args.make("cache", strides=[64 * 658, 658, 1])


def page(args):
    args.fill("page_table", "i", 9)


def length(args):
    args.fill("kv_lens", "i", 300)


def table(args):
    args.make("cos_sin", [2, 64])


def scale(args):
    args.fill("latent_scale", "f", 0)


def hint(args):
    args["max_kv"] = 2


def workspace(args):
    """No mistake in the arguments: the context has none."""


def attempt(entry, mistake):
    """What a call with a mistake is answered."""
    args = Arguments(entry)
    mistake(args)
    with mla_runtime.Context("cpu") as ctx:
        try:
            if mistake is not workspace:
                entry.reserve(ctx, **args)
            entry(ctx, **args)
            ctx.check()
        except mla_runtime.Error as error:
            return f"{error.status_name}: {error}"
    return "OK"


def main(path, *mistakes):
    entry = mla_runtime.Module(path).entry()
    if attempt(entry, lambda args: None) != "OK":
        sys.exit("expected a call without a mistake to be done, got: "
                 + attempt(entry, lambda args: None))
    for name in mistakes:
        print(attempt(entry, globals()[name]))


main(*sys.argv[1:])
