//===- Site.h - A custom call and what it becomes ---------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A site is one custom call, in any of the forms that it may be written in. A
// schema says what the callee's arguments are; a site binds its operands to
// them. Conversion reads arguments, emits operations before the site and says
// which value each result becomes. The first thing that isn't as it must be is
// kept: what follows may go on with null values, and nothing is emitted in the
// end.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_CONVERSION_CUSTOMCALLTOMLA_SITE_H
#define MLA_CONVERSION_CUSTOMCALLTOMLA_SITE_H

#include "mla/IR/MLAOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringMap.h"
#include <string>

namespace mla {
namespace customcall {

enum class ArgumentKind {
  Tensor,  ///< read
  Changed, ///< written, too: its new value is a result
  Scalar   ///< a constant, as an operand or as an attribute
};

struct Argument {
  llvm::StringLiteral name;
  ArgumentKind kind;
  /// Whether a call may leave it out at the end, as it has a default.
  bool hasDefault = false;
};

class Site;

/// A value's type, as diagnostics quote it; "none" for null.
std::string describe(mlir::Value value);

/// A callee that isn't ours.
struct Schema {
  /// Its names; see Site::getName().
  llvm::ArrayRef<llvm::StringLiteral> names;
  llvm::ArrayRef<Argument> arguments;
  void (*convert)(Site &);
};

llvm::ArrayRef<Schema> getVLLMSchemas();
llvm::ArrayRef<Schema> getAiterSchemas();
llvm::ArrayRef<Schema> getTensorRTLLMSchemas();

/// Converts a call of `mla.NAME`, whose schema is the operation itself.
void convertOwn(Site &site);

class Site {
public:
  /// Null where `op` is no custom call in a form that is known here.
  static std::unique_ptr<Site> get(mlir::Operation *op);

  mlir::Operation *getOperation() const { return op; }
  /// The callee: namespaces are apart by dots, `torch.ops.` before and
  /// `.default` behind are off.
  llvm::StringRef getName() const { return name; }
  /// The same without the number that made a symbol unique.
  llvm::StringRef getBaseName() const;
  /// The attributes that are the callee's.
  mlir::DictionaryAttr getAttributes() const { return attributes; }

  //===--- Arguments ------------------------------------------------------===//

  /// Binds operands and results by position, or by the arrays of names
  /// `operands` and `results`.
  void bind(llvm::ArrayRef<Argument> arguments);
  /// The operands' names, where the site gives them; refuses where not.
  llvm::SmallVector<llvm::StringRef> getNames(llvm::StringRef attribute);

  /// A value that may be absent: null.
  mlir::Value getValue(llvm::StringRef argument) const {
    return values.lookup(argument);
  }
  /// A ranked tensor of `rank`; refuses another. Null where it is absent.
  mlir::Value getOptionalTensor(llvm::StringRef argument, int64_t rank);
  /// The same, which must be there.
  mlir::Value getTensor(llvm::StringRef argument, int64_t rank);
  /// Scalars must be constants. Without a default they must be there.
  int64_t getInteger(llvm::StringRef argument,
                     std::optional<int64_t> byDefault = std::nullopt);
  bool getBool(llvm::StringRef argument,
               std::optional<bool> byDefault = std::nullopt);
  /// An integer of at least `least`, and of no more than 31 bits.
  int64_t getSize(llvm::StringRef argument, int64_t least);
  double getFloat(llvm::StringRef argument);
  llvm::StringRef getString(llvm::StringRef argument);

  //===--- Results --------------------------------------------------------===//

  /// Whether somebody reads the argument's new value.
  bool isRead(llvm::StringRef argument) const;
  /// What the result for `argument` becomes, if there is such a result.
  void setResult(llvm::StringRef argument, mlir::Value value);

  //===--- Verdicts -------------------------------------------------------===//

  /// The site stays: `subject` isn't as it must be.
  void refuse(llvm::StringRef subject, const llvm::Twine &reason);
  bool isRefused() const { return refused; }
  /// Runs `check`; refuses with the first error that it reports.
  bool holds(llvm::function_ref<llvm::LogicalResult()> check);
  /// Bits that differ from the callee's.
  void note(const llvm::Twine &difference);
  /// That the operation has no rope, and why.
  void noteRopeOff() { ropeOff = true; }

  /// Replaces the site, or erases what was emitted. Says which, in a remark.
  bool finish(llvm::StringRef pass, bool exact);

  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::Location getLoc() const { return op->getLoc(); }
  mlir::MLIRContext *getContext() const { return op->getContext(); }

private:
  Site(mlir::Operation *op, std::string name, mlir::DictionaryAttr attributes);
  void bindOperands(llvm::ArrayRef<Argument> arguments);
  void bindResults(llvm::ArrayRef<Argument> arguments);
  mlir::Attribute getConstant(llvm::StringRef argument);
  template <typename AttrTy>
  AttrTy getScalar(llvm::StringRef argument, llvm::StringRef what,
                   bool isOptional);
  mlir::Value convertTo(mlir::Value value, mlir::Type type);

  /// What conversion emitted; in front of the site, and in regions there.
  struct Emitted : mlir::OpBuilder::Listener {
    llvm::SmallVector<mlir::Operation *> ops;
    void notifyOperationInserted(mlir::Operation *op,
                                 mlir::OpBuilder::InsertPoint) override {
      ops.push_back(op);
    }
  };

  mlir::Operation *op;
  std::string name;
  mlir::DictionaryAttr attributes;
  Emitted emitted;
  mlir::OpBuilder builder;
  llvm::StringMap<mlir::Value> values;
  llvm::StringMap<unsigned> results;
  llvm::SmallVector<mlir::Value> replacements;
  bool refused = false, ropeOff = false;
  std::string reason;
  mlir::Value culprit;
  llvm::SmallVector<std::string> notes;
};

} // namespace customcall
} // namespace mla

#endif // MLA_CONVERSION_CUSTOMCALLTOMLA_SITE_H
