# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The module says the same as the C headers."""

import ctypes
import re
import subprocess
import unittest

import support
from support import mla_runtime


class Layout(unittest.TestCase):
    def test_structs_are_those_of_the_c_compiler(self):
        printed = subprocess.run([str(support.BUILD / "bin/mla-print-offsets")],
                                 capture_output=True, text=True, check=True).stdout
        in_c = {what: int(value) for what, value in map(str.split, printed.splitlines())}
        structs = {"mla_tensor": mla_runtime.mla_tensor, **mla_runtime._PARAMS}
        in_python = {}
        for name, struct in structs.items():
            in_python[name] = ctypes.sizeof(struct)
            for field, _ in struct._fields_:
                in_python[f"{name}.{field}"] = getattr(struct, field).offset
        # In Python an entry's arguments are those of the manifest.
        in_c = {what: value for what, value in in_c.items()
                if not what.startswith(("mla_arg_spec", "mla_entry_spec"))}
        self.assertEqual(in_python, in_c)
        self.assertGreater(len(in_c), 140)

    def test_functions_exist_and_are_bound_or_left_out_on_purpose(self):
        include = support.SOURCE / "runtime/include/mla_runtime"
        header = (include / "runtime.h").read_text()
        declared = set(re.findall(r"MLA_EXPORT[^;(]*?\b(mla_\w+)\(", header))
        table = (include / "ops.def").read_text()
        operations = set(re.findall(r"^MLA_OP_BEGIN\((\w+), \d", table, re.M))
        left_out = {
            # Names are constants here.
            "mla_status_name", "mla_dtype_name", "mla_dtype_from_name", "mla_dtype_bits",
            # What Context and Module keep themselves.
            "mla_context_backend", "mla_context_stream", "mla_context_status",
            "mla_module_arguments",
            # For compiled code, and functions that mlir-runner runs.
            "mla_begin", "mla_end", "mla_arena_alloc", "mla_context_default",
            "mla_context_report",
            # Whoever has arrays has an allocator.
            "mla_device_alloc", "mla_device_free", "mla_upload", "mla_download",
        }
        bound = set(mla_runtime._SIGNATURES)
        self.assertEqual(declared - left_out, {name for name in bound
                                               if name[4:] not in operations})
        self.assertEqual(operations, set(mla_runtime._PARAMS))
        self.assertLessEqual(left_out, declared)
        for name in operations:
            self.assertTrue(getattr(mla_runtime, name).__doc__, name)

    def test_constants_are_the_headers(self):
        include = support.SOURCE / "runtime/include/mla_runtime"
        text = (include / "runtime.h").read_text() + (include / "tensor.h").read_text()
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        constants = {name: int(value) for name, value in
                     re.findall(r"\bMLA_([A-Z0-9_]+)\s*=\s*(\d+)", text)}
        self.assertGreater(len(constants), 30)
        for name, value in constants.items():
            kind, _, rest = name.partition("_")
            if kind == "STATUS":
                self.assertEqual(mla_runtime.STATUS_NAMES[value], rest)
            elif kind not in ("DTYPE", "ROLE"):  # there are names for these
                self.assertEqual(getattr(mla_runtime, name), value)
        self.assertEqual({code for code, _ in mla_runtime.DTYPES.values()} | {0},
                         {value for name, value in constants.items()
                          if name.startswith("DTYPE_")})

    def test_every_status_has_an_exception(self):
        for status, name in enumerate(mla_runtime.STATUS_NAMES):
            if status:
                error = mla_runtime._ERRORS[status]("text")
                self.assertEqual((error.status, error.status_name), (status, name))
        self.assertEqual(mla_runtime.STATUS_NAMES[0], "OK")

    def test_types_of_dlpack_are_those_of_the_header(self):
        text = (support.SOURCE / "runtime/include/mla_runtime/dlpack.h").read_text()
        table = text.split("types[] = {", 1)[1].split("};", 1)[0]
        types = [tuple(map(int, t)) for t in re.findall(r"\{(\d+), (\d+), (\d+)\}", table)]
        self.assertEqual(len(types), len(mla_runtime.DTYPES) + 1)
        expected = {name: types[code][:2] for name, (code, _) in mla_runtime.DTYPES.items()
                    if types[code][2] == 1}
        self.assertEqual({name: key for key, name in mla_runtime._BY_DLPACK.items()}, expected)

    def test_spellings_are_names_of_types(self):
        for spellings in (mla_runtime._BY_TYPESTR, mla_runtime._BY_NAME):
            self.assertLessEqual(set(spellings.values()), set(mla_runtime.DTYPES))

    def test_schedule_size_is_the_macro(self):
        header = (support.SOURCE / "runtime/include/mla_runtime/runtime.h").read_text()
        macro = re.search(r"#define MLA_SCHEDULE_SIZE\(B\) (.*)", header).group(1)
        for num_sequences in (0, 1, 7):
            value = eval(macro.replace("(int64_t)", ""), {"B": num_sequences})
            self.assertEqual(mla_runtime.schedule_size(num_sequences), value)


if __name__ == "__main__":
    unittest.main()
