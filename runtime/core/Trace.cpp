//===- Trace.cpp - MLA_TRACE=1: one line a call ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Trace.h"
#include "core/TensorChecks.h"

#include <cstdio>
#include <cstring>
#include <string>

static bool is(const FieldSpec &field, const char *name) {
  return std::strcmp(field.name, name) == 0;
}

/// The rope's fields, gathered while the others are printed.
namespace {
struct RopeState {
  bool has = false; ///< The op has a rope_style.
  int64_t style = 0;
  const char *off = nullptr;
};
} // namespace

static std::string ropeText(const RopeState &rope, int64_t width) {
  if (rope.style != MLA_ROPE_NONE)
    return std::string(" rope=") +
           (rope.style == MLA_ROPE_INTERLEAVED ? "interleaved" : "half") +
           " width " + std::to_string(width);
  if (rope.off && *rope.off) {
    std::string text = std::string(" rope=off: ") + rope.off;
    for (char &c : text)
      if (static_cast<unsigned char>(c) < ' ')
        c = '?';
    return text;
  }
  return width == 0 ? " rope=off: R = 0" : " rope=off: no attribute";
}

static std::string tensorText(const FieldSpec &field,
                              const mla_tensor &tensor) {
  char shape[192];
  return std::string(" ") + field.name + "=" +
         shapeText(tensor, shape, sizeof(shape)) + ":" +
         mla_dtype_name(tensor.dtype);
}

static void traceValue(const FieldSpec &field, int64_t value, std::string &line,
                       RopeState &rope) {
  if (is(field, "rope_style")) {
    rope.has = true;
    rope.style = value;
  } else if (is(field, "phase")) {
    if (value)
      line +=
          value == MLA_PHASE_CONTEXT ? " phase=context" : " phase=generation";
  } else if (value && !is(field, "rope_head_dim")) {
    line += std::string(" ") + field.name + "=" + std::to_string(value);
  }
}

void traceCall(const mla_context &ctx, const OpSpec &spec, const void *params,
               int64_t width) {
  std::string line = std::string("mla: ") + spec.name;
  if (ctx.mode != MLA_MODE_RUN)
    line += ctx.mode == MLA_MODE_CHECK ? " (check)" : " (plan)";
  RopeState rope;
  for (unsigned i = 0; i < spec.numFields; ++i) {
    const FieldSpec &field = spec.fields[i];
    switch (field.kind) {
    case FieldKind::Tensor:
      if (const mla_tensor *tensor = tensorField(params, field))
        line += tensorText(field, *tensor);
      break;
    case FieldKind::I64:
      traceValue(field, i64Field(params, field), line, rope);
      break;
    case FieldKind::F64: {
      char value[64];
      std::snprintf(value, sizeof(value), " %s=%.9g", field.name,
                    f64Field(params, field));
      line += value;
      break;
    }
    case FieldKind::Str:
      if (is(field, "rope_off"))
        rope.off = strField(params, field);
      break;
    }
  }
  if (rope.has)
    line += ropeText(rope, width);
  line += "\n";
  std::fputs(line.c_str(), stderr);
}
