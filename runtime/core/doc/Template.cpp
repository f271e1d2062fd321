//===- Template.cpp - Texts with generated parts --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Template.h"

#include <cctype>
#include <fstream>
#include <iostream>
#include <sstream>

int mla::doc::printTemplate(int argc, char **argv, const std::string &tool,
                            const std::map<std::string, std::string> &parts) {
  if (argc != 2) {
    std::cerr << tool << ": error: expected one argument, the template\n";
    return 2;
  }
  std::ifstream file(argv[1]);
  std::stringstream content;
  content << file.rdbuf();
  if (!file) {
    std::cerr << tool << ": error: " << argv[1]
              << ": expected a readable file, got none\n";
    return 1;
  }
  std::string text = content.str();
  for (const auto &[mark, part] : parts) {
    size_t at = text.find(mark);
    if (at == std::string::npos) {
      std::cerr << tool << ": error: " << argv[1] << ": expected the mark "
                << mark << ", got none\n";
      return 1;
    }
    text.replace(at, mark.size(), part);
  }
  std::cout << text;
  return std::cout.good() ? 0 : 1;
}

std::string mla::doc::lower(std::string text) {
  for (char &c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string mla::doc::listDtypes(const std::string &name) {
  if (name == "ACT")
    return "f32, f16, bf16";
  if (name == "QUERY" || name == "CACHE")
    return "f32, f16, bf16, f8E4M3FN";
  if (name == "INT")
    return "i32, i64";
  if (name == "I64T")
    return "i64";
  return lower(name);
}
