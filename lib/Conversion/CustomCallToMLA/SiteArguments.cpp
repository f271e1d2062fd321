//===- SiteArguments.cpp - What a custom call is called with --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Site.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mla;
using namespace mla::customcall;

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
  unsigned tensors = llvm::count_if(arguments, [&](const Argument &argument) {
    return !isScalar(argument) && !hasDefault(argument);
  });
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

int64_t Site::getSize(StringRef argument, int64_t least) {
  int64_t size = getInteger(argument);
  if (!refused && (size < least || size > INT32_MAX))
    refuse(argument,
           "expected " + Twine(least) + " or more, got " + Twine(size));
  return refused ? least : size;
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
