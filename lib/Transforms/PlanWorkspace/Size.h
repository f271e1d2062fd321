//===- Size.h - Sizes that are known when a function is called --*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_PLANWORKSPACE_SIZE_H
#define LIB_TRANSFORMS_PLANWORKSPACE_SIZE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace mla::detail {

/// What a caller passes: dim `dim` of argument `argument` of a function, or the
/// argument itself, a host scalar, where `dim` is kScalar.
struct SizeSymbol {
  static constexpr int64_t kScalar = -1;

  unsigned argument = 0;
  int64_t dim = kScalar;
};

/// A polynomial of atoms: from an ascending list of their numbers, empty for
/// the constant, to a coefficient that isn't 0.
using SizeTerms = std::map<std::vector<unsigned>, int64_t>;

struct SizeValue {
  unsigned id;
};

/// An expression of symbols, one object for all that are equal; null where
/// there is none, and what is made of null is null.
using Size = const std::pair<const SizeTerms, SizeValue> *;

/// What isn't a sum of products.
struct SizeAtom {
  enum class Kind {
    Symbol,
    Group,  ///< operand 0, a sum that is a factor: products aren't multiplied
            ///< out, expressions would grow.
    Divide, ///< operand 0 by operand 1, rounded down
    Max,    ///< of all operands
    Min,    ///< of all operands
    Select, ///< operand 2 where operand 0 compares to operand 1, else operand 3
  };

  SizeAtom(Kind kind, llvm::ArrayRef<Size> operands, bool isSigned = false)
      : kind(kind), isSigned(isSigned), operands(operands) {}

  Kind kind;
  bool isSigned; ///< how Divide, Max and Min take their operands
  mlir::arith::CmpIPredicate predicate = mlir::arith::CmpIPredicate::eq;
  SizeSymbol symbol;
  llvm::SmallVector<Size, 2> operands;
};

/// Makes expressions and relates them. Values are at least 0: they are sizes,
/// and a call with a negative one is refused by the operation that gets it.
class Sizes {
public:
  Size constant(int64_t value);
  Size symbol(SizeSymbol symbol);
  Size add(Size a, Size b);
  Size subtract(Size a, Size b) { return add(a, scale(b, -1)); }
  Size scale(Size a, int64_t factor);
  Size multiply(Size a, Size b);
  Size divide(Size a, Size b, bool isSigned = false);
  Size max(Size a, Size b, bool isSigned = false);
  Size min(Size a, Size b, bool isSigned = false);
  Size select(mlir::arith::CmpIPredicate predicate, Size a, Size b, Size x,
              Size y);
  /// To a multiple of `alignment`, a power of two.
  Size roundUp(Size a, int64_t alignment);
  /// The same as one atom where the sum is long: sums of sums of sums would
  /// take time and code that is quadratic in their number.
  Size shorten(Size a);
  /// The expression with its symbols replaced.
  Size substitute(Size a, llvm::function_ref<Size(SizeSymbol)> replace);

  std::optional<int64_t> getConstant(Size a) const;
  /// What it is at least, whatever the symbols are.
  int64_t getLowerBound(Size a) const;
  /// Whether that can be shown; false says nothing.
  bool isAtMost(Size a, Size b);
  /// Orders sizes that can't be compared: the value with all symbols large.
  double estimate(Size a) { return evaluate(a)[0]; }
  /// The expression as docs/runtime-abi.md writes it; nullopt where `name` has
  /// none for a symbol.
  std::optional<std::string>
  print(Size a,
        llvm::function_ref<std::optional<std::string>(SizeSymbol)> name) const;

  const SizeAtom &getAtom(unsigned number) const { return atoms[number]; }

private:
  Size get(SizeTerms terms);
  Size getAtomic(SizeAtom atom);
  Size getExtreme(SizeAtom::Kind kind, Size a, Size b, bool isSigned);
  bool isNonNegative(Size a, unsigned depth, unsigned &budget);
  bool isNonNegativeWith(Size rest, const SizeAtom &atom, int64_t factor,
                         unsigned depth, unsigned &budget);
  int64_t getLowerBound(const SizeAtom &atom) const;
  /// Values with several choices of the symbols: most of what can't be shown
  /// isn't true, and one of them is quick to find that out. The first is the
  /// estimate, with the larger of what Select may be.
  using Samples = std::array<double, 16>;
  const Samples &evaluate(Size a);
  double evaluate(const SizeAtom &atom, unsigned number, unsigned sample);

  /// Keys with their numbers in order of creation; nodes stay where they are.
  std::map<SizeTerms, SizeValue> sizes;
  llvm::DenseMap<Size, std::unique_ptr<Samples>> samples;
  llvm::DenseMap<std::pair<Size, Size>, bool> isKnownAtMost;
  std::vector<SizeAtom> atoms;
  using AtomKey =
      std::tuple<int, bool, int, unsigned, int64_t, std::vector<unsigned>>;
  std::map<AtomKey, unsigned> atomNumbers;
};

} // namespace mla::detail

#endif // LIB_TRANSFORMS_PLANWORKSPACE_SIZE_H
