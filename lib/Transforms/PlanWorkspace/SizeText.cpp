//===- SizeText.cpp - Sizes as text ---------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Size.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

static llvm::StringRef getComparison(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return " == ";
  case arith::CmpIPredicate::ne:
    return " != ";
  case arith::CmpIPredicate::slt:
  case arith::CmpIPredicate::ult:
    return " < ";
  case arith::CmpIPredicate::sle:
  case arith::CmpIPredicate::ule:
    return " <= ";
  case arith::CmpIPredicate::sgt:
  case arith::CmpIPredicate::ugt:
    return " > ";
  case arith::CmpIPredicate::sge:
  case arith::CmpIPredicate::uge:
    return " >= ";
  }
  return {};
}

std::optional<std::string> Sizes::print(
    Size a,
    llvm::function_ref<std::optional<std::string>(SizeSymbol)> name) const {
  auto printSize = [&](auto &&self, Size size) -> std::optional<std::string> {
    auto printAtom = [&](const SizeAtom &atom) -> std::optional<std::string> {
      if (atom.kind == SizeAtom::Kind::Symbol)
        return name(atom.symbol);
      SmallVector<std::string> operands;
      for (Size operand : atom.operands) {
        std::optional<std::string> text = self(self, operand);
        if (!text)
          return std::nullopt;
        operands.push_back(*text);
      }
      auto inParentheses = [&](unsigned operand, bool isDivisor = false) {
        const SizeTerms &terms = atom.operands[operand]->first;
        bool isAtomic = terms.size() <= 1;
        if (isDivisor && !getConstant(atom.operands[operand]))
          isAtomic = terms.size() == 1 && terms.begin()->second == 1 &&
                     terms.begin()->first.size() == 1;
        return isAtomic ? operands[operand] : "(" + operands[operand] + ")";
      };
      switch (atom.kind) {
      case SizeAtom::Kind::Symbol:
        break;
      case SizeAtom::Kind::Group:
        return inParentheses(0);
      case SizeAtom::Kind::Divide:
        return "(" + inParentheses(0) + " // " +
               inParentheses(1, /*isDivisor=*/true) + ")";
      case SizeAtom::Kind::Max:
        return "max(" + llvm::join(operands, ", ") + ")";
      case SizeAtom::Kind::Min:
        return "min(" + llvm::join(operands, ", ") + ")";
      case SizeAtom::Kind::Select:
        return "(" + operands[2] + " if " + operands[0] +
               getComparison(atom.predicate).str() + operands[1] + " else " +
               operands[3] + ")";
      }
      return std::nullopt;
    };

    // The constant last, as people write it.
    std::string text;
    auto append = [&](int64_t coefficient, const std::string &product) {
      bool isNegative = coefficient < 0;
      text +=
          text.empty() ? (isNegative ? "-" : "") : (isNegative ? " - " : " + ");
      // Negation overflows for no coefficient that a size has.
      int64_t magnitude = isNegative ? -coefficient : coefficient;
      if (product.empty())
        text += std::to_string(magnitude);
      else
        text +=
            product + (magnitude == 1 ? "" : "*" + std::to_string(magnitude));
    };
    int64_t constant = 0;
    for (const auto &[factors, coefficient] : size->first) {
      if (factors.empty()) {
        constant = coefficient;
        continue;
      }
      SmallVector<std::string> product;
      for (unsigned number : factors) {
        std::optional<std::string> atom = printAtom(atoms[number]);
        if (!atom)
          return std::nullopt;
        product.push_back(*atom);
      }
      append(coefficient, llvm::join(product, "*"));
    }
    if (constant || text.empty())
      append(constant, "");
    return text;
  };
  return printSize(printSize, a);
}
