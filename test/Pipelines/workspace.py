#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What intermediates take of the workspace, and whether they keep what is in them.

    workspace.py bound DIRECTORY PYTHON_DIRECTORY RUNTIME LAYERS... [OPTIONS of batches.py]
        the manifest's formula gives PLAN's high water, for forms and shapes, and that of
        many layers is that of one, but for what the layers share
    workspace.py bits DIRECTORY [OPTIONS of batches.py]
        sharing memory changes no byte, nor does NaN in what is dead; NaN in what isn't
        dead yet does

Prints a line for each form; exits 1 on a difference.
"""

import argparse
import itertools
import re
import subprocess
import sys

import batches

FORMS = ["absorbed", "expanded", "expanded 512", "auto", "auto 0"]


def run(command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout


def compile_module(source, form, output, *options):
    name, *chunk = form.split()
    chunk = [f"--chunk-length={length}" for length in chunk]
    run(["mla-compile", source, f"--form={name}", *chunk, *options, "-o", output])


def plan(runtime, module, sizes):
    """(what PLAN counts, what the manifest says) of a call with dims and scalars of these
    sizes."""
    entry = module.entry()
    names = dict(sizes)
    arguments = {}
    for argument in entry.arguments:
        if argument.role == "scalar":
            arguments[argument.name] = sizes[argument.name]
            continue
        shape = [eval(str(dim), {}, sizes) for dim in argument.shape]
        names[argument.name] = shape
        arguments[argument.name] = runtime.Tensor(None, argument.dtype, shape)
    counted = entry.plan(runtime.Context("cpu"), **arguments)
    workspace = module.manifest["entries"][0]["workspace"]
    if "formula" not in workspace:
        return counted, None
    said = eval(workspace["formula"], {"max": max, "min": min}, names)
    if workspace["bytes"] not in (None, said):
        sys.exit(f"workspace.bytes: expected {said}, got {workspace['bytes']}")
    return counted, said


def bound(args, options):
    sys.path.insert(0, args.python)
    import mla_runtime as runtime

    runtime.load_library(args.runtime)
    # The dims of DeepSeek-V3: nothing is run.
    batches.H, batches.L, batches.N, batches.V, batches.P = 128, 512, 128, 128, 64
    options = ["--pe", "64", "--rope", "interleaved", "--dtype", "bf16", *options]
    for form in FORMS:
        totals = {}
        for layers in args.layers:
            batch = batches.parse(["module", *options, "--layers", str(layers)])
            source = f"{args.directory}/bound.mlir"
            with open(source, "w") as file:
                batches.module(batch, file)
            output = f"{args.directory}/bound-{layers}-{form.replace(' ', '-')}.so"
            compile_module(source, form, output)
            module = runtime.Module(output)
            tokens, sequences = ([batch.tokens], [len(batch.batch)]) if batch.static else (
                [0, 1, 3, 32, 33, 1000], [1, 32])
            for t, b, k, bounds in itertools.product(tokens, sequences, [2, 70], [0, 65]):
                sizes = {"T": t, "B": b, "K": batch.pages if batch.static else k,
                         "max_pos": 8192, "pages": 100, "max_kv": bounds,
                         "num_generation_seqs": min(1, b), "num_generation_tokens": min(1, t)}
                counted, said = plan(runtime, module, sizes)
                if counted != said:
                    sys.exit(f"{form}, {layers} layers, {sizes}: expected the bound {counted} "
                             f"of PLAN, got {said}")
                totals.setdefault(tuple(sizes.items()), []).append(counted)
        for sizes, counted in totals.items():
            # Of a token a slot and a position; a schedule, in form=auto for each branch.
            schedules = {"absorbed": 1, "expanded": 0, "auto": 2}[form.split()[0]]
            shared = (2 * -(-dict(sizes)["T"] * 8 // 256)
                      + schedules * -(-(4096 + 2 * (dict(sizes)["B"] + 1)) * 4 // 256)) * 256
            if max(counted) > counted[0] + shared:
                sys.exit(f"{form}, {dict(sizes)}: expected {args.layers} layers in "
                         f"{counted[0]} + {shared} bytes, got {counted}")
        if max(map(max, totals.values())) == 0:
            sys.exit(f"{form}: expected intermediates, got none")
        # Layers that share nothing are no such thing, and have no bound.
        output = f"{args.directory}/separate-{form.replace(' ', '-')}.so"
        compile_module(source, form, output, "--workspace=separate")
        sizes = next(sizes for sizes in reversed(totals) if dict(sizes)["T"])
        separate, said = plan(runtime, runtime.Module(output), dict(sizes))
        if said is not None or separate <= max(totals[sizes]):
            sys.exit(f"{form}, {dict(sizes)}: expected --workspace=separate to take more than "
                     f"{max(totals[sizes])} and no bound, got {separate} and {said}")
        print(f"{form}: {len(totals)} shapes, {len(args.layers)} numbers of layers")


def spoil(text):
    """Modules with one NaN written an operation too early: that is the last that needs what
    was there. The last in the module comes first; one that nothing reads has no effect."""
    lines = text.split("\n")
    isView = lambda line: "memref.view" in line or "arith.constant" in line
    isFill = lambda line: "linalg.fill" in line and "memref<?xi32>" in line
    for fill in reversed([i for i, line in enumerate(lines) if isFill(line)]):
        first = fill
        while isView(lines[first - 1]):
            first -= 1
        use = first - 1
        while isView(lines[use]) or isFill(lines[use]):
            use -= 1
        if re.search(r"\b(mla|linalg)\.|\bcall @", lines[use]):
            yield "\n".join(lines[:use] + lines[first:fill + 1] + lines[use:first]
                            + lines[fill + 1:])


def bits(args, options):
    batch = batches.parse(["module", *options])
    source = f"{args.directory}/bits.mlir"
    with open(source, "w") as file:
        batches.module(batch, file)
    batch.file = f"{args.directory}/bits.safetensors"
    batches.inputs(batch)

    def result(form, name, *flags, source=source, mayFail=False):
        stem = f"{args.directory}/{name}-{form.replace(' ', '-')}"
        compile_module(source, form, f"{stem}.so", *flags)
        scalars = [f"--set={each}=1" for each in
                   (["num_generation_seqs", "num_generation_tokens"] if batch.hints else [])]
        command = ["mla-run", f"{stem}.so", "--input", batch.file, "--poison", *scalars,
                   "--set=max_kv=0", "--output", f"{stem}.safetensors"]
        # A position that is NaN's bits is refused.
        if mayFail and subprocess.run(command, capture_output=True).returncode == 1:
            return None
        run(command)
        return batches.read(f"{stem}.safetensors")

    for form in ["absorbed", "expanded 5", "auto"]:
        separate = result(form, "separate", "--workspace=separate")
        for kind in ["shared", "poisoned"]:
            if result(form, kind, f"--workspace={kind}") != separate:
                sys.exit(f"{form}: expected the bytes of --workspace=separate with {kind}, got "
                         "others")
        name, *chunk = form.split()
        pipeline = " ".join([f"form={name}"] + [f"chunk-length={n}" for n in chunk])
        buffers = run(["mla-opt", source, f"--mla-bufferize={pipeline}"])
        planned = run(["mla-opt", "-", "--mla-plan-workspace=poison-dead"], input=buffers)
        changed = f"{args.directory}/changed.mlir"

        def isSame(text, mayFail=True):
            with open(changed, "w") as file:
                file.write(text)
            return result(form, "changed", source=changed, mayFail=mayFail) == separate

        if not isSame(planned, mayFail=False):
            sys.exit(f"{form}: expected the same bytes with NaN in what is dead, got others")
        if all(map(isSame, spoil(planned))):
            sys.exit(f"{form}: expected other bytes with a lifetime too short, got the same")
        print(f"{form}: the same bytes")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("bound")
    command.add_argument("directory")
    command.add_argument("python")
    command.add_argument("runtime")
    command.add_argument("layers", type=int, nargs="+")
    commands.add_parser("bits").add_argument("directory")
    args, options = parser.parse_known_args()
    {"bound": bound, "bits": bits}[args.command](args, options)


if __name__ == "__main__":
    main()
