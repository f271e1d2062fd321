//===- DeviceName.cpp - How users name a device ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DeviceName.h"

#include <charconv>

using namespace mla;

io::Result<io::DeviceName> io::parseDeviceName(const std::string &text) {
  if (text == "cpu" || text == "cuda")
    return DeviceName{text, 0};
  const std::string prefix = "cuda:";
  DeviceName name{"cuda", 0};
  if (text.compare(0, prefix.size(), prefix) == 0) {
    const char *first = text.data() + prefix.size();
    const char *last = text.data() + text.size();
    auto [next, error] = std::from_chars(first, last, name.number);
    if (error == std::errc() && next == last && *first != '-')
      return name;
  }
  return Error{"expected cpu, cuda or cuda:NUMBER, got '" + text + "'"};
}
