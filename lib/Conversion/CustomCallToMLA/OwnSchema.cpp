//===- OwnSchema.cpp - Custom calls of our own operations -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The schema of `mla.NAME` is the operation's definition: operands are named,
// attributes have the operation's names, there is a result a destination.
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "mla/IR/OpSupport.h"
#include "mlir/AsmParser/AsmParser.h"

using namespace mlir;
using namespace mla;
using namespace mla::customcall;

/// A front end without this dialect writes its attributes as text. No attribute
/// of an operation is a string.
static Attribute readAttribute(Site &site, NamedAttribute attribute) {
  auto text = dyn_cast<StringAttr>(attribute.getValue());
  StringRef name = attribute.getName();
  if (!text || name.contains('.'))
    return attribute.getValue();
  ScopedDiagnosticHandler quiet(site.getContext(),
                                [](Diagnostic &) { return success(); });
  Attribute value = parseAttribute(text.getValue(), site.getContext());
  if (!value)
    site.refuse(name, "expected the text of an attribute, got '" +
                          text.getValue() + "'");
  return value;
}

void customcall::convertOwn(Site &site) {
  StringRef name = site.getBaseName();
  name.consume_front("mla.");
  auto info =
      RegisteredOperationName::lookup(("mla." + name).str(), site.getContext());
  auto *interface = info ? info->getInterface<MLAOpInterface>() : nullptr;
  if (!interface)
    return site.refuse("", "expected an operation of mla");

  SmallVector<Argument> arguments;
  // Buffers change where they are.
  bool onBuffers =
      llvm::any_of(site.getOperation()->getOperandTypes(),
                   [](Type type) { return isa<MemRefType>(type); });
  for (const OperandSpec &spec : interface->getOperandSpecs())
    arguments.push_back({spec.name, spec.isInit && !onBuffers
                                        ? ArgumentKind::Changed
                                        : ArgumentKind::Tensor});
  if (!site.getAttributes().get("operands"))
    return site.refuse("operands", "expected the operands' names, got none");
  site.bind(arguments);
  if (site.isRefused())
    return;

  NamedAttrList attributes;
  for (NamedAttribute attribute : site.getAttributes()) {
    StringRef key = attribute.getName();
    if (key == "operands" || key == "results")
      continue;
    if (!key.contains('.') &&
        !llvm::is_contained(info->getAttributeNames(), attribute.getName()))
      return site.refuse(key, "expected an attribute of mla." + name);
    Attribute value = readAttribute(site, attribute);
    if (site.isRefused())
      return;
    attributes.append(attribute.getName(), value);
  }
  auto rope = dyn_cast_or_null<RopeAttr>(attributes.get("rope"));
  if (rope && rope.isLive() && !site.getValue("cos_sin")) {
    attributes.erase("rope");
    attributes.append(getNoRope(site));
  }

  SmallVector<std::pair<StringRef, Value>> operands;
  for (const Argument &argument : arguments)
    operands.push_back({argument.name, site.getValue(argument.name)});
  MLAOpInterface op = createOp(site, name, operands, attributes);
  if (!op)
    return;
  for (const Argument &argument : arguments)
    if (Value result = op.getNamedResult(argument.name))
      site.setResult(argument.name, result);
}
