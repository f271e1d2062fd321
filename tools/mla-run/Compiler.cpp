//===- Compiler.cpp - Runs mla-compile as a child -------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compiler.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

namespace mla::run {

CompiledModule::~CompiledModule() {
  std::error_code ignored;
  if (!directory.empty())
    std::filesystem::remove_all(directory, ignored);
}

io::Result<CompiledModule> CompiledModule::compile(const std::string &source) {
  std::error_code error;
  std::filesystem::path self =
      std::filesystem::read_symlink("/proc/self/exe", error);
  std::string compiler = (self.parent_path() / "mla-compile").string();
  if (error || !std::filesystem::exists(compiler))
    return io::Error{source + ": expected mla-compile at " + compiler +
                     " to compile it, got none"};

  std::string pattern =
      (std::filesystem::temp_directory_path(error) / "mla-run-XXXXXX").string();
  if (error || !mkdtemp(pattern.data()))
    return io::Error{pattern +
                     ": expected to make a temporary directory, got '" +
                     std::strerror(errno) + "'"};
  CompiledModule module;
  module.directory = pattern;

  std::string output = module.path();
  // A name that looks like an option is still a name.
  std::string input = (source[0] == '-' ? "./" : "") + source;
  std::fprintf(stderr, "mla-run: running %s %s -o %s\n", compiler.c_str(),
               source.c_str(), output.c_str());
  std::string flag = "-o";
  char *arguments[] = {compiler.data(), input.data(), flag.data(),
                       output.data(), nullptr};
  pid_t child;
  int status = 0;
  if (int code = posix_spawn(&child, compiler.c_str(), nullptr, nullptr,
                             arguments, environ))
    return io::Error{compiler + ": expected to run it, got '" +
                     std::strerror(code) + "'"};
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (!WIFEXITED(status))
    return io::Error{source +
                     ": expected mla-compile to end by itself, got signal " +
                     std::to_string(WTERMSIG(status))};
  if (WEXITSTATUS(status))
    return io::Error{source +
                     ": expected mla-compile to compile it, got exit "
                     "status " +
                     std::to_string(WEXITSTATUS(status))};
  return module;
}

} // namespace mla::run
