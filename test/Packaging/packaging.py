#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Uses the project as others do: from an install prefix that was moved, from the build
tree, as a subdirectory and inside an LLVM build.

    packaging.py CHECK SETTINGS.json

Says what went wrong and exits 1 where something did.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import sys

from command import Failure, expect, run
from install_tree import layout

HERE = pathlib.Path(__file__).resolve().parent
# Where MLAFindMLIR.cmake looks by itself.
FOUND_MLIR = "/usr/lib/llvm-22/lib/cmake/mlir"


class Package:
    """What this build is, and where its copies are."""

    def __init__(self, settings):
        self.__dict__.update(json.loads(settings.read_text()))
        self.source = pathlib.Path(self.source)
        self.build = pathlib.Path(self.build)
        self.work = pathlib.Path(self.work)
        self.full = self.work / "full"
        self.runtime = self.work / "runtime"
        self.has_compiler = self.compiler == "ON"
        self.has_cuda = self.cuda == "ON"

    def configure(self, project, name, *options):
        """Configures a project of this folder in a fresh build folder."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        command = [self.cmake, "-S", HERE / project, "-B", folder, "-G", self.generator,
                   f"-DCMAKE_MAKE_PROGRAM={self.make_program}",
                   f"-DCMAKE_C_COMPILER={self.c_compiler}",
                   f"-DCMAKE_C_COMPILER_LAUNCHER={self.c_launcher}",
                   # Nobody's other packages.
                   "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF", "--no-warn-unused-cli", *options]
        if self.has_compiler:
            command += [f"-DCMAKE_CXX_COMPILER={self.cxx_compiler}",
                        f"-DCMAKE_CXX_COMPILER_LAUNCHER={self.cxx_launcher}"]
            if self.mlir_dir != FOUND_MLIR:
                command += [f"-DMLIR_DIR={self.mlir_dir}"]
        run(command)
        return folder

    def compile(self, folder, *targets):
        jobs = len(os.sched_getaffinity(0))
        command = [self.cmake, "--build", folder, "-j", str(jobs)]
        run(command + (["--target", *targets] if targets else []))

    def link_command(self, folder, target):
        """How a program would be linked, where the generator can say so."""
        if self.generator != "Ninja":
            return None
        return run([self.make_program, "-C", folder, "-t", "commands", target]).splitlines()[-1]


#===--- The install tree -------------------------------------------------------===#


def installed(package):
    """Everything can be installed, and the runtime alone; both prefixes are moved."""
    staging = package.work / "staging"
    for prefix in (staging, package.full, package.runtime):
        shutil.rmtree(prefix, ignore_errors=True)
    run([package.cmake, "--install", package.build, "--prefix", staging])
    staging.rename(package.full)
    run([package.cmake, "--install", package.build, "--prefix", staging,
         "--component", "mla-runtime"])
    staging.rename(package.runtime)


def import_core(package):
    core = package.work / "core.mlir"
    run([package.full / "bin/mla-import",
         package.source / "test/Data/configs/kimi_linear.json", "-o", core])
    return core


def tools(package):
    """Installed tools run, find each other and, for those that deploy, need no LLVM."""
    for prefix in (package.full, package.runtime):
        for path in sorted((prefix / "bin").iterdir()):
            output = run([path, "--version"])
            expect("22.1" in output or "no LLVM" in output,
                   f"{path.name} --version: expected what it is built on, got: {output}")
        for name in ("mla-run", "mla-parity", "mla-bench"):
            needed = run(["ldd", prefix / "bin" / name])
            expect(not re.search("LLVM|MLIR", needed), f"{name}: expected no LLVM, got:\n{needed}")
            found = re.search(r"libmla_runtime\.so\S* => (\S+)", needed)
            library = prefix / package.libdir / "libmla_runtime.so"
            expect(found and os.path.samefile(found[1], library),
                   f"{name}: expected {library}, got:\n{needed}")
    layer = HERE / "embed-compiler/layer.mlir"
    output = run([package.runtime / "bin/mla-run", layer, "--list"], expected=1)
    expect("expected mla-compile at" in output,
           f"mla-run: expected to miss mla-compile, got: {output}")
    if package.has_compiler:
        output = run([package.full / "bin/mla-run", import_core(package), "--list"])
        expect("w_kv_b" in output, f"mla-run: expected the core's arguments, got: {output}")


def refusals(package):
    """find_package(MLA) says in a sentence what it lacks, and finds what it has."""
    full = package.full if package.has_compiler else ""
    cuda = package.full if package.has_cuda else ""
    package.configure("refusals", "refusals", f"-DRUNTIME={package.runtime}", f"-DFULL={full}",
                      f"-DCUDA={cuda}")


def headers(package):
    """Every installed header compiles alone."""
    folder = package.configure(
        "headers", "headers", f"-DCMAKE_PREFIX_PATH={package.full}",
        f"-DMLA_PREFIX={package.full}", f"-DCOMPILER={'ON' if package.has_compiler else 'OFF'}")
    package.compile(folder)


#===--- Users ------------------------------------------------------------------===#


def embed_compiler(package):
    """A compiler with a dialect of its own, from the prefix; its module runs."""
    folder = package.configure("embed-compiler", "embed-compiler",
                               f"-DCMAKE_PREFIX_PATH={package.full}")
    package.compile(folder)
    layer = HERE / "embed-compiler/layer.mlir"
    text = run([folder / "acme-compile", layer])
    expect("llvm.call @mla_append" in text and "acme." not in text,
           f"acme-compile: expected calls of the runtime in LLVM's dialect, got:\n{text}")
    module = folder / "layer.so"
    run([folder / "acme-compile", layer, module])
    run([package.full / "bin/mla-run", module, "--random", "1", "--set", "T=5"])


def check_served(package, program):
    """The program runs a core, and says in the runtime's words that it has none."""
    if package.has_compiler:
        core = package.work / "core.so"
        run([package.full / "bin/mla-compile", "-o", core, "--heads=4", "--dtype=f32",
             f"--config={package.source}/test/Data/configs/kimi_linear.json"])
        output = run([program, core])
        expect("largest difference" in output,
               f"decode_loop: expected its comparison, got: {output}")
    output = run([program, "nothing.so"], expected=1)
    expect("expected a compiled module, got no readable file" in output,
           f"decode_loop: expected the loader's sentence, got: {output}")


def embed_runtime(package):
    """A C program, from the prefix of the runtime alone, with no LLVM in sight; by
    pkg-config too, where that is."""
    folder = package.configure(
        "embed-runtime", "embed-runtime", f"-DCMAKE_PREFIX_PATH={package.runtime}",
        "-DCMAKE_DISABLE_FIND_PACKAGE_MLIR=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_LLVM=ON")
    package.compile(folder)
    cache = (folder / "CMakeCache.txt").read_text()
    expect(not re.search(r"^(LLVM|MLIR)_DIR", cache, re.M),
           "embed-runtime: expected a build that doesn't look for LLVM, got one that does")
    check_served(package, folder / "decode_loop")

    if not shutil.which("pkg-config"):
        return
    library = package.runtime / package.libdir
    flags = run(["pkg-config", "--cflags", "--libs", "mla_runtime"],
                env=os.environ | {"PKG_CONFIG_PATH": str(library / "pkgconfig")}).split()
    program = package.work / "decode_loop"
    run([package.c_compiler, package.source / "test/Examples/decode_loop.c", "-o", program,
         *flags, "-lm", f"-Wl,-rpath,{library}"])
    check_served(package, program)


def c_api(package):
    """A C program that runs the pipeline, against MLA::CAPI of the prefix."""
    folder = package.configure("c-api", "c-api", f"-DCMAKE_PREFIX_PATH={package.full}",
                               f"-DPROGRAM={package.source}/test/CAPI/lower.c")
    package.compile(folder)
    text = run([folder / "program", "absorbed"], input=import_core(package).read_text())
    expect("llvm.call @mla_append" in text,
           f"lower.c: expected calls of the runtime in LLVM's dialect, got:\n{text}")


def build_tree(package):
    """find_package(MLA) from the build tree: the runtime whole, of the compiler what
    shows that headers and TableGen files are found."""
    directory = package.build / "lib/cmake/MLA"
    folder = package.configure("embed-compiler", "build-tree-compiler", f"-DMLA_DIR={directory}")
    package.compile(folder, "AcmeIncGen")
    command = package.link_command(folder, "acme-compile")
    expect(command is None or str(package.build) in command,
           f"acme-compile: expected libraries of the build tree, got: {command}")
    folder = package.configure("embed-runtime", "build-tree-runtime", f"-DMLA_DIR={directory}")
    package.compile(folder)
    run([folder / "decode_loop", "nothing.so"], expected=1)


def check_parent(package, folder):
    """Of the compiler only what is generated is built: the whole is what the project's
    own build is for."""
    package.compile(folder, "compiled")
    command = package.link_command(folder, "uses_compiler")
    if command is not None:
        expect("libMLAIR.a" in command and "libMLIR" in command and "-lM" not in command,
               f"uses_compiler: expected files of the libraries, got: {command}")


def add_subdirectory(package):
    """As a subdirectory."""
    folder = package.configure("add-subdirectory", "add-subdirectory",
                               f"-DMLA_SOURCE={package.source}")
    check_parent(package, folder)
    expect(not (folder / "mla/lib/cmake").exists(),
           "add_subdirectory: expected no package of the parent's build, got one")


def llvm_external(package):
    """As an external project of an LLVM build."""
    folder = package.configure("llvm-external", "llvm-external", "-DLLVM_EXTERNAL_PROJECTS=mla",
                               f"-DLLVM_EXTERNAL_MLA_SOURCE_DIR={package.source}")
    check_parent(package, folder)


CHECKS = {check.__name__: check for check in
          (installed, layout, tools, refusals, headers, embed_compiler, embed_runtime, c_api,
           build_tree, add_subdirectory, llvm_external)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("settings", type=pathlib.Path)
    options = parser.parse_args()
    try:
        CHECKS[options.check](Package(options.settings))
    except Failure as failure:
        print(failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
