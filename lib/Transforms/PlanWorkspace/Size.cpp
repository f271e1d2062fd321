//===- Size.cpp - Sizes that are known when a function is called ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Size.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;
using namespace mla;
using namespace mla::detail;

Size Sizes::get(SizeTerms terms) {
  auto [it, isNew] =
      sizes.try_emplace(std::move(terms), SizeValue{unsigned(sizes.size())});
  return &*it;
}

Size Sizes::getAtomic(SizeAtom atom) {
  std::vector<unsigned> ids;
  for (Size operand : atom.operands)
    ids.push_back(operand->second.id);
  AtomKey key{int(atom.kind),       atom.isSigned,   int(atom.predicate),
              atom.symbol.argument, atom.symbol.dim, ids};
  auto [it, isNew] = atomNumbers.try_emplace(key, atoms.size());
  if (isNew)
    atoms.push_back(std::move(atom));
  return get({{{it->second}, 1}});
}

std::optional<int64_t> Sizes::getConstant(Size a) const {
  if (!a || a->first.size() > 1)
    return std::nullopt;
  if (a->first.empty())
    return 0;
  const auto &[factors, coefficient] = *a->first.begin();
  return factors.empty() ? std::optional(coefficient) : std::nullopt;
}

Size Sizes::constant(int64_t value) {
  return value ? get({{{}, value}}) : get({});
}

Size Sizes::symbol(SizeSymbol symbol) {
  SizeAtom atom(SizeAtom::Kind::Symbol, {});
  atom.symbol = symbol;
  return getAtomic(std::move(atom));
}

Size Sizes::add(Size a, Size b) {
  if (!a || !b)
    return nullptr;
  SizeTerms sum = a->first;
  for (const auto &[factors, coefficient] : b->first) {
    int64_t &total = sum[factors];
    if (llvm::AddOverflow(total, coefficient, total))
      return nullptr;
    if (total == 0)
      sum.erase(factors);
  }
  return get(std::move(sum));
}

Size Sizes::scale(Size a, int64_t factor) {
  if (!a || factor == 0)
    return a ? constant(0) : nullptr;
  SizeTerms product = a->first;
  for (auto &[factors, coefficient] : product)
    if (llvm::MulOverflow(coefficient, factor, coefficient))
      return nullptr;
  return get(std::move(product));
}

Size Sizes::multiply(Size a, Size b) {
  if (!a || !b)
    return nullptr;
  if (std::optional<int64_t> factor = getConstant(a))
    return scale(b, *factor);
  if (std::optional<int64_t> factor = getConstant(b))
    return scale(a, *factor);
  auto asProduct = [&](Size size) {
    if (size->first.size() == 1)
      return size;
    return getAtomic(SizeAtom(SizeAtom::Kind::Group, size));
  };
  const auto &[left, leftFactor] = *asProduct(a)->first.begin();
  const auto &[right, rightFactor] = *asProduct(b)->first.begin();
  std::vector<unsigned> factors = left;
  factors.insert(factors.end(), right.begin(), right.end());
  llvm::sort(factors);
  int64_t coefficient;
  if (llvm::MulOverflow(leftFactor, rightFactor, coefficient))
    return nullptr;
  return get({{factors, coefficient}});
}

Size Sizes::divide(Size a, Size b, bool isSigned) {
  if (!a || !b)
    return nullptr;
  std::optional<int64_t> numerator = getConstant(a), divisor = getConstant(b);
  if (divisor == 1)
    return a;
  if (numerator && divisor && *numerator >= 0 && *divisor > 0)
    return constant(*numerator / *divisor);
  return getAtomic(SizeAtom(SizeAtom::Kind::Divide, {a, b}, isSigned));
}

Size Sizes::getExtreme(SizeAtom::Kind kind, Size a, Size b, bool isSigned) {
  if (isAtMost(a, b))
    return kind == SizeAtom::Kind::Max ? b : a;
  if (isAtMost(b, a))
    return kind == SizeAtom::Kind::Max ? a : b;
  // One atom for a max of several: operands that aren't needed go, and the
  // order doesn't matter.
  SmallVector<Size> operands;
  for (Size size : {a, b}) {
    const SizeAtom *atom = nullptr;
    if (size->first.size() == 1 && size->first.begin()->second == 1 &&
        size->first.begin()->first.size() == 1)
      atom = &atoms[size->first.begin()->first.front()];
    if (atom && atom->kind == kind && atom->isSigned == isSigned)
      operands.append(atom->operands.begin(), atom->operands.end());
    else
      operands.push_back(size);
  }
  SmallVector<Size, 2> needed;
  for (Size size : operands) {
    auto isCovered = [&](Size by, Size what) {
      return kind == SizeAtom::Kind::Max ? isAtMost(what, by)
                                         : isAtMost(by, what);
    };
    if (llvm::any_of(needed, [&](Size by) { return isCovered(by, size); }))
      continue;
    llvm::erase_if(needed, [&](Size what) { return isCovered(size, what); });
    needed.push_back(size);
  }
  if (needed.size() == 1)
    return needed.front();
  llvm::sort(needed,
             [](Size x, Size y) { return x->second.id < y->second.id; });
  return getAtomic(SizeAtom(kind, needed, isSigned));
}

Size Sizes::max(Size a, Size b, bool isSigned) {
  return a && b ? getExtreme(SizeAtom::Kind::Max, a, b, isSigned) : nullptr;
}

Size Sizes::min(Size a, Size b, bool isSigned) {
  return a && b ? getExtreme(SizeAtom::Kind::Min, a, b, isSigned) : nullptr;
}

Size Sizes::select(arith::CmpIPredicate predicate, Size a, Size b, Size x,
                   Size y) {
  if (!a || !b || !x || !y)
    return nullptr;
  if (x == y)
    return x;
  std::optional<int64_t> left = getConstant(a), right = getConstant(b);
  if (left && right)
    return arith::applyCmpPredicate(predicate, APInt(64, *left, true),
                                    APInt(64, *right, true))
               ? x
               : y;
  SizeAtom atom(SizeAtom::Kind::Select, {a, b, x, y});
  atom.predicate = predicate;
  return getAtomic(std::move(atom));
}

Size Sizes::roundUp(Size a, int64_t alignment) {
  if (!a || llvm::all_of(a->first, [&](const auto &term) {
        return term.second % alignment == 0;
      }))
    return a;
  return scale(divide(add(a, constant(alignment - 1)), constant(alignment)),
               alignment);
}

Size Sizes::shorten(Size a) {
  constexpr size_t maxTerms = 16;
  if (!a || a->first.size() <= maxTerms)
    return a;
  return getAtomic(SizeAtom(SizeAtom::Kind::Group, a));
}

Size Sizes::substitute(Size a, llvm::function_ref<Size(SizeSymbol)> replace) {
  llvm::DenseMap<unsigned, Size> done;
  auto visit = [&](auto &&self, Size size) -> Size {
    Size sum = constant(0);
    for (const auto &[factors, coefficient] : size->first) {
      Size product = constant(coefficient);
      for (unsigned number : factors) {
        if (auto it = done.find(number); it != done.end()) {
          product = multiply(product, it->second);
          continue;
        }
        SizeAtom atom = atoms[number]; // a copy: atoms are added
        SmallVector<Size> operands;
        for (Size operand : atom.operands) {
          operands.push_back(self(self, operand));
          if (!operands.back())
            return nullptr;
        }
        Size value = nullptr;
        switch (atom.kind) {
        case SizeAtom::Kind::Symbol:
          value = replace(atom.symbol);
          break;
        case SizeAtom::Kind::Group:
          value = operands[0];
          break;
        case SizeAtom::Kind::Divide:
          value = divide(operands[0], operands[1], atom.isSigned);
          break;
        case SizeAtom::Kind::Max:
        case SizeAtom::Kind::Min:
          value = operands[0];
          for (Size operand : llvm::drop_begin(operands))
            value = value ? getExtreme(atom.kind, value, operand, atom.isSigned)
                          : nullptr;
          break;
        case SizeAtom::Kind::Select:
          value = select(atom.predicate, operands[0], operands[1], operands[2],
                         operands[3]);
          break;
        }
        done[number] = value;
        product = multiply(product, value);
      }
      sum = add(sum, product);
    }
    return sum;
  };
  return a ? visit(visit, a) : nullptr;
}
