//===- ConfigReader.h - Fields of a JSON object, checked --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_LIB_IMPORT_CONFIGREADER_H
#define MLA_LIB_IMPORT_CONFIGREADER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <optional>
#include <string>
#include <vector>

namespace mla {

/// Parses JSON text whose outermost value must be an object.
llvm::Expected<llvm::json::Object> parseJSONObject(llvm::StringRef text,
                                                   llvm::StringRef place);

/// Reads fields of an object. The first failure is kept and later ones are
/// dropped, so that a caller asks once, at the end. A field that is null counts
/// as absent, one that is 0 does not.
class ConfigReader {
public:
  ConfigReader(const llvm::json::Object &object, llvm::StringRef place)
      : object(object), place(place.str()), failure(&ownFailure) {}
  /// Reads an object within that of `outer`, which keeps the failures.
  ConfigReader(const llvm::json::Object &object, const ConfigReader &outer,
               llvm::StringRef field)
      : object(object), place(outer.place), prefix((field + ".").str()),
        failure(outer.failure) {}
  ConfigReader(const ConfigReader &) = delete;

  bool has(llvm::StringRef field) const { return find(field) != nullptr; }
  const llvm::json::Object *getObject(llvm::StringRef field) const;

  /// A required integer of [low, high].
  int64_t getInteger(llvm::StringRef field, int64_t low, int64_t high) const;
  int64_t getInteger(llvm::StringRef field, int64_t low, int64_t high,
                     int64_t ifAbsent) const;
  /// A required finite number above `low`.
  double getNumber(llvm::StringRef field, double low) const;
  double getNumber(llvm::StringRef field, double low, double ifAbsent) const;
  std::optional<bool> getBool(llvm::StringRef field) const;
  std::string getString(llvm::StringRef field, llvm::StringRef ifAbsent) const;
  /// A required array of `size` finite numbers above `low`.
  std::vector<double> getNumbers(llvm::StringRef field, size_t size,
                                 double low) const;

  /// Keeps "place: field: expected X, got Y", with the field's value for Y.
  void fail(llvm::StringRef field, const llvm::Twine &expected) const;
  /// The first failure.
  llvm::Error takeError() const;

private:
  /// Null when the field is absent or null.
  const llvm::json::Value *find(llvm::StringRef field) const;
  /// The value of a field that is there.
  double checkNumber(llvm::StringRef field, double low) const;

  const llvm::json::Object &object;
  std::string place, prefix;
  mutable std::string ownFailure;
  std::string *failure;
};

} // namespace mla

#endif // MLA_LIB_IMPORT_CONFIGREADER_H
