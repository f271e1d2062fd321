# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an install tree holds, and what must not be in it."""

import re

from command import expect, run

RUNTIME_LAYOUT = r"""
bin/mla-(run|parity|bench)
include/mla_runtime/\w+\.h
include/mla_runtime/ops\.def
LIB/libmla_runtime\.so(\.\d+)*
LIB/cmake/MLA/MLA(Config|ConfigVersion|FindMLIR|RuntimeTargets(-\w+)?)\.cmake
LIB/pkgconfig/mla_runtime\.pc
share/mla/python/mla_runtime\.py
"""
CUDA_LAYOUT = r"""
LIB/libmla_runtime_cuda\.so(\.\d+)*
LIB/cmake/MLA/MLARuntimeCUDATargets(-\w+)?\.cmake
"""
COMPILER_LAYOUT = r"""
bin/mla-(opt|import|compile|lsp-server)
include/mla/(\w+/)*\w+\.(h|td|h\.inc|cpp\.inc)
include/mla-c/[\w.]+\.(h|inc)
LIB/libMLA\w+\.a
LIB/libmla_runtime_io\.a
LIB/MLAPlugin(Impl)?\.so
LIB/cmake/MLA/MLACompilerTargets(-\w+)?\.cmake
"""


def check_layout(package, prefix, patterns):
    patterns = [line.replace("LIB/", package.libdir + "/") for line in patterns.split()]
    unused = set(patterns)
    for path in sorted(prefix.rglob("*")):
        name = str(path.relative_to(prefix))
        if path.is_dir() and not path.is_symlink():
            expect(any(path.iterdir()), f"{name}: expected files in this folder, got none")
            continue
        fitting = [pattern for pattern in patterns if re.fullmatch(pattern, name)]
        expect(fitting, f"{name}: expected no such file in the install tree, got one")
        unused -= set(fitting)
    expect(not unused, f"expected installed files like {sorted(unused)}, got none")


def check_no_places(package, prefix):
    """No file that others read names a folder of this build, or a prefix that isn't
    there any more; programs look for libraries in none."""
    places = [str(package.source), str(package.build), str(package.work)]
    for path in sorted(prefix.rglob("*")):
        name = path.relative_to(prefix)
        if path.suffix in (".cmake", ".pc", ".h", ".inc", ".td", ".def", ".py"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                for place in places:
                    expect(place not in line, f"{name}:{number}: expected no folder of the "
                           f"build, got: {line.strip()}")
        elif path.is_file() and (path.parent.name == "bin" or ".so" in path.name):
            for line in run([package.readelf, "-d", path]).splitlines():
                for place in places:
                    expect("PATH" not in line or place not in line,
                           f"{name}: expected no folder of the build, got: {line.strip()}")


def check_search_path(package, library, expected):
    """A library looks for others in `expected` alone: not in a toolkit of the machine that
    built it."""
    lines = [line for line in run([package.readelf, "-d", library]).splitlines()
             if "PATH)" in line]
    expect(len(lines) == 1 and lines[0].endswith(f"[{expected}]"),
           f"{library.name}: expected the search path {expected}, got {lines or 'none'}")


def layout(package):
    """The install tree holds what it should, relocatable."""
    everything = RUNTIME_LAYOUT + (COMPILER_LAYOUT if package.has_compiler else "")
    if package.has_cuda:
        everything += CUDA_LAYOUT
        check_search_path(
            package, package.full / package.libdir / "libmla_runtime_cuda.so", "$ORIGIN")
    check_layout(package, package.full, everything)
    check_layout(package, package.runtime, RUNTIME_LAYOUT)
    check_no_places(package, package.full)
