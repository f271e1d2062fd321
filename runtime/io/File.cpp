//===- File.cpp - Files read and written whole ----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/File.h"

#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mla::io {
namespace {

/// A file descriptor that is closed at the end of its scope.
class Descriptor {
public:
  explicit Descriptor(int fd) : fd(fd) {}
  ~Descriptor() {
    if (fd >= 0)
      ::close(fd);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;

  int get() const { return fd; }
  /// Closes now, because only closing reports some write errors.
  bool close() { return ::close(std::exchange(fd, -1)) == 0; }

private:
  int fd;
};

Error systemError(const std::string &path, const char *expectation) {
  return {path + ": expected " + expectation + ", got '" +
          std::strerror(errno) + "'"};
}

bool writeAll(int fd, const std::vector<Piece> &pieces) {
  for (const Piece &piece : pieces) {
    auto *next = static_cast<const char *>(piece.data);
    for (uint64_t left = piece.size; left;) {
      // Linux transfers at most 2 GiB a call.
      ssize_t wrote = ::write(fd, next, left < (1u << 30) ? left : (1u << 30));
      if (wrote < 0 && errno == EINTR)
        continue;
      if (wrote < 0)
        return false;
      next += wrote;
      left -= static_cast<uint64_t>(wrote);
    }
  }
  return true;
}

/// What `path` means after links, so that a link is written through, not
/// replaced.
std::string resolveLinks(const std::string &path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) ? resolved : path;
}

mode_t newFileMode() {
  mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

} // namespace

Result<Buffer> readFile(const std::string &path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0)
    return systemError(path, "a readable file");
  if (!S_ISREG(info.st_mode))
    return Error{
        path + ": expected a regular file, got " +
        (S_ISDIR(info.st_mode) ? "a directory" : "a device or a pipe")};

  auto size = static_cast<uint64_t>(info.st_size);
  Buffer buffer(size);
  if (!buffer.data())
    return Error{path + ": expected memory for its " + std::to_string(size) +
                 " bytes, got none"};
  for (uint64_t done = 0; done < size;) {
    ssize_t got = ::read(file.get(), buffer.data() + done, size - done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return systemError(path, "to read it");
    if (got == 0)
      return Error{path + ": expected " + std::to_string(size) +
                   " bytes, got " + std::to_string(done) +
                   "; it shrank while it was read"};
    done += static_cast<uint64_t>(got);
  }
  return buffer;
}

Status writeFile(const std::string &path, const std::vector<Piece> &pieces) {
  std::string target = resolveLinks(path);
  struct stat info;
  bool exists = ::stat(target.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode))
    return Error{path + ": expected a file to write, got a directory"};

  if (exists && !S_ISREG(info.st_mode)) {
    Descriptor file(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
    if (file.get() < 0 || !writeAll(file.get(), pieces) || !file.close())
      return systemError(path, "to write it");
    return {};
  }

  std::string temporary = target + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0)
    return systemError(path, "a directory where files can be made");
  mode_t mode = exists ? info.st_mode & 07777 : newFileMode();
  if (::fchmod(file.get(), mode) != 0 || !writeAll(file.get(), pieces) ||
      ::fsync(file.get()) != 0 || !file.close() ||
      ::rename(temporary.c_str(), target.c_str()) != 0) {
    Error error = systemError(path, "to write it");
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}

Status writeFile(const std::string &path, const std::string &text) {
  return writeFile(path, {{text.data(), text.size()}});
}

} // namespace mla::io
