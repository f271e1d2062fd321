//===- Site.cpp - A custom call and what it becomes -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Site.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mla;
using namespace mla::customcall;

std::string customcall::describe(Value value) {
  if (!value)
    return "none";
  std::string text;
  llvm::raw_string_ostream(text) << '\'' << value.getType() << '\'';
  return text;
}

//===----------------------------------------------------------------------===//
// The forms of a call
//===----------------------------------------------------------------------===//

static std::string normalize(StringRef callee) {
  std::string text = callee.str();
  for (size_t at; (at = text.find("::")) != std::string::npos;)
    text.replace(at, 2, ".");
  StringRef name = text;
  if (name.consume_front("torch."))
    name.consume_front("ops.");
  name.consume_back(".default");
  return name.str();
}

/// Attributes of a call that carries them in one: a dictionary, or its text.
static DictionaryAttr getNested(Operation *op, StringRef attribute) {
  Attribute nested = op->getAttr(attribute);
  auto text = dyn_cast_or_null<StringAttr>(nested);
  if (text && text.getValue().trim().starts_with("{")) {
    // What isn't ours to read is no error.
    ScopedDiagnosticHandler quiet(op->getContext(),
                                  [](Diagnostic &) { return success(); });
    nested = parseAttribute(text.getValue(), op->getContext());
  }
  auto dictionary = dyn_cast_or_null<DictionaryAttr>(nested);
  return dictionary ? dictionary : DictionaryAttr::get(op->getContext());
}

Site::Site(Operation *op, std::string name, DictionaryAttr attributes)
    : op(op), name(std::move(name)), attributes(attributes),
      builder(op, &emitted), replacements(op->getNumResults()) {}

std::unique_ptr<Site> Site::get(Operation *op) {
  auto make = [&](StringRef callee, DictionaryAttr attributes) {
    return std::unique_ptr<Site>(new Site(op, normalize(callee), attributes));
  };
  if (auto call = dyn_cast<func::CallOp>(op))
    return make(call.getCallee(), op->getDiscardableAttrDictionary());
  StringRef form = op->getName().getStringRef();
  StringRef nameAttr =
      form == "stablehlo.custom_call" ? "call_target_name" : "name";
  auto callee = [&] { return op->getAttrOfType<StringAttr>(nameAttr); };
  if (form == "stablehlo.custom_call")
    return callee() ? make(callee(), getNested(op, "backend_config")) : nullptr;
  if (form == "stablehlo.composite")
    return callee() ? make(callee(), getNested(op, "composite_attributes"))
                    : nullptr;
  if (form != "torch.operator" || !callee() || op->getNumRegions())
    return nullptr;
  NamedAttrList others(op->getDiscardableAttrDictionary());
  others.erase(nameAttr);
  return make(callee(), others.getDictionary(op->getContext()));
}

StringRef Site::getBaseName() const {
  if (!isa<func::CallOp>(op))
    return name;
  auto [base, number] = StringRef(name).rsplit('_');
  return !number.empty() && llvm::all_of(number, llvm::isDigit) ? base : name;
}

//===----------------------------------------------------------------------===//
// Results and verdicts
//===----------------------------------------------------------------------===//

bool Site::isRead(StringRef argument) const {
  auto found = results.find(argument);
  return found != results.end() && !op->getResult(found->second).use_empty();
}

void Site::setResult(StringRef argument, Value value) {
  auto found = results.find(argument);
  if (found != results.end())
    replacements[found->second] = value;
}

void Site::refuse(StringRef subject, const Twine &text) {
  if (refused)
    return;
  refused = true;
  reason = (subject + (subject.empty() ? "" : ": ") + text).str();
  culprit = getValue(subject);
}

bool Site::holds(function_ref<LogicalResult()> check) {
  std::string text;
  ScopedDiagnosticHandler handler(getContext(), [&](Diagnostic &diagnostic) {
    if (text.empty())
      text = diagnostic.str();
    return success();
  });
  if (succeeded(check()))
    return true;
  refuse("", text);
  return false;
}

void Site::note(const Twine &difference) { notes.push_back(difference.str()); }

/// `value` as the type that readers of a result have.
Value Site::convertTo(Value value, Type type) {
  if (value.getType() == type)
    return value;
  auto from = dyn_cast<RankedTensorType>(value.getType());
  auto to = dyn_cast<RankedTensorType>(type);
  if (from && to) {
    if (!tensor::CastOp::areCastCompatible(from, to))
      return {};
    return tensor::CastOp::create(builder, getLoc(), to, value);
  }
  // Readers in another type system cast on.
  return UnrealizedConversionCastOp::create(builder, getLoc(), type, value)
      .getResult(0);
}

/// What defines the operands of a call: constants and casts of another dialect,
/// as far as they were there for that call alone. Where the dialect isn't
/// loaded nobody else knows that they may go.
static llvm::SetVector<Operation *> getSources(Operation *op) {
  llvm::SetVector<Operation *> sources;
  for (Value operand : op->getOperands()) {
    Operation *def = operand.getDefiningOp();
    StringRef name = def ? def->getName().getStringRef() : "";
    if (name.starts_with("torch.constant.") ||
        name == "torch.prim.ListConstruct" ||
        name == "torch_c.from_builtin_tensor")
      sources.insert(def);
  }
  return sources;
}

static void eraseUnused(llvm::SetVector<Operation *> sources) {
  while (!sources.empty()) {
    Operation *source = sources.pop_back_val();
    if (!source->use_empty())
      continue;
    sources.set_union(getSources(source));
    source->erase();
  }
}

bool Site::finish(StringRef pass, bool exact) {
  // Slices beyond what there is, say.
  for (Operation *created : emitted.ops)
    if (!refused && created->getBlock() == op->getBlock())
      holds([&] { return verify(created); });
  if (!refused && exact && !notes.empty())
    refuse("", "exact: " + notes.front());
  for (unsigned i = 0; i < replacements.size() && !refused; ++i) {
    OpResult result = op->getResult(i);
    if (result.use_empty())
      continue;
    Value value = replacements[i];
    replacements[i] = value ? convertTo(value, result.getType()) : Value();
    if (replacements[i])
      continue;
    refuse(("result #" + Twine(i)).str(),
           "expected the type of its argument, " + describe(value) + ", got " +
               describe(result));
  }

  InFlightDiagnostic remark = emitRemark(getLoc());
  remark << pass << ": '" << name << "' ";
  if (refused) {
    remark << "stays: " << reason;
    if (culprit)
      remark.attachNote(culprit.getLoc()) << "its value is from here";
    // Those in regions go with the operations around them.
    llvm::erase_if(emitted.ops, [&](Operation *created) {
      return created->getBlock() != op->getBlock();
    });
    for (Operation *created : llvm::reverse(emitted.ops))
      created->erase();
    return false;
  }

  SmallVector<StringRef> became;
  for (Operation *created : emitted.ops)
    if (isa<MLAOpInterface>(created) && created->getBlock() == op->getBlock())
      became.push_back(created->getName().getStringRef());
  remark << "becomes " << llvm::join(became, ", ");
  if (ropeOff)
    remark << "; no rope, for there is no table";
  for (const std::string &text : notes)
    remark << "; " << text;
  for (auto [result, value] : llvm::zip_equal(op->getResults(), replacements))
    if (!result.use_empty())
      result.replaceAllUsesWith(value);
  llvm::SetVector<Operation *> sources = getSources(op);
  op->erase();
  eraseUnused(std::move(sources));
  return true;
}
