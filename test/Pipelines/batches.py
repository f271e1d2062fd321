#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Batches that every form of attention must compute alike.

    batches.py module [OPTIONS]       a module of one attention, to stdout
    batches.py inputs FILE [OPTIONS]  random inputs of it, with the output that the
                                      formula gives, in float64
    batches.py same FILE FILE NAME... exits 1 unless these tensors have the same bytes

The model has 2 heads, a latent of 16, nope and value parts of 6 and 5 columns, pages
of 4 rows in random order. Rows of the cache that belong to no key are NaN. A sequence
is HISTORY+NEW keys.
"""

import argparse
import json
import math
import random
import struct
import sys

H, L, N, V, P = 2, 16, 6, 5, 4
SCALE = 0.31


def parse(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["module", "inputs"])
    parser.add_argument("file", nargs="?")
    parser.add_argument("--sequences", default="9+1,0+1,13+1,0+11,5+6")
    parser.add_argument("--hints", action="store_true", help="the module takes hints")
    parser.add_argument("--padding", type=int, default=0, help="tokens of no sequence")
    parser.add_argument("--pe", type=int, default=4, help="R")
    parser.add_argument("--rope", choices=["interleaved", "half"])
    parser.add_argument("--sinks", action="store_true")
    parser.add_argument("--topk", type=int, default=0)
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--static", action="store_true", help="static T, B and K")
    parser.add_argument("--layers", type=int, default=1)
    args = parser.parse_args(arguments)
    args.batch = [
        tuple(map(int, each.split("+"))) for each in args.sequences.split(",") if each
    ]
    args.tokens = sum(new for _, new in args.batch) + args.padding
    args.pages = max([-(-(old + new) // P) for old, new in args.batch] or [1]) + 1
    return args


def operands(args):
    """(name, shape, element type) of the operands, then of the destinations. A dynamic
    size is the name of its symbol."""
    static = args.static
    t, b = (args.tokens, len(args.batch)) if static else ("T", "B")
    k, ends = (args.pages, b + 1) if static else ("K", "B+1")
    yield "q", [t, H, N + args.pe], args.dtype
    yield "c_kv", [t, L], args.dtype
    if args.pe:
        yield "k_pe", [t, args.pe], args.dtype
    yield "w_kv_b", [H, N + V, L], args.dtype
    yield "page_table", [b, k], "i32"
    yield "kv_lens", [b], "i32"
    yield "cu_q", [ends], "i32"
    if args.rope:
        yield "cos_sin", ["max_pos", args.pe], "f32"
    if args.sinks:
        yield "sinks", [H], "f32"
    if args.topk:
        yield "indices", [t, args.topk], "i32"
    yield "out", [t, H, V], args.dtype
    yield "cache", ["pages", P, L + args.pe], args.dtype


def tensor(shape, element):
    sizes = ["?" if isinstance(size, str) else str(size) for size in shape]
    return f"tensor<{'x'.join(sizes + [element])}>"


def module(args, file=sys.stdout):
    """Several layers share everything but the cache and the output, which have one more
    dimension then."""
    shapes = {name: shape for name, shape, _ in operands(args)}
    elements = {name: element for name, _, element in operands(args)}
    roles = {"out": "output", "cache": "inout"}
    scalars = ["max_kv"]
    if args.hints:
        scalars += ["num_generation_seqs", "num_generation_tokens"]
    attributes = [f"softmax_scale = {SCALE} : f64"]
    if args.rope:
        attributes.append(f"rope = #mla.rope<{args.rope}, head_dim = {args.pe}>")
    types = {name: tensor(shape, elements[name]) for name, shape in shapes.items()}
    whole = dict(types)
    lines, signature = [], []
    for name, shape in shapes.items():
        if name in roles and args.layers > 1:
            shape = [args.layers, *shape]
            whole[name] = tensor(shape, elements[name])
        dims = ", ".join(f'"{size if isinstance(size, str) else ""}"' for size in shape)
        signature.append(
            f'%{name}: {whole[name]} {{mla.dims = [{dims}], mla.name = "{name}", '
            f'mla.role = "{roles.get(name, "input")}"}}'
        )
    signature[-2:-2] = [f'%{name}: index {{mla.name = "{name}"}}' for name in scalars]

    def part(name, layer):
        sizes = [f"%{s}" if isinstance(s, str) else str(s) for s in shapes[name]]
        zeros, ones = ", 0" * len(sizes), ", 1" * len(sizes)
        return f"[{layer}{zeros}] [1, {', '.join(sizes)}] [1{ones}]"

    if args.layers > 1:
        lines.append("%c1 = arith.constant 1 : index")
        for name in roles:
            if isinstance(shapes[name][0], str):
                symbol = shapes[name][0]
                lines.append(f"%{symbol} = tensor.dim %{name}, %c1 : {whole[name]}")
    inputs = [f"{n} = %{n} : {kind}" for n, kind in types.items() if n not in roles]
    inputs += [f"{n} = %{n} : index" for n in scalars]
    now = {name: f"%{name}" for name in roles}
    for layer in range(args.layers):
        mine = dict(now)
        if args.layers > 1:
            for name in roles:
                mine[name] = f"%{name}{layer}"
                lines.append(
                    f"{mine[name]} = tensor.extract_slice {now[name]}{part(name, layer)} "
                    f": {whole[name]} to {types[name]}"
                )
        outs = ", ".join(f"{name} = {mine[name]} : {types[name]}" for name in roles)
        lines.append(
            f"%r{layer}:2 = mla.attention ins({', '.join(inputs)}) outs({outs}) "
            f"{{{', '.join(attributes)}}}"
        )
        for index, name in enumerate(roles):
            result = f"%r{layer}#{index}"
            if args.layers > 1:
                lines.append(
                    f"%{name}_after{layer} = tensor.insert_slice {result} into "
                    f"{now[name]}{part(name, layer)} : {types[name]} into {whole[name]}"
                )
                result = f"%{name}_after{layer}"
            now[name] = result
    results = ", ".join(whole[name] for name in roles)
    lines.append(f"return {', '.join(now.values())} : {results}")
    print(f"func.func @attention({', '.join(signature)}) -> ({results}) {{", file=file)
    for line in lines:
        print(f"  {line}", file=file)
    print("}", file=file)


def write(path, tensors):
    """tensors: {name: (dtype, shape, flat values)}"""
    header, data = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        content = struct.pack(f"<{len(values)}{'i' if dtype == 'I32' else 'f'}", *values)
        header[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: (entry["dtype"], entry["shape"], data[8 + size :][slice(*entry["data_offsets"])])
        for name, entry in header.items()
    }


def rotate(row, cos_sin, style):
    if not style:
        return row
    half = len(row) // 2
    result = list(row)
    for i in range(half):
        a, b = (2 * i, 2 * i + 1) if style == "interleaved" else (i, i + half)
        cos, sin = cos_sin[i], cos_sin[half + i]
        result[a] = row[a] * cos - row[b] * sin
        result[b] = row[b] * cos + row[a] * sin
    return result


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b))


def attend(query, keys, weights, sink):
    """One head's output for one token; keys are (latent, rotated pe)."""
    logits = []
    for latent, pe in keys:
        nope = [dot(row, latent) for row in weights[:N]]
        logits.append(SCALE * dot(query, nope + pe))
    top = max(logits + ([sink] if sink is not None else []), default=0)
    total = math.fsum(math.exp(x - top) for x in logits)
    if sink is not None:
        total += math.exp(sink - top)
    result = [0.0] * V
    for logit, (latent, _) in zip(logits, keys):
        for i, row in enumerate(weights[N:]):
            result[i] += math.exp(logit - top) / total * dot(row, latent)
    return result


def inputs(args):
    rng = random.Random(args.sequences + str(args.topk))
    # What f32 holds, so that the expected output is that of the inputs.
    number = lambda: struct.unpack("<f", struct.pack("<f", rng.gauss(0, 1)))[0]
    rows = lambda count, width: [[number() for _ in range(width)] for _ in range(count)]
    flat = lambda nested: [x for row in nested for x in row]

    b, t, pages = len(args.batch), args.tokens, args.pages
    q = rows(t * H, N + args.pe)
    c_kv, k_pe = rows(t, L), rows(t, args.pe)
    weights = [rows(N + V, L) for _ in range(H)]
    sinks = [number() for _ in range(H)] if args.sinks else [None] * H
    longest = pages * P
    table = []
    for position in range(longest):
        angles = [position / 10 ** (i / 2) for i in range(args.pe // 2)]
        row = [math.cos(x) for x in angles] + [math.sin(x) for x in angles]
        table.append([struct.unpack("<f", struct.pack("<f", x))[0] for x in row])
    order = list(range(b * pages))
    rng.shuffle(order)
    page_table = [order[i * pages : (i + 1) * pages] for i in range(b)]
    cache = [[math.nan] * (L + args.pe) for _ in range(max(b * pages, 1) * P)]

    cu_q, out, indices = [0], [[0.0] * V for _ in range(t * H)], []
    for (old, new), own in zip(args.batch, page_table):
        first = cu_q[-1]
        cu_q.append(first + new)
        keys = []
        for position in range(old + new):
            if position < old:
                # History is in the cache, rotated already.
                row = rows(1, L + args.pe)[0]
                cache[own[position // P] * P + position % P] = row
                keys.append((row[:L], row[L:]))
            else:
                token = first + position - old
                pe = rotate(k_pe[token], table[position], args.rope)
                keys.append((c_kv[token], pe))
        for i in range(new):
            token, position = first + i, old + i
            seen = list(range(position + 1))
            if args.topk:
                # Some that aren't visible, too, and none at all for one token.
                chosen = rng.sample(range(old + new + 3), min(args.topk, old + new + 3))
                if token == 2:
                    chosen = []
                indices.append(chosen + [-1] * (args.topk - len(chosen)))
                seen = [x for x in chosen if x <= position]
            for h in range(H):
                row = q[token * H + h]
                query = row[:N] + rotate(row[N:], table[position], args.rope)
                out[token * H + h] = attend(
                    query, [keys[x] for x in seen], weights[h], sinks[h]
                )
    indices += [[-1] * args.topk for _ in range(args.padding)]

    tensors = {
        "q": ("F32", [t, H, N + args.pe], flat(q)),
        "c_kv": ("F32", [t, L], flat(c_kv)),
        "w_kv_b": ("F32", [H, N + V, L], flat(map(flat, weights))),
        "page_table": ("I32", [b, pages], flat(page_table)),
        "kv_lens": ("I32", [b], [old + new for old, new in args.batch]),
        "cu_q": ("I32", [b + 1], cu_q),
        "out": ("F32", [t, H, V], flat(out)),
        "cache": ("F32", [len(cache) // P, P, L + args.pe], flat(cache)),
    }
    if args.pe:
        tensors["k_pe"] = ("F32", [t, args.pe], flat(k_pe))
    if args.rope:
        tensors["cos_sin"] = ("F32", [longest, args.pe], flat(table))
    if args.sinks:
        tensors["sinks"] = ("F32", [H], sinks)
    if args.topk:
        tensors["indices"] = ("I32", [t, args.topk], flat(indices))
    if args.layers > 1:
        for name in ["out", "cache"]:
            dtype, shape, values = tensors[name]
            tensors[name] = (dtype, [args.layers] + shape, values * args.layers)
    write(args.file, tensors)


def same(first, second, names):
    first, second = read(first), read(second)
    for name in names:
        if first[name] != second[name]:
            sys.exit(f"{name}: expected the same bytes, got others")


if __name__ == "__main__":
    if sys.argv[1] == "same":
        same(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        arguments = parse(sys.argv[1:])
        module(arguments) if arguments.command == "module" else inputs(arguments)
