//===- AbiDoc.cpp - Prints the ABI page -----------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints docs/runtime-abi.md from its template and the headers:
//   mla-abi-doc docs/runtime-abi.md.in > docs/runtime-abi.md
//
//===----------------------------------------------------------------------===//

#include "Template.h"

#include "mla_runtime/runtime.h"

#include <cstddef>
#include <sstream>
#include <string>

using namespace mla::doc;

namespace {
/// Rows of the operations' section.
struct OpsPage {
  std::ostringstream out;

  void begin(const char *op, int since, const char *doc, size_t size) {
    out << "### `mla_" << op << "`\n\n"
        << doc << ". Since ABI " << since << "; " << size << " bytes.\n\n"
        << "| offset | field | use | type | shape | since | |\n"
        << "|---|---|---|---|---|---|---|\n"
        << "| 0 | `struct_size` | IN, required | `uint64_t` | | " << since
        << " | size of this struct |\n";
  }
  void row(size_t offset, const std::string &field, const std::string &use,
           const std::string &type, const std::string &shape, int since,
           const std::string &doc) {
    out << "| " << offset << " | `" << field << "` | " << use << " | " << type
        << " | " << shape << " | " << since << " | " << doc << " |\n";
  }
  void tensor(size_t offset, const std::string &field, const std::string &role,
              const std::string &presence, const std::string &dtypes,
              const std::string &dims, int since, const std::string &doc) {
    row(offset, field, role + ", " + lower(presence), listDtypes(dtypes),
        dims.empty() ? "scalar" : "`[" + dims + "]`", since, doc);
  }
  void value(size_t offset, const std::string &field,
             const std::string &presence, const char *type, int since,
             const char *doc) {
    row(offset, field, "IN, " + lower(presence), type, "", since, doc);
  }
  void end() { out << "\n"; }
};
} // namespace

static std::string operations() {
  OpsPage page;
#define MLA_OP_BEGIN(op, since, doc)                                           \
  page.begin(#op, since, doc, sizeof(mla_##op##_params));
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  page.tensor(offsetof(mla_##op##_params, field), #field, #role, #presence,    \
              #dtypes, dims, since, doc);
#define MLA_CACHE(op, field, role, presence, since, doc)                       \
  page.tensor(offsetof(mla_##op##_params, field##_latent), #field "_latent",   \
              #role, #presence, "CACHE", "pages,P,L", since,                   \
              doc "; its latent part");                                        \
  page.tensor(offsetof(mla_##op##_params, field##_pe), #field "_pe", #role,    \
              "OPTIONAL", "CACHE", "pages,P,R", since,                         \
              "its pe part; null when R = 0");                                 \
  page.tensor(offsetof(mla_##op##_params, field##_scales), #field "_scales",   \
              #role, "OPTIONAL", "F32", "pages,P,L/128", since,                \
              "power of two of each row's 128 columns of an fp8 latent; null " \
              "for any other cache");
#define MLA_I64(op, field, presence, since, doc)                               \
  page.value(offsetof(mla_##op##_params, field), #field, #presence,            \
             "`int64_t`", since, doc);
#define MLA_F64(op, field, presence, since, doc)                               \
  page.value(offsetof(mla_##op##_params, field), #field, #presence,            \
             "`double`", since, doc);
#define MLA_STR(op, field, presence, since, doc)                               \
  page.value(offsetof(mla_##op##_params, field), #field, #presence,            \
             "`const char *`", since, doc);
#define MLA_OP_END(op) page.end();
#include "mla_runtime/ops.def"
  std::string text = page.out.str();
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

static std::string statuses() {
  // In the order of the codes.
  static const char *const docs[] = {
      "success",
      "a caller's mistake; the text names the argument",
      "valid, but not done by this runtime or backend",
      "a workspace or an allocation is too small",
      "the call is out of order, or of another ABI",
      "a file, symbol, entry or backend is missing",
      "a bad page, slot or position was met in device data",
      "a defect of the runtime, or the device failed"};
  std::ostringstream out;
  out << "| code | name | |\n|---|---|---|";
  for (int code = MLA_STATUS_OK; code <= MLA_STATUS_INTERNAL; ++code)
    out << "\n| " << code << " | `" << mla_status_name(code) << "` | "
        << docs[code] << " |";
  return out.str();
}

static std::string dtypes() {
  std::ostringstream out;
  out << "| code | name | bits |\n|---|---|---|";
  for (uint32_t code = MLA_DTYPE_F32; code <= MLA_DTYPE_BOOL; ++code)
    out << "\n| " << code << " | `" << mla_dtype_name(code) << "` | "
        << mla_dtype_bits(code) << " |";
  return out.str();
}

static std::string tensor() {
  std::ostringstream out;
  out << "| offset | field | type | |\n|---|---|---|---|";
  auto row = [&](size_t offset, const char *field, const char *type,
                 const char *doc) {
    out << "\n| " << offset << " | `" << field << "` | `" << type << "` | "
        << doc << " |";
  };
#define ROW(field, type, doc)                                                  \
  row(offsetof(mla_tensor, field), #field, type, doc)
  ROW(data, "void *", "may be null when some dim is 0");
  ROW(device_type, "int32_t", "1 CPU, 2 CUDA, as in DLPack");
  ROW(device_id, "int32_t", "0 on the CPU");
  ROW(dtype, "uint32_t", "see above");
  ROW(rank, "int32_t", "0 to 6");
  ROW(shape, "int64_t[6]", "entries from rank on are ignored");
  ROW(strides, "int64_t[6]", "in elements; entries from rank on are ignored");
  ROW(byte_offset, "uint64_t", "of element 0 from data");
  ROW(flags, "uint64_t",
      "bit 0: read-only, writing it is refused; others are "
      "refused");
  ROW(reserved, "uint64_t[2]", "zero");
#undef ROW
  return out.str();
}

int main(int argc, char **argv) {
  return printTemplate(
      argc, argv, "mla-abi-doc",
      {{"@GENERATED@",
        "Generated by mla-abi-doc from runtime-abi.md.in and ops.def."},
       {"@ABI@", std::to_string(MLA_ABI_VERSION)},
       {"@STATUSES@", statuses()},
       {"@DTYPES@", dtypes()},
       {"@TENSOR_SIZE@", std::to_string(sizeof(mla_tensor))},
       {"@TENSOR@", tensor()},
       {"@OPS@", operations()}});
}
