#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes a folder that tests the CUDA backend on a machine without a compiler.

    pack.py BUILD_DIR FOLDER

The folder replaces what was there, if that was one. run-gpu-tests in it says what it needs.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
MAX_MIB = 48
COMPONENT = "mla-gpu-pack"
MARK = "pack.txt"

EVERY_CACHE = "--cache=same,fp8,fp8_query,fp8_block"
# Every form, type, cache and page size, with the recorded heads.
WHOLE = ["--dtype=f32,bf16,f16", EVERY_CACHE, "--page-size=1,16,64",
         "--forms=absorbed,expanded,chunked-5,auto"]
# Other numbers of heads; the float64 references of the larger take their time.
HEADS = ["--dtype=bf16,f32", EVERY_CACHE, "--page-size=64", "--forms=absorbed,expanded"]
HEADED = ("deepseek_v3", "glm5_next", "hy_v4", "kimi_linear", "minicpm3", "mistral4")
SANITIZED = ["--dtype=bf16", "--cache=same,fp8_block", "--page-size=16",
             "--forms=absorbed,chunked-5"]


class Failure(Exception):
    pass


def run(*command):
    result = subprocess.run([str(word) for word in command], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode:
        raise Failure(f"{' '.join(map(str, command))}: expected exit status 0, got "
                      f"{result.returncode}:\n{result.stdout}")
    return result.stdout


def setting(build, name):
    match = re.search(rf"^{name}:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.M)
    return match[1] if match else ""


def make_empty(folder):
    """Only a pack is replaced, so that a mistyped folder loses nothing."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise Failure(f"{folder}: expected an empty folder or a pack, got one with other files")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def install(build, folder):
    """Programs and libraries, stripped, and without a link: not every way to another
    machine keeps links."""
    run("cmake", "--install", build, "--component", COMPONENT, "--prefix", folder, "--strip")
    libraries = folder / "lib"
    keep = {"libmla_runtime.so.0", "libmla_runtime_cuda.so"}
    files = {path.name: path.resolve() for path in libraries.iterdir() if path.name in keep}
    if files.keys() != keep:
        raise Failure(f"{libraries}: expected {', '.join(sorted(keep))}, got "
                      f"{', '.join(sorted(files)) or 'none'}; is the CUDA backend built?")
    whole = {name: path.read_bytes() for name, path in files.items()}
    shutil.rmtree(libraries)
    libraries.mkdir()
    for name, content in whole.items():
        (libraries / name).write_bytes(content)
        (libraries / name).chmod(0o755)
    # The one library of the compiler's that a bare machine may lack.
    needed = run("ldd", libraries / "libmla_runtime.so.0")
    openmp = re.search(r"libgomp\.so\.1 => (\S+)", needed)
    if openmp:
        shutil.copy(openmp[1], libraries / "libgomp.so.1")


def add_parity(build, folder):
    """As one archive: modules shrink to a fifth, and a golden of several bundles is there
    once."""
    with tempfile.TemporaryDirectory() as scratch:
        bundles = pathlib.Path(scratch) / "parity"
        build_bundles(build, bundles)
        first = {}
        for path in bundles.rglob("*.safetensors"):
            if first.setdefault(path.name, path) != path:
                path.unlink()
                path.hardlink_to(first[path.name])
        with tarfile.open(folder / "parity.tar.gz", "w:gz") as archive:
            archive.add(bundles, "parity")


def build_bundles(build, folder):
    goldens = sorted((SOURCE / "test/Data/goldens").glob("*.safetensors"))
    by_name = {golden.stem: golden for golden in goldens}
    bundles = [(golden.stem, [golden], WHOLE) for golden in goldens]
    for heads in (3, 20, 128):
        for name in HEADED:
            bundles.append((f"{name}_h{heads}", [by_name[name]], [*HEADS, f"--heads={heads}"]))
    bundles.append(("sanitize", [by_name["deepseek_v3"], by_name["kimi_linear"]], SANITIZED))

    def make(bundle):
        name, files, options = bundle
        run(build / "bin/mla-parity", "build", *files, "-o", folder / name, *options)

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(make, bundles))
    # What the modules were compiled from is for reading.
    for path in folder.rglob("*.mlir"):
        path.unlink()


def add_steps(build, folder):
    steps = sorted((build / "test/Gpu/graph/steps").glob("*.so"))
    if not steps:
        raise Failure("steps: expected compiled decode steps in the build, got none; is the "
                      "compiler built?")
    (folder / "steps").mkdir()
    for path in steps:
        shutil.copy(path, folder / "steps")


def add_scripts(folder):
    for name in ("run-gpu-tests", "check-tools"):
        shutil.copy(HERE / name, folder)
    python = folder / "share/mla/python"
    python.mkdir(parents=True)
    shutil.copy(SOURCE / "runtime/python/mla_runtime.py", python)


def write_mark(build, folder):
    """What results are of."""
    git = subprocess.run(["git", "-C", SOURCE, "describe", "--always", "--dirty", "--abbrev=40"],
                         text=True, capture_output=True)
    compiler = setting(build, "CMAKE_CUDA_COMPILER")
    version = re.search(r"release ([\d.]+)", run(compiler, "--version")) if compiler else None
    (folder / MARK).write_text(f"commit={git.stdout.strip() or 'unknown'}\n"
                               f"cuda={version[1] if version else 'none'}\n")


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def check_size(folder, max_mib=MAX_MIB):
    """Refuses a pack that is too large, and names what takes the space."""
    size = size_of(folder)
    if size > max_mib << 20:
        parts = sorted(((size_of(path) if path.is_dir() else path.stat().st_size, path.name)
                        for path in folder.iterdir()), reverse=True)
        listed = ", ".join(f"{name} {part / 2**20:.1f}" for part, name in parts[:5])
        raise Failure(f"{folder}: expected at most {max_mib} MiB, got {size / 2**20:.1f} "
                      f"({listed})")
    return size


def make_pack(build, folder):
    make_empty(folder)
    write_mark(build, folder)
    install(build, folder)
    add_steps(build, folder)
    add_parity(build, folder)
    add_scripts(folder)
    return check_size(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    try:
        size = make_pack(options.build.resolve(), options.folder.resolve())
    except Failure as failure:
        print(f"gpu-pack: error: {failure}", file=sys.stderr)
        return 1
    print(f"{options.folder}: {size / 2**20:.1f} MiB; on a machine with a GPU: "
          f"{options.folder}/run-gpu-tests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
