//===- DimSolver.cpp - Sizes of an operation's shape symbols --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/DimSolver.h"
#include "mla/IR/CacheRow.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mla;

namespace {

/// One dim of one operand: its spec, such as "L+R", and its size.
struct DimEquation {
  StringRef operandName;
  StringRef spec;
  SmallVector<std::string> symbols;
  int64_t constant = 0;
  int64_t size;
  unsigned operand;
};

/// "N+V" -> symbols N, V; "B+1" -> symbol B, constant 1.
void splitSpec(StringRef spec, DimEquation &equation) {
  SmallVector<StringRef> terms;
  spec.split(terms, '+');
  for (StringRef term : terms) {
    int64_t literal;
    if (!term.getAsInteger(10, literal))
      equation.constant += literal;
    else
      equation.symbols.push_back(term.str());
  }
}

std::string printShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(shape, os, [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      os << '?';
    else
      os << size;
  });
  os << ']';
  return text;
}

/// Whether a dim is of a size that the program's types must state. Of the
/// symbols only tokens, sequences, rows, pages and numbers of indices vary at
/// run time.
bool isStaticDim(StringRef dimSpec) {
  if (dimSpec.starts_with("*"))
    return false;
  SmallVector<StringRef> terms;
  dimSpec.split(terms, '+');
  return llvm::any_of(terms, [](StringRef term) {
    return StringSwitch<bool>(term)
        .Cases({"T", "B", "S", "K", "pages", "topk", "max_pos", "1"}, false)
        .Default(true);
  });
}

/// What no live rope uses may have any shape: a front end copies it in with the
/// rest of its config, and canonicalization removes it.
bool isIgnored(MLAOpInterface op, const OperandSpec &spec) {
  auto ropeOp = dyn_cast<RopeOpInterface>(op.getOperation());
  return ropeOp && (spec.name == "cos_sin" || spec.name == "positions") &&
         !spec.isInit && !ropeOp.getLiveRope();
}

} // namespace

FailureOr<SmallVector<std::string>> mla::expandDims(StringRef dims,
                                                    int64_t rank) {
  SmallVector<StringRef> specs;
  if (!dims.empty())
    dims.split(specs, ',');
  SmallVector<std::string> expanded;
  int64_t extra = rank - static_cast<int64_t>(specs.size()) + 1;
  for (StringRef spec : specs) {
    if (spec != "*") {
      expanded.push_back(spec.str());
      continue;
    }
    for (int64_t i = 0; i < extra; ++i)
      expanded.push_back(("*" + Twine(i)).str());
  }
  if (static_cast<int64_t>(expanded.size()) != rank)
    return failure();
  return expanded;
}

std::optional<int64_t> DimSizes::lookup(StringRef symbol) const {
  auto it = sizes.find(symbol);
  return it == sizes.end() ? std::nullopt : std::optional(it->second);
}

FailureOr<DimSizes>
mla::solveDims(MLAOpInterface op,
               function_ref<InFlightDiagnostic()> emitError) {
  SmallVector<DimEquation> equations;
  for (auto [index, spec] : llvm::enumerate(op.getOperandSpecs())) {
    Value value = op.getSpecOperand(index);
    auto type = value ? dyn_cast<ShapedType>(value.getType()) : ShapedType();
    if (!type || isIgnored(op, spec))
      continue;
    auto dims = expandDims(spec.dims, type.getRank());
    if (failed(dims)) {
      if (emitError)
        emitError() << "(C1) " << spec.name << ": expected shape [" << spec.dims
                    << "], got " << printShape(type.getShape());
      return failure();
    }
    for (auto [dimSpec, size] : llvm::zip_equal(*dims, type.getShape())) {
      if (ShapedType::isDynamic(size)) {
        if (!isStaticDim(dimSpec))
          continue;
        if (emitError)
          emitError() << "(C1) " << spec.name << ": expected " << dimSpec
                      << " to be static in shape [" << spec.dims << "], got "
                      << printShape(type.getShape());
        return failure();
      }
      // Its width is no sum of the others': verifyPackedCache checks it.
      if (dimSpec == "L+R" && isPackedCache(type))
        continue;
      DimEquation &equation = equations.emplace_back();
      equation.operandName = spec.name;
      equation.spec = spec.dims;
      equation.size = size;
      equation.operand = index;
      splitSpec(dimSpec, equation);
    }
  }

  // Each round solves the equations that have at most one unknown left; what
  // the last round leaves has several and constrains nothing yet.
  DimSizes result;
  bool progress = true;
  while (progress) {
    progress = false;
    for (DimEquation &equation : equations) {
      if (equation.size < 0)
        continue;
      int64_t rest = equation.size - equation.constant;
      StringRef unknown;
      unsigned numUnknown = 0;
      for (StringRef symbol : equation.symbols) {
        if (std::optional<int64_t> size = result.lookup(symbol)) {
          rest -= *size;
          continue;
        }
        unknown = symbol;
        ++numUnknown;
      }
      if (numUnknown > 1)
        continue;
      if (rest < 0 || (numUnknown == 0 && rest != 0)) {
        if (emitError) {
          InFlightDiagnostic diagnostic = emitError();
          diagnostic << "(C1) " << equation.operandName << ": expected shape ["
                     << equation.spec << "]";
          for (auto [index, symbol] : llvm::enumerate(equation.symbols))
            if (std::optional<int64_t> size = result.lookup(symbol))
              diagnostic << (index ? ", " : " with ") << symbol << " = "
                         << *size;
          Value value = op.getSpecOperand(equation.operand);
          diagnostic << ", got "
                     << printShape(
                            cast<ShapedType>(value.getType()).getShape());
        }
        return failure();
      }
      if (numUnknown == 1)
        result.sizes[unknown] = rest;
      equation.size = -1;
      progress = true;
    }
  }
  return result;
}
