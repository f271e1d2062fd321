//===- Linker.cpp - From an object to a shared one ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Driver/Linker.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace {

/// An empty file among the system's temporary ones, until the end of the scope
/// or of the process.
struct TemporaryFile {
  SmallString<128> path;
  FileRemover remover;

  Error create(StringRef suffix) {
    if (std::error_code error =
            sys::fs::createTemporaryFile("mla-compile", suffix, path))
      return createStringError("temporary file: expected to create one, got: " +
                               error.message());
    sys::RemoveFileOnSignal(path);
    remover.setFile(path);
    return Error::success();
  }
  ~TemporaryFile() {
    if (!path.empty())
      sys::DontRemoveFileOnSignal(path);
  }
};

Expected<std::string> findLinker() {
  for (StringRef name : {"cc", "gcc", "clang"})
    if (ErrorOr<std::string> path = sys::findProgramByName(name))
      return *path;
  return createStringError(
      "linker: expected cc, gcc or clang on the PATH, got none; --emit=obj "
      "needs no linker");
}

Error write(StringRef path, StringRef bytes) {
  std::error_code error;
  raw_fd_ostream stream(path, error);
  if (!error) {
    stream << bytes;
    stream.close();
    error = stream.error();
    stream.clear_error();
  }
  if (!error)
    return Error::success();
  return createStringError(path +
                           ": expected to write it, got: " + error.message());
}

Expected<std::string> read(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(path);
  if (!file)
    return createStringError(
        path + ": expected to read it, got: " + file.getError().message());
  return (*file)->getBuffer().str();
}

} // namespace

Expected<std::string> mla::linkSharedObject(StringRef object) {
  Expected<std::string> linker = findLinker();
  if (!linker)
    return linker;
  TemporaryFile input, output, messages;
  for (auto [file, suffix] :
       {std::pair<TemporaryFile *, StringRef>{&input, "o"},
        {&output, "so"},
        {&messages, "txt"}})
    if (Error error = file->create(suffix))
      return error;
  if (Error error = write(input.path, object))
    return error;

  // There is nothing to start. A build id would be a hash of what is there
  // anyway; without it, what is linked depends on nothing but the object.
  StringRef arguments[] = {
      *linker, "-shared",   "-nostartfiles", "-Wl,--build-id=none",
      "-o",    output.path, input.path};
  std::optional<StringRef> redirects[] = {
      std::nullopt, StringRef(messages.path), StringRef(messages.path)};
  std::string reason;
  int status = sys::ExecuteAndWait(*linker, arguments, /*Env=*/std::nullopt,
                                   redirects, /*SecondsToWait=*/0,
                                   /*MemoryLimit=*/0, &reason);
  if (status == 0)
    return read(output.path);
  if (reason.empty()) {
    if (Expected<std::string> said = read(messages.path))
      reason = StringRef(*said).trim().str();
    else
      consumeError(said.takeError());
  }
  return createStringError("linker: expected " + *linker +
                           " to make a shared object, got exit status " +
                           Twine(status) + ": " + reason);
}
