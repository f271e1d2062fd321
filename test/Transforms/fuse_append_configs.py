# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""mla-fuse-append makes of granularity=fine what granularity=fused gives, to the letter.

For every config of the folder, both phases, every format of the cache, both roundings
and every form; canonicalized too, in the absorbed form, where the two granularities
are first seen to differ and fusing what is fused to change nothing.
"""

import concurrent.futures
import glob
import os
import subprocess
import sys

CONFIGS = 14
SCALE = "softmax_scale = "
THROUGH = "rounding = #mla.rounding<through_input_type>, softmax_scale = "
# Forms, and the formats of the cache that each has.
FORMS = [
    ("form=absorbed", "same,fp8,fp8_query,fp8_block"),
    ("form=auto", "same,fp8,fp8_query,fp8_block"),
    ("form=expanded chunk-length=4096", "same,fp8,fp8_block"),
]


def run(*command, given=None):
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: expected exit 0, got {done.returncode}: {done.stderr}")
    return done.stdout


def check(config):
    imported = {}
    for form, caches in FORMS:
        if caches not in imported:
            text = run("mla-import", config, "--phase=both", "--hints", "--cache=" + caches)
            other = text.replace("@attention", "@through").replace(SCALE, THROUGH)
            imported[caches] = run("mla-opt", "-", given=text + other)
        core = imported[caches]
        fine = f"--mla-decompose={form} granularity=fine"
        fused = run("mla-opt", "-", "--mla-decompose=" + form, given=core)
        if run("mla-opt", "-", fine, "--mla-fuse-append", given=core) != fused:
            sys.exit(f"{config}: {form}: expected the IR of granularity=fused, got another")
        if form != "form=absorbed":
            continue
        if run("mla-opt", "-", fine, given=core) == fused:
            sys.exit(f"{config}: expected granularity=fine to give another IR, got the same")
        if run("mla-opt", "-", "--mla-fuse-append", given=fused) != fused:
            sys.exit(f"{config}: expected nothing to fuse in what is fused, got another IR")
        canonical = run("mla-opt", "-", "--canonicalize", given=fused)
        if run("mla-opt", "-", fine, "--canonicalize", "--mla-fuse-append", "--canonicalize",
               given=core) != canonical:
            sys.exit(f"{config}: expected the canonical IR of granularity=fused, got another")


def main():
    configs = sorted(glob.glob(os.path.join(sys.argv[1], "*.json")))
    if len(configs) != CONFIGS:
        sys.exit(f"{sys.argv[1]}: expected {CONFIGS} configs, got {len(configs)}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(check, configs))
    print(f"{len(configs)} configs: equal")


if __name__ == "__main__":
    main()
