#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dumped.py DUMP TENSOR: the dumped tensor is the recorded one, to 1e-5."""

import array
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Parity"))
import tamper

metadata, dumped = tamper.read(sys.argv[1])
goldens = pathlib.Path(tamper.__file__).resolve().parents[1] / "Data/goldens"
recorded = tamper.read(goldens / (metadata["model"] + ".safetensors"))[1]["out"]
dtype, shape, content = dumped[sys.argv[2]]
assert (dtype, shape) == recorded[:2], (dtype, shape)
got, expected = array.array("f", content), array.array("f", recorded[2])
error = sum((a - b) ** 2 for a, b in zip(got, expected))
assert error <= 1e-10 * sum(b * b for b in expected), error
