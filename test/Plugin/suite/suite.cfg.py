# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tests of mla-opt once more, by a stock mlir-opt and MLAPlugin.so.

bin/mla-opt stands in for the project's own, which isn't on this suite's PATH.
Parameters: plugin=FILE instead of the one that was built, exec_root=DIR for what
the tests write.
"""

import os

DIRECTORIES = {"Conversion", "IR", "Pipelines", "Runner", "Transforms"}

# Tests of these directories that don't run here, and why.
ELSEWHERE = {
    "side_effects.mlir": "the main suite has it use the plugin, for one of mlir-opt's own test passes",
}

suite_dir = os.path.dirname(__file__)

config.name = "MLA-Plugin"
config.suffixes = [".mlir"]
config.excludes = list(ELSEWHERE) + [
    name for name in os.listdir(config.test_source_root) if name not in DIRECTORIES
]
config.test_exec_root = lit_config.params.get(
    "exec_root", os.path.join(config.mla_obj, "test", "Plugin", "suite")
)
config.environment["MLA_PLUGIN"] = lit_config.params.get(
    "plugin", os.path.join(config.mla_obj, "lib", "MLAPlugin.so")
)
own_bin = os.path.join(config.mla_obj, "bin")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(suite_dir, "bin")]
    + [entry for entry in config.environment["PATH"].split(os.pathsep) if entry != own_bin]
)
