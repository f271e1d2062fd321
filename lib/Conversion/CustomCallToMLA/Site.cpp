//===- Site.cpp - A custom call and what it becomes -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Site.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
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
// Arguments
//===----------------------------------------------------------------------===//

static bool isNamed(Operation *op, StringRef name) {
  return op && op->getName().getStringRef() == name;
}

/// A value's tensor behind the casts between type systems, null for none.
static Value resolve(Value value) {
  Operation *def = value.getDefiningOp();
  if (isNamed(def, "torch.constant.none"))
    return {};
  if (!isa<ShapedType>(value.getType()) && def && def->getNumOperands() == 1 &&
      isa<ShapedType>(def->getOperand(0).getType()) &&
      (isa<UnrealizedConversionCastOp>(def) ||
       isNamed(def, "torch_c.from_builtin_tensor")))
    return def->getOperand(0);
  // A list of nothing is nothing.
  if (isNamed(def, "torch.prim.ListConstruct") &&
      llvm::none_of(def->getOperands(), resolve))
    return {};
  return value;
}

SmallVector<StringRef> Site::getNames(StringRef attribute) {
  SmallVector<StringRef> names;
  auto array = attributes.getAs<ArrayAttr>(attribute);
  if (attributes.get(attribute) && !array)
    refuse(attribute, "expected an array of names");
  for (Attribute element : array ? array.getValue() : ArrayRef<Attribute>()) {
    auto text = dyn_cast<StringAttr>(element);
    if (!text)
      refuse(attribute, "expected an array of names");
    else if (llvm::is_contained(names, text.getValue()))
      refuse(attribute,
             "expected a name once, got '" + text.getValue() + "' twice");
    else
      names.push_back(text.getValue());
  }
  return names;
}

void Site::bind(ArrayRef<Argument> arguments) {
  bindOperands(arguments);
  if (!refused)
    bindResults(arguments);
}

void Site::bindOperands(ArrayRef<Argument> arguments) {
  auto put = [&](StringRef argument, Value value) {
    if (Value resolved = resolve(value))
      values[argument] = resolved;
  };
  if (op->getName().getStringRef() == "stablehlo.composite") {
    auto version = op->getAttrOfType<IntegerAttr>("version");
    if (version && !version.getValue().isZero())
      return refuse("version", "expected 0, got " +
                                   Twine(version.getValue().getSExtValue()));
  }
  unsigned count = op->getNumOperands();
  if (attributes.get("operands")) {
    SmallVector<StringRef> names = getNames("operands");
    if (!refused && names.size() != count)
      refuse("operands", "expected a name for each of " + Twine(count) +
                             " operands, got " + Twine(names.size()));
    for (unsigned i = 0; i < names.size() && !refused; ++i) {
      if (llvm::none_of(arguments, [&](const Argument &argument) {
            return argument.name == names[i];
          }))
        return refuse("operands", "expected arguments of " + name + ", got '" +
                                      names[i] + "'");
      put(names[i], op->getOperand(i));
    }
    return;
  }
  auto isScalar = [](const Argument &argument) {
    return argument.kind == ArgumentKind::Scalar;
  };
  auto hasDefault = [](const Argument &argument) {
    return argument.hasDefault;
  };
  unsigned tensors = arguments.size() - llvm::count_if(arguments, isScalar);
  unsigned required = arguments.size() - llvm::count_if(arguments, hasDefault);
  bool onlyTensors = count == tensors;
  if (!onlyTensors && (count < required || count > arguments.size()))
    return refuse("operands", "expected " + Twine(arguments.size()) +
                                  " operands, or the " + Twine(tensors) +
                                  " that are tensors, or their names, got " +
                                  Twine(count) + " operands");
  unsigned next = 0;
  for (const Argument &argument : arguments)
    if (next < count && !(onlyTensors && isScalar(argument)))
      put(argument.name, op->getOperand(next++));
}

void Site::bindResults(ArrayRef<Argument> arguments) {
  SmallVector<StringRef> names = getNames("results");
  if (!attributes.get("results"))
    for (const Argument &argument : arguments)
      if (argument.kind == ArgumentKind::Changed && getValue(argument.name))
        names.push_back(argument.name);
  if (refused)
    return;
  if (names.size() != op->getNumResults())
    return refuse("results",
                  "expected a result for each argument that changes (" +
                      llvm::join(names, ", ") + "), or their names, got " +
                      Twine(op->getNumResults()) + " results");
  for (auto [index, result] : llvm::enumerate(names)) {
    if (llvm::none_of(arguments, [&, name = result](const Argument &argument) {
          return argument.name == name &&
                 argument.kind == ArgumentKind::Changed;
        }))
      return refuse("results", "expected arguments that " + name +
                                   " changes, got '" + result + "'");
    results[result] = index;
  }
}

Value Site::getOptionalTensor(StringRef argument, int64_t rank) {
  Value value = getValue(argument);
  if (!value)
    return {};
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (type && type.getRank() == rank)
    return value;
  refuse(argument, "expected a tensor of rank " + Twine(rank) + ", got " +
                       describe(value));
  return {};
}

Value Site::getTensor(StringRef argument, int64_t rank) {
  if (!getValue(argument))
    refuse(argument, "expected an operand, got none");
  return getOptionalTensor(argument, rank);
}

/// A constant operand's value, or the attribute of that name.
Attribute Site::getConstant(StringRef argument) {
  Value value = getValue(argument);
  if (!value)
    return attributes.get(argument);
  Operation *def = value.getDefiningOp();
  if (def && (isa<arith::ConstantOp>(def) ||
              def->getName().getStringRef().starts_with("torch.constant.")))
    return def->getAttr("value");
  refuse(argument, "expected a constant, got a value");
  return {};
}

template <typename AttrTy>
AttrTy Site::getScalar(StringRef argument, StringRef what, bool isOptional) {
  Attribute attribute = getConstant(argument);
  if (auto typed = dyn_cast_or_null<AttrTy>(attribute))
    return typed;
  if (attribute) {
    std::string got;
    llvm::raw_string_ostream(got) << attribute;
    refuse(argument, "expected " + what + ", got " + got);
  } else if (!isOptional) {
    refuse(argument, "expected " + what + ", got none");
  }
  return {};
}

int64_t Site::getInteger(StringRef argument, std::optional<int64_t> byDefault) {
  auto attr = getScalar<IntegerAttr>(argument, "an integer constant",
                                     byDefault.has_value());
  if (!attr)
    return byDefault.value_or(0);
  if (!attr.getValue().isSignedIntN(64)) {
    refuse(argument, "expected an integer of 64 bits, got a wider one");
    return 0;
  }
  return attr.getValue().getBitWidth() == 1 ? attr.getValue().getZExtValue()
                                            : attr.getValue().getSExtValue();
}

bool Site::getBool(StringRef argument, std::optional<bool> byDefault) {
  auto attr =
      getScalar<IntegerAttr>(argument, "true or false", byDefault.has_value());
  return attr ? !attr.getValue().isZero() : byDefault.value_or(false);
}

double Site::getFloat(StringRef argument) {
  auto attr = getScalar<FloatAttr>(argument, "a floating-point constant",
                                   /*isOptional=*/false);
  return attr ? attr.getValueAsDouble() : 0;
}

StringRef Site::getString(StringRef argument) {
  auto attr = getScalar<StringAttr>(argument, "a string constant",
                                    /*isOptional=*/false);
  return attr ? attr.getValue() : StringRef();
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

bool Site::finish(StringRef pass, bool exact) {
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
  op->erase();
  return true;
}
