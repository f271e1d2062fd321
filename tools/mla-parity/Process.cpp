//===- Process.cpp - The project's other tools as child processes ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Process.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mla::parity {

io::Status runTool(const std::string &name,
                   const std::vector<std::string> &arguments) {
  std::error_code error;
  auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error)
    return io::Error{name + ": expected to find it beside this tool, got: " +
                     error.message()};
  std::string path = (self.parent_path() / name).string();
  if (access(path.c_str(), X_OK))
    return io::Error{path + ": expected the tool " + name +
                     ", got: " + std::strerror(errno)};

  std::vector<std::string> words = {path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char *> argv;
  for (std::string &word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);

  pid_t child;
  if (int code = posix_spawn(&child, path.c_str(), nullptr, nullptr,
                             argv.data(), environ))
    return io::Error{path +
                     ": expected to start it, got: " + std::strerror(code)};
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return io::Error{
          path + ": expected to wait for it, got: " + std::strerror(errno)};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return {};
  return io::Error{
      name + ": expected it to succeed on " +
      (arguments.empty() ? "nothing" : arguments.front()) + ", got " +
      (WIFSIGNALED(status)
           ? "signal " + std::to_string(WTERMSIG(status))
           : "exit status " + std::to_string(WEXITSTATUS(status)))};
}

} // namespace mla::parity
