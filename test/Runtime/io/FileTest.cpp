//===- FileTest.cpp - Files appear whole or not at all --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/File.h"

#include "TemporaryDirectory.h"

#include <gtest/gtest.h>

#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>

namespace mla::io {
namespace {

std::string content(const std::string &path) {
  Result<Buffer> buffer = readFile(path);
  EXPECT_TRUE(buffer) << buffer.error();
  return std::string(reinterpret_cast<char *>(buffer->data()), buffer->size());
}

TEST(File, RoundTrip) {
  TemporaryDirectory dir;
  std::string path = dir.file("a");
  ASSERT_TRUE(writeFile(path, "first, and longer"));
  ASSERT_TRUE(writeFile(path, {{"sec", 3}, {"", 0}, {"ond", 3}}));
  EXPECT_EQ(content(path), "second");
  ASSERT_TRUE(writeFile(path, ""));
  EXPECT_EQ(content(path), "");
  EXPECT_EQ(dir.entries(), 1) << "a temporary file was left";
}

TEST(File, KeepsModeAndFollowsLinks) {
  TemporaryDirectory dir;
  ASSERT_TRUE(writeFile(dir.file("real"), "old"));
  ASSERT_EQ(chmod(dir.file("real").c_str(), 0640), 0);
  std::filesystem::create_symlink("real", dir.file("link"));
  ASSERT_TRUE(writeFile(dir.file("link"), "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(dir.file("link")));
  EXPECT_EQ(content(dir.file("real")), "new");
  struct stat info;
  ASSERT_EQ(stat(dir.file("real").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST(File, AFailedWriteLeavesTheOldContent) {
  TemporaryDirectory dir;
  std::string path = dir.file("a");
  ASSERT_TRUE(writeFile(path, "old"));
  // A file size limit stands in for a full disk.
  struct rlimit before, small = {1000, RLIM_INFINITY};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  small.rlim_max = before.rlim_max;
  auto *handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Status status = writeFile(path, std::string(5000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error(),
            path + ": expected to write it, got 'File too large'");
  EXPECT_EQ(content(path), "old");
  EXPECT_EQ(dir.entries(), 1) << "a temporary file was left";
}

TEST(File, Refusals) {
  TemporaryDirectory dir;
  EXPECT_EQ(readFile(dir.file("none")).error(),
            dir.file("none") +
                ": expected a readable file, got 'No such file or directory'");
  EXPECT_EQ(readFile(dir.file("")).error(),
            dir.file("") + ": expected a regular file, got a directory");
  EXPECT_EQ(readFile("/dev/null").error(),
            "/dev/null: expected a regular file, got a device or a pipe");
  EXPECT_EQ(writeFile(dir.file(""), "x").error(),
            dir.file("") + ": expected a file to write, got a directory");
  EXPECT_EQ(writeFile(dir.file("none/a"), "x").error(),
            dir.file("none/a") +
                ": expected a directory where files can be made, "
                "got 'No such file or directory'");
}

TEST(File, ADeviceIsWrittenNotReplaced) {
  ASSERT_TRUE(writeFile("/dev/null", "x"));
  struct stat info;
  ASSERT_EQ(stat("/dev/null", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

} // namespace
} // namespace mla::io
