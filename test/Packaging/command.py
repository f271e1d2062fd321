# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Commands that must do as expected."""

import subprocess


class Failure(Exception):
    pass


def run(command, expected=0, **options):
    result = subprocess.run([str(word) for word in command], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if result.returncode != expected:
        raise Failure(f"{' '.join(map(str, command))}: expected exit status {expected}, "
                      f"got {result.returncode}:\n{result.stdout}")
    return result.stdout


def expect(condition, sentence):
    if not condition:
        raise Failure(sentence)
