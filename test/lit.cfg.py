# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of the IR and of the tools.

The project's tools, FileCheck, not and mlir-opt-22 are called by name.
Substitutions:
  %mla_src       the source tree
  %exits N       runs the command that follows, whose exit status must be N
  %shlibdir      where the project's shared libraries are
  %mla_runtime   the runtime's library, for --shared-libs
  %mlir_libdir   where MLIR's own runner libraries are
  %mlir_runner   the stock mlir-runner
  %plugin        MLAPlugin.so
  %other_mlir_opt  an mlir-opt of another LLVM
  %mla_obj       the build tree
  %lit           lit itself
Features: cuda (our CUDA backend is built and makes a context here), sanitize,
other-mlir-opt and mlir-minimal-opt (there is one).
"""

import os
import shutil
import subprocess
import sys

import lit.formats

config.name = "MLA"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Benchmark", "Data", "Faults", "Fuzz", "Layout", "Packaging", "Runtime", "Unit"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.mla_obj, "test")

bin_dir = os.path.join(config.mla_obj, "bin")
lib_dir = os.path.join(config.mla_obj, "lib")

# lit passes on only the variables that it lists: a user's MLA_TRACE or
# SKIP_ROPE_IN_MLA_GENERATION reaches no test.
config.environment["PATH"] = os.pathsep.join(
    [bin_dir, config.llvm_tools_dir, config.environment["PATH"]]
)
config.environment["FILECHECK_OPTS"] = "-enable-var-scope --dump-input=fail"

config.substitutions += [
    ("%mla_src", config.mla_src),
    ("%exits", "python3 " + os.path.join(config.mla_src, "test", "Tools", "exits.py")),
    ("%shlibdir", lib_dir),
    ("%mla_runtime", os.path.join(lib_dir, "libmla_runtime.so")),
    ("%mlir_libdir", config.llvm_lib_dir),
    ("%mlir_runner", os.path.join(config.llvm_tools_dir, "mlir-runner")),
    ("%plugin", os.path.join(lib_dir, "MLAPlugin.so")),
    ("%lit", f"{sys.executable} {os.path.abspath(sys.argv[0])}"),
    ("%mla_obj", config.mla_obj),
]


# The CPU backend's loops are those for AVX2, where there is no AVX-512.
try:
    with open("/proc/cpuinfo") as file:
        flags = set(file.read().split())
except OSError:
    flags = set()
if "avx2" in flags and not {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags:
    config.available_features.add("avx2-rows")

# Where the CUDA backend is built, the probe is too.
probe = os.path.join(bin_dir, "mla-cuda-probe")
if os.path.exists(probe):
    attempt = subprocess.run([probe], stdout=subprocess.PIPE, text=True)
    if attempt.returncode == 0:
        config.available_features.add("cuda")
    elif attempt.returncode != 77:
        lit_config.fatal(f"{probe}: expected exit 0 or 77, got {attempt.returncode}")

# Of Debian's names, in any version but ours.
mlir_opt = os.path.realpath(os.path.join(config.llvm_tools_dir, "mlir-opt"))
others = filter(None, (shutil.which(f"mlir-opt-{version}") for version in range(16, 31)))
others = [other for other in others if os.path.realpath(other) != mlir_opt]
config.substitutions.append(("%other_mlir_opt", others[0] if others else "false"))
# None of these loads an instrumented plugin.
if not config.mla_sanitize:
    if others:
        config.available_features.add("other-mlir-opt")
    if os.path.exists(os.path.join(config.llvm_tools_dir, "mlir-minimal-opt")):
        config.available_features.add("mlir-minimal-opt")

if config.mla_sanitize:
    config.available_features.add("sanitize")
    # libMLIR is not instrumented, so containers that cross into it look wrong,
    # memory that our inlined allocators poison is handed out again there,
    # and what it keeps until exit looks lost.
    config.environment["ASAN_OPTIONS"] = (
        "detect_container_overflow=0:detect_leaks=0:allow_user_poisoning=0"
    )
