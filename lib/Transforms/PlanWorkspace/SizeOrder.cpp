//===- SizeOrder.cpp - Which of two sizes is larger -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Size.h"

#include <algorithm>
#include <climits>
#include <cmath>

using namespace mlir;
using namespace mla;
using namespace mla::detail;

int64_t Sizes::getLowerBound(const SizeAtom &atom) const {
  switch (atom.kind) {
  case SizeAtom::Kind::Symbol:
    return 0;
  case SizeAtom::Kind::Group:
    return getLowerBound(atom.operands[0]);
  case SizeAtom::Kind::Divide: {
    std::optional<int64_t> divisor = getConstant(atom.operands[1]);
    return divisor && *divisor > 0 ? getLowerBound(atom.operands[0]) / *divisor
                                   : 0;
  }
  case SizeAtom::Kind::Max: {
    int64_t bound = 0;
    for (Size operand : atom.operands)
      bound = std::max(bound, getLowerBound(operand));
    return bound;
  }
  case SizeAtom::Kind::Min: {
    int64_t bound = INT64_MAX;
    for (Size operand : atom.operands)
      bound = std::min(bound, getLowerBound(operand));
    return bound;
  }
  case SizeAtom::Kind::Select:
    return std::min(getLowerBound(atom.operands[2]),
                    getLowerBound(atom.operands[3]));
  }
  return 0;
}

int64_t Sizes::getLowerBound(Size a) const {
  int64_t sum = 0;
  for (const auto &[factors, coefficient] : a->first) {
    if (coefficient < 0)
      return 0;
    int64_t product = coefficient;
    for (unsigned number : factors)
      if (llvm::MulOverflow(product, getLowerBound(atoms[number]), product))
        return 0;
    if (llvm::AddOverflow(sum, product, sum))
      return 0;
  }
  return sum;
}

bool Sizes::isAtMost(Size a, Size b) {
  if (!a || !b)
    return false;
  if (a == b)
    return true;
  if (auto it = isKnownAtMost.find({a, b}); it != isKnownAtMost.end())
    return it->second;
  // The estimate is the value of no call.
  auto inSamples = llvm::drop_begin(llvm::zip_equal(evaluate(a), evaluate(b)));
  Size difference = nullptr;
  if (llvm::all_of(inSamples, [](const auto &values) {
        return std::get<0>(values) <= std::get<1>(values);
      }))
    difference = subtract(b, a);
  unsigned budget = 64;
  return isKnownAtMost[{a, b}] =
             difference && isNonNegative(difference, /*depth=*/4, budget);
}

bool Sizes::isNonNegative(Size a, unsigned depth, unsigned &budget) {
  if (!a || budget == 0)
    return false;
  --budget;
  // The constant may be what makes up for nothing else: all other negative
  // terms need an atom to be replaced by what it is at most or at least.
  SizeTerms positive = a->first;
  int64_t constant = 0;
  if (auto it = positive.find({}); it != positive.end()) {
    constant = it->second;
    positive.erase(it);
  }
  if (llvm::all_of(positive,
                   [](const auto &term) { return term.second > 0; }) &&
      (constant >= 0 || getLowerBound(get(positive)) >= -constant))
    return true;
  if (depth == 0)
    return false;
  for (const auto &[factors, coefficient] : a->first) {
    if (factors.size() != 1)
      continue;
    SizeTerms rest = a->first;
    rest.erase(factors);
    SizeAtom atom = atoms[factors.front()]; // a copy: atoms may be added
    if (isNonNegativeWith(get(rest), atom, coefficient, depth - 1, budget))
      return true;
  }
  return false;
}

/// Whether `rest` + `factor` * `atom` is at least 0, by what the atom is.
bool Sizes::isNonNegativeWith(Size rest, const SizeAtom &atom, int64_t factor,
                              unsigned depth, unsigned &budget) {
  auto holdsFor = [&](Size operand) {
    return isNonNegative(add(rest, scale(operand, factor)), depth, budget);
  };
  switch (atom.kind) {
  case SizeAtom::Kind::Symbol:
    return false;
  case SizeAtom::Kind::Group:
    return holdsFor(atom.operands[0]);
  case SizeAtom::Kind::Max:
  case SizeAtom::Kind::Min:
    // One operand suffices where the atom is on the side that helps.
    return (atom.kind == SizeAtom::Kind::Max) == (factor > 0)
               ? llvm::any_of(atom.operands, holdsFor)
               : llvm::all_of(atom.operands, holdsFor);
  case SizeAtom::Kind::Select:
    return holdsFor(atom.operands[2]) && holdsFor(atom.operands[3]);
  case SizeAtom::Kind::Divide:
    break;
  }
  std::optional<int64_t> divisor = getConstant(atom.operands[1]);
  if (!divisor || *divisor <= 0 || factor % *divisor != 0)
    return false;
  int64_t scaled = factor / *divisor;
  Size numerator = atom.operands[0];
  Size below = subtract(numerator, constant(*divisor - 1));
  // floor(n / d) is at least (n - (d - 1)) / d.
  if (factor > 0)
    return isNonNegative(add(rest, scale(below, scaled)), depth, budget);
  // It is at most n / d, and at most a whole number that is at least
  // (n - (d - 1)) / d.
  if (llvm::all_of(rest->first,
                   [&](const auto &term) { return term.second % factor == 0; }))
    numerator = below;
  return isNonNegative(add(rest, scale(numerator, scaled)), depth, budget);
}

static bool compare(arith::CmpIPredicate predicate, double a, double b) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
  case arith::CmpIPredicate::ult:
    return a < b;
  case arith::CmpIPredicate::sle:
  case arith::CmpIPredicate::ule:
    return a <= b;
  case arith::CmpIPredicate::sgt:
  case arith::CmpIPredicate::ugt:
    return a > b;
  case arith::CmpIPredicate::sge:
  case arith::CmpIPredicate::uge:
    return a >= b;
  }
  return false;
}

double Sizes::evaluate(const SizeAtom &atom, unsigned number, unsigned sample) {
  auto operand = [&](unsigned index) {
    return evaluate(atom.operands[index])[sample];
  };
  switch (atom.kind) {
  case SizeAtom::Kind::Symbol: {
    if (sample == 0)
      return 1024;
    if (sample == 1)
      return 1;
    // Of any two symbols one is much larger somewhere.
    constexpr double values[] = {1, 50000, 37, 1000};
    if (sample < 5)
      return values[(number >> (2 * (sample - 2))) % 4];
    // So is the largest of many, than that of others.
    uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15 + sample;
    mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93;
    return static_cast<double>(mixed >> 48);
  }
  case SizeAtom::Kind::Group:
    return operand(0);
  case SizeAtom::Kind::Divide:
    return std::floor(operand(0) / std::max(operand(1), 1.0));
  case SizeAtom::Kind::Max:
  case SizeAtom::Kind::Min: {
    double value = operand(0);
    for (unsigned i = 1; i < atom.operands.size(); ++i)
      value = atom.kind == SizeAtom::Kind::Max ? std::max(value, operand(i))
                                               : std::min(value, operand(i));
    return value;
  }
  case SizeAtom::Kind::Select:
    if (sample == 0)
      return std::max(operand(2), operand(3));
    return compare(atom.predicate, operand(0), operand(1)) ? operand(2)
                                                           : operand(3);
  }
  return 0;
}

const Sizes::Samples &Sizes::evaluate(Size a) {
  if (auto it = samples.find(a); it != samples.end())
    return *it->second;
  auto values = std::make_unique<Samples>();
  for (auto [sample, sum] : llvm::enumerate(*values)) {
    sum = 0;
    for (const auto &[factors, coefficient] : a->first) {
      double product = static_cast<double>(coefficient);
      for (unsigned number : factors)
        product *= evaluate(atoms[number], number, sample);
      sum += product;
    }
  }
  return *(samples[a] = std::move(values));
}
