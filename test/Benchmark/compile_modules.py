# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Modules of many attentions, as text: what compile_time.py compiles.

Bufferization is about cubic in what shares a buffer, unless the pipeline prevents it: caches
that all layers share are the hard case.
"""

SHARED = {
    "pages": "tensor<?x?xi32>",
    "lens": "tensor<?xi32>",
    "cu_q": "tensor<?xi32>",
    "table": "tensor<?x64xf32>",
}
LAYER = {
    "q": "tensor<?x16x192xbf16>",
    "c_kv": "tensor<?x512xbf16>",
    "k_pe": "tensor<?x64xbf16>",
    "w": "tensor<16x256x512xbf16>",
    "out": "tensor<?x16x128xbf16>",
}
CACHE = "tensor<?x64x576xbf16>"
# operand of mla.attention: argument of the function
INPUTS = {"q": "q", "c_kv": "c_kv", "k_pe": "k_pe", "w_kv_b": "w",
          "page_table": "pages", "kv_lens": "lens", "cu_q": "cu_q", "cos_sin": "table"}


class Function:
    """A function of `layers` layers, as text."""

    def __init__(self, layers, cache, name="step"):
        self.cache, self.name = cache, name
        self.types = {"%" + name: type for name, type in SHARED.items()}
        self.body, self.returned = [], []
        self.all_layers = f"tensor<{layers}x?x64x576xbf16>"
        if cache == "threaded":
            self.value = self.add("cache", CACHE)
        if cache == "sliced":
            self.value = self.add("cache", self.all_layers)
            self.add("num_pages", "index")
        for layer in range(layers):
            self.add_layer(layer)
        if cache != "own":
            self.returned.append((self.value, self.types["%cache"]))

    def add(self, name, type):
        self.types["%" + name] = type
        return "%" + name

    def add_layer(self, i):
        values = {name: "%" + name for name in SHARED}
        for name, type in LAYER.items():
            values[name] = self.add(f"{name}{i}", type)
        place = f"[{i}, 0, 0, 0] [1, %num_pages, 64, 576] [1, 1, 1, 1]"
        if self.cache == "own":
            cache = self.add(f"cache{i}", CACHE)
        elif self.cache == "threaded":
            values["pages"] = self.add(f"pages{i}", SHARED["pages"])
            cache = self.value
        else:
            cache = f"%c{i}"
            self.body.append(f"{cache} = tensor.extract_slice {self.value}{place} : "
                             f"{self.all_layers} to {CACHE}")
        inputs = ", ".join(f"{operand} = {values[name]} : {self.types[values[name]]}"
                           for operand, name in INPUTS.items())
        self.body.append(
            f"%r{i}:2 = mla.attention ins({inputs}) "
            f"outs(out = {values['out']} : {LAYER['out']}, cache = {cache} : {CACHE}) "
            "{rope = #mla.rope<interleaved, head_dim = 64>, "
            "softmax_scale = 0.07216878364870322 : f64}")
        self.returned.append((f"%r{i}#0", LAYER["out"]))
        if self.cache == "own":
            self.returned.append((f"%r{i}#1", CACHE))
        elif self.cache == "threaded":
            self.value = f"%r{i}#1"
        else:
            self.body.append(f"%all{i} = tensor.insert_slice %r{i}#1 into "
                             f"{self.value}{place} : {CACHE} into {self.all_layers}")
            self.value = f"%all{i}"

    def __str__(self):
        arguments = ", ".join(f"{name}: {type}" for name, type in self.types.items())
        values = ", ".join(value for value, _ in self.returned)
        types = ", ".join(type for _, type in self.returned)
        body = "\n".join("  " + line for line in self.body)
        return (f"func.func @{self.name}({arguments}) -> ({types}) {{\n{body}\n"
                f"  return {values} : {types}\n}}\n")


SHAPES = {
    "own": lambda layers: str(Function(layers, "own")),
    "threaded": lambda layers: str(Function(layers, "threaded")),
    "sliced": lambda layers: str(Function(layers, "sliced")),
    "functions": lambda count: "".join(str(Function(1, "own", f"step{i}")) for i in range(count)),
}
