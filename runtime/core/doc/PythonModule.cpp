//===- PythonModule.cpp - Prints the Python module ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints runtime/python/mla_runtime.py from its template and the headers:
//   cd runtime/python; mla-python-module mla_runtime.py.in > mla_runtime.py
//
//===----------------------------------------------------------------------===//

#include "Template.h"

#include "mla_runtime/runtime.h"

#include <sstream>
#include <string>

using namespace mla::doc;

/// `text` in lines of up to 100 columns, the first of which begins with
/// `first`, the others with `rest`.
static std::string wrap(const std::string &text, const std::string &first,
                        const std::string &rest) {
  std::istringstream words(text);
  std::string result, line = first, word;
  bool empty = true;
  while (words >> word) {
    if (!empty && line.size() + 1 + word.size() > 100) {
      result += line + "\n";
      line = rest;
      empty = true;
    }
    line += (empty ? "" : " ") + word;
    empty = false;
  }
  return result + line + "\n";
}

/// A sentence of ops.def with the constants' names in Python.
static std::string inPython(std::string text) {
  const std::string macro = "MLA_SCHEDULE_SIZE", prefix = "MLA_";
  for (size_t at; (at = text.find(macro)) != std::string::npos;)
    text.replace(at, macro.size(), "schedule_size");
  for (size_t at; (at = text.find(prefix)) != std::string::npos;)
    text.erase(at, prefix.size());
  return text;
}

namespace {
/// One operation's struct and function.
struct Operation {
  std::string name, doc;
  std::ostringstream fields, fieldDocs;
  std::string required, optional, passed;

  void add(const std::string &field, const char *type, const char *absent,
           bool isRequired, const std::string &what, const std::string &text) {
    fields << "        (\"" << field << "\", " << type << "),\n";
    (isRequired ? required : optional) +=
        ", " + field + (isRequired ? "" : std::string("=") + absent);
    passed += ", " + field + "=" + field;
    fieldDocs << wrap("(" + what + (isRequired ? "" : ", optional") +
                          "): " + inPython(text) + ".",
                      "    " + field + " ", "        ");
  }
  void tensor(const std::string &field, const std::string &role,
              const std::string &presence, const std::string &dtypes,
              const std::string &dims, const std::string &text) {
    std::string shape = dims.empty() ? "scalar tensor" : "[" + dims + "]";
    for (size_t at = 0; (at = shape.find(',', at)) != std::string::npos; ++at)
      shape.replace(at, 1, ", ");
    add(field, "ctypes.POINTER(mla_tensor)", "None", presence == "REQUIRED",
        shape + " " + listDtypes(dtypes) + (role == "OUT" ? ", written" : ""),
        text);
  }
  void value(const std::string &field, const char *type, const char *python,
             const char *absent, const std::string &presence,
             const std::string &text) {
    add(field, type, absent, presence == "REQUIRED", python, text);
  }

  std::string structText() const {
    return "\n\nclass mla_" + name +
           "_params(ctypes.Structure):\n    _fields_ = [\n        "
           "(\"struct_size\", ctypes.c_uint64),\n" +
           fields.str() + "    ]\n";
  }
  std::string functionText() const {
    std::string text = "\n\n";
    text += wrap("ctx, *" + required + optional + "):", "def " + name + "(",
                 std::string(name.size() + 5, ' '));
    text += wrap(inPython(doc) + ".", "    \"\"\"", "    ") + "\n" +
            fieldDocs.str() + "    \"\"\"\n";
    std::string call = "_call(ctx, \"" + name + "\"";
    return text + wrap(passed.substr(2) + ")", "    " + call + ", ",
                       std::string(10, ' '));
  }
};
} // namespace

/// What `get` makes of every operation, one after the other.
static std::string operations(std::string (Operation::*get)() const) {
  std::string text;
#define MLA_OP_BEGIN(op, since, docText)                                       \
  {                                                                            \
    Operation operation;                                                       \
    operation.name = #op;                                                      \
    operation.doc = docText;
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  operation.tensor(#field, #role, #presence, #dtypes, dims, doc);
#define MLA_CACHE(op, field, role, presence, since, doc)                       \
  operation.tensor(#field "_latent", #role, #presence, "CACHE", "pages,P,L",   \
                   doc "; its latent part");                                   \
  operation.tensor(#field "_pe", #role, "OPTIONAL", "CACHE", "pages,P,R",      \
                   "its pe part; None when R = 0");                            \
  operation.tensor(#field "_scales", #role, "OPTIONAL", "F32",                 \
                   "pages,P,L/128",                                            \
                   "power of two of each row's 128 columns of an fp8 latent; " \
                   "None for any other cache");
#define MLA_I64(op, field, presence, since, doc)                               \
  operation.value(#field, "ctypes.c_int64", "int", "0", #presence, doc);
#define MLA_F64(op, field, presence, since, doc)                               \
  operation.value(#field, "ctypes.c_double", "float", "0.0", #presence, doc);
#define MLA_STR(op, field, presence, since, doc)                               \
  operation.value(#field, "ctypes.c_char_p", "str", "None", #presence, doc);
#define MLA_OP_END(op)                                                         \
  text += (operation.*get)();                                                  \
  }
#include "mla_runtime/ops.def"
  return text.substr(text.find_first_not_of('\n'),
                     text.find_last_not_of('\n') + 1 -
                         text.find_first_not_of('\n'));
}

static std::string table() {
  std::string text = "_PARAMS = {";
#define MLA_OP_BEGIN(op, since, doc)                                           \
  text += "\n    \"" #op "\": mla_" #op "_params,";
#include "mla_runtime/ops.def"
  return text + "\n}";
}

/// The constants of the headers, without the prefix that a module's name makes
/// superfluous.
static std::string constants() {
  std::ostringstream out;
#define CONSTANT(name) out << #name " = " << int64_t(MLA_##name) << "\n"
  CONSTANT(ABI_VERSION);
  CONSTANT(MAX_RANK);
  out << "\n# Context.mode.\n";
  CONSTANT(MODE_RUN);
  CONSTANT(MODE_CHECK);
  CONSTANT(MODE_PLAN);
  out << "\n# Device types, numbered as in DLPack; CONTEXT is the device of "
         "the "
         "context used.\n";
  CONSTANT(DEVICE_CONTEXT);
  CONSTANT(DEVICE_CPU);
  CONSTANT(DEVICE_CUDA);
  out << "\n# rope_style, phase and rounding of the operations.\n";
  CONSTANT(ROPE_NONE);
  CONSTANT(ROPE_INTERLEAVED);
  CONSTANT(ROPE_HALF);
  CONSTANT(PHASE_NONE);
  CONSTANT(PHASE_CONTEXT);
  CONSTANT(PHASE_GENERATION);
  CONSTANT(ROUNDING_DIRECT);
  CONSTANT(ROUNDING_THROUGH_INPUT_TYPE);
  out << "\n# Bits of mla_tensor.flags.\n";
  CONSTANT(TENSOR_READ_ONLY);
#undef CONSTANT
  out << "\n# Names of Error.status by code.\nSTATUS_NAMES = (";
  for (int code = MLA_STATUS_OK; code <= MLA_STATUS_INTERNAL; ++code)
    out << "\n    \"" << mla_status_name(code) << "\",";
  out << "\n)\n\n# Codes and sizes in bits of the element types.\nDTYPES = {";
  for (uint32_t code = MLA_DTYPE_F32; code <= MLA_DTYPE_BOOL; ++code)
    out << "\n    \"" << mla_dtype_name(code) << "\": (" << code << ", "
        << mla_dtype_bits(code) << "),";
  out << "\n}";
  return out.str();
}

static std::string scheduleSize() {
  return std::to_string(MLA_SCHEDULE_SIZE(0)) + " + " +
         std::to_string(MLA_SCHEDULE_SIZE(1) - MLA_SCHEDULE_SIZE(0)) +
         " * num_sequences";
}

int main(int argc, char **argv) {
  return printTemplate(
      argc, argv, "mla-python-module",
      {{"@GENERATED@",
        "Generated by mla-python-module from mla_runtime.py.in and ops.def."},
       {"@CONSTANTS@", constants()},
       {"@SCHEDULE_SIZE@", scheduleSize()},
       {"@STRUCTS@", operations(&Operation::structText)},
       {"@PARAMS@", table()},
       {"@FUNCTIONS@", operations(&Operation::functionText)}});
}
