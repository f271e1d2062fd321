//===- AppendSite.cpp - What can become one mla.append --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AppendSite.h"

#include "mla/IR/CacheRow.h"
#include "mla/IR/DimSolver.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

bool mla::detail::isWrite(AppendOp op) {
  return op.getCache() && !op.getQuery();
}

bool mla::detail::isAssembly(AppendOp op) {
  return op.getQuery() && !op.getCache() && !op.getKPeOut();
}

AppendOp FusedAppend::create(OpBuilder &builder, Location loc) const {
  SmallVector<Type> types;
  for (Value dest : {query, kPeOut, cache})
    if (dest)
      types.push_back(dest.getType());
  auto op = AppendOp::create(builder, loc, types, cKv, kPe, qNope, qPe, slots,
                             rotation.cosSin, rotation.positions, cuQ,
                             queryScale, latentScale, peScale, query, kPeOut,
                             cache, rotation.rope, rounding, phase);
  op->setDiscardableAttrs(attributes.getDictionary(builder.getContext()));
  return op;
}

namespace {

/// Collects what the one append would be, until something is in the way.
class Site {
public:
  explicit Site(ArrayRef<AppendOp> appends)
      : appends(appends), first(appends.front()) {}

  std::variant<FusedAppend, Obstacle> check();

private:
  using Result = std::optional<Obstacle>;
  /// An input with positional columns, or a query's that rotate in place.
  struct PeRows {
    AppendOp op;
    /// Null where they are in place.
    const Source *source;
    Value dest;
    Rotation rotation;
  };

  static Obstacle refuse(Operation *op, const Twine &text) {
    return {op->getLoc(), text.str()};
  }
  Result checkPlaceOfAll();
  Result checkUses();
  Result checkRotations();
  Result checkRounding();
  Result checkTypes();
  Result checkTokens();
  Result checkAttributes();
  void noteRopeOff(RopeOpInterface op);
  void takeOperands();

  ArrayRef<AppendOp> appends;
  AppendOp first;
  FusedAppend fused;
  /// c_kv, k_pe, q_nope and q_pe of each append.
  SmallVector<std::array<Source, 4>, 2> sources;
  SmallVector<PeRows, 2> peRows;
};

} // namespace

constexpr StringLiteral kInputs[] = {"c_kv", "k_pe", "q_nope", "q_pe"};

Site::Result Site::checkPlaceOfAll() {
  for (AppendOp op : appends) {
    if (!op.hasPureTensorSemantics())
      return refuse(op, "(F1) expected tensors, got memrefs");
    if (op->getBlock() != first->getBlock())
      return refuse(op, "(F1) expected one block, got operations of two");
  }
  return {};
}

void Site::takeOperands() {
  for (AppendOp op : appends) {
    std::array<Source, 4> &inputs = sources.emplace_back();
    for (auto [name, source] : llvm::zip(kInputs, inputs))
      source = traceInput(op, name);
    auto take = [](Value &to, Value from) { to = from ? from : to; };
    take(fused.cKv, inputs[0].value);
    take(fused.kPe, inputs[1].value);
    take(fused.qNope, inputs[2].value);
    take(fused.qPe, inputs[3].value);
    take(fused.slots, op.getSlots());
    take(fused.queryScale, op.getQueryScale());
    take(fused.latentScale, op.getLatentScale());
    take(fused.peScale, op.getPeScale());
    take(fused.query, op.getQuery());
    take(fused.kPeOut, op.getKPeOut());
    take(fused.cache, op.getCache());
    // The slots say which rows of the cache are padding.
    if (op.getQuery() || appends.size() == 1)
      take(fused.cuQ, op.getCuQ());
  }
  for (auto [append, inputs] : llvm::zip(appends, sources)) {
    AppendOp op = append;
    Rotation own;
    if (RopeAttr rope = op.getLiveRope())
      own = {rope, op.getCosSin(), op.getPositions()};
    auto add = [&](const Source *source, Value dest) {
      bool isTraced = source && source->rotation.rope;
      peRows.push_back({op, source, dest, isTraced ? source->rotation : own});
    };
    if (inputs[1].value)
      add(&inputs[1], op.getCache() ? op.getCache() : op.getKPeOut());
    if (inputs[3].value)
      add(&inputs[3], op.getQuery());
    else if (op.getQuery() && (own.rope || !op.getQNope()))
      add(nullptr, op.getQuery());
  }
}

Site::Result Site::checkUses() {
  for (const auto &inputs : sources)
    for (const Source &source : inputs)
      for (Operation *maker : source.makers) {
        if (!maker->getResult(0).hasOneUse())
          return refuse(maker, "(F2) expected the append as the only user of "
                               "what is rotated or converted, got " +
                                   Twine(llvm::range_size(
                                       maker->getResult(0).getUses())) +
                                   " uses");
        fused.makers.push_back(maker);
      }
  return {};
}

Site::Result Site::checkRotations() {
  for (PeRows &rows : peRows) {
    if (rows.source && rows.source->rotation.rope && rows.op.getLiveRope())
      return refuse(rows.op, "(F3) expected rows that are rotated once, got an "
                             "append that rotates what is rotated");
    if (!fused.rotation.rope)
      fused.rotation = rows.rotation;
  }
  if (!fused.rotation.rope)
    return {};
  // A query without rows of its own would rotate in place.
  if (fused.query && !fused.qPe &&
      llvm::none_of(peRows, [](const PeRows &rows) { return !rows.source; }))
    return refuse(appends.back(), "(F3) expected a query that is rotated as "
                                  "the key is, got one without q_pe");
  for (PeRows &rows : peRows) {
    if (rows.rotation == fused.rotation)
      continue;
    StringRef which = rows.rotation.rope == fused.rotation.rope
                          ? "another table or other positions"
                      : rows.rotation.rope ? "another rope attribute"
                                           : "no rotation";
    bool isKey = rows.dest != rows.op.getQuery();
    return refuse(rows.op,
                  Twine("(F3) expected key and query to be rotated alike, "
                        "got a ") +
                      (isKey ? "key" : "query") + " with " + which);
  }
  return {};
}

Site::Result Site::checkRounding() {
  std::optional<Rounding> needed;
  auto getRounding = [](AppendOp op) {
    return op.getRounding().value_or(Rounding::Direct);
  };
  for (PeRows &rows : peRows) {
    if (!rows.rotation.rope || !rows.source ||
        !isa<Float8E4M3FNType>(getElementTypeOrSelf(rows.dest)))
      continue;
    Type type = getElementTypeOrSelf(rows.source->value);
    if (type.isF32())
      continue;
    Rounding rounding = rows.source->between == type
                            ? Rounding::ThroughInputType
                            : Rounding::Direct;
    // The append itself rotates, rows as it gets them.
    if (!rows.source->rotation.rope)
      rounding = rows.source->makers.empty() ||
                         getElementTypeOrSelf(
                             rows.source->makers.front()->getResult(0)) == type
                     ? getRounding(rows.op)
                     : Rounding::Direct;
    if (needed && *needed != rounding)
      return refuse(rows.op, "(F4) expected key and query to be rounded alike, "
                             "got one that is rounded to the input type "
                             "between rotation and quantization");
    needed = rounding;
  }
  // An attribute that says what is needed, or where nothing is needed any.
  for (AppendOp op : appends)
    if (!fused.rounding && (!needed || getRounding(op) == *needed))
      fused.rounding = op.getRoundingAttr();
  if (needed && *needed != (fused.rounding ? fused.rounding.getValue()
                                           : Rounding::Direct))
    fused.rounding = RoundingAttr::get(first.getContext(), *needed);
  return {};
}

Site::Result Site::checkTypes() {
  Type input;
  for (auto [append, inputs] : llvm::zip(appends, sources))
    for (auto [name, source] : llvm::zip(kInputs, inputs)) {
      AppendOp op = append;
      if (!source.value)
        continue;
      Type type = getElementTypeOrSelf(source.value);
      if (input && type != input)
        return refuse(op, "(F5) expected inputs of one type, got " + name +
                              " of another before it is rotated or converted");
      input = type;
      // Which 16 bits the pe columns of bytes are follows from the inputs.
      if (op.getCache() && isPackedCache(op.getCache().getType()) &&
          getPackedPeType(type) !=
              getPackedPeType(getElementTypeOrSelf(op.getNamedOperand(name))))
        return refuse(op, "(F5) expected block-scaled rows to keep the type of "
                          "their pe columns, got another");
    }
  for (Value dest : {fused.query, fused.kPeOut, fused.cache}) {
    Type type = dest ? getElementTypeOrSelf(dest) : input;
    if (input && type != input && !isa<Float8E4M3FNType, IntegerType>(type))
      return refuse(first, "(F5) expected destinations of the inputs' type or "
                           "quantized, got another type");
  }
  if (fused.query && fused.cache && isPackedCache(fused.cache.getType()) &&
      isa<Float8E4M3FNType>(getElementTypeOrSelf(fused.query)))
    return refuse(appends.back(), "(F5) expected a query that isn't quantized "
                                  "beside block-scaled rows, got one that is");

  OpBuilder builder(first.getContext());
  AppendOp op = fused.create(builder, first.getLoc());
  bool agree = succeeded(solveDims(op));
  op->destroy();
  if (!agree)
    return refuse(appends.back(),
                  "(F5) expected query and cache of shapes that "
                  "agree, got others");
  return {};
}

Site::Result Site::checkTokens() {
  if (appends.size() < 2)
    return {};
  SmallVector<Value> tensors[2];
  for (auto [append, inputs, list] : llvm::zip(appends, sources, tensors)) {
    AppendOp op = append;
    for (Value value :
         {op.getCKv(), op.getKPe(), op.getQNope(), op.getQPe(), op.getSlots(),
          op.getQuery(), op.getPositions(), inputs[1].rotation.positions,
          inputs[3].rotation.positions})
      if (value)
        list.push_back(value);
  }
  if (!haveSameTokens(tensors[0], tensors[1]))
    return refuse(appends.back(),
                  "(F6) expected the cache and the query to be of the same "
                  "tokens, got numbers that aren't known to be equal");

  if (auto mapping = fused.slots.getDefiningOp<SlotMappingOp>();
      mapping && fused.cuQ && mapping.getCuQ() != fused.cuQ)
    return refuse(appends.back(), "(F6) expected cu_q to be that of the slots, "
                                  "got another");
  for (AppendOp op : appends)
    if (op.getKPeOut() && op.getCuQ() != fused.cuQ)
      return refuse(op, "(F6) expected k_pe_out and the query to have one "
                        "cu_q, got another");
  return {};
}

/// A rotation that is off leaves its reason.
void Site::noteRopeOff(RopeOpInterface op) {
  StringRef name = MLADialect::kRopeOffAttr;
  RopeAttr rope = op.getRopeAttr();
  if (!rope || rope.isLive() || fused.attributes.get(name))
    return;
  Attribute reason = op->getDiscardableAttr(name);
  if (!reason)
    reason = StringAttr::get(
        op.getContext(),
        rope.getEnabled() ? "head_dim = 0" : "disabled in the rope attribute");
  fused.attributes.set(name, reason);
}

Site::Result Site::checkAttributes() {
  auto takePhase = [&](PhaseAttr phase) {
    if (phase && fused.phase && phase != fused.phase)
      return false;
    fused.phase = phase ? phase : fused.phase;
    return true;
  };
  for (AppendOp op : appends) {
    if (!takePhase(op.getPhaseAttr()))
      return refuse(op, "(F7) expected operations of one phase, got two");
    for (NamedAttribute attribute : op->getDiscardableAttrs()) {
      Attribute there = fused.attributes.get(attribute.getName());
      if (there && there != attribute.getValue())
        return refuse(op, "(F7) expected attributes that agree, got two values "
                          "of '" +
                              attribute.getName().getValue() + "'");
      fused.attributes.set(attribute.getName(), attribute.getValue());
    }
    noteRopeOff(op);
  }
  for (Operation *op : fused.makers) {
    auto rope = dyn_cast<RopeOp>(op);
    if (!rope)
      continue;
    if (!takePhase(rope.getPhaseAttr()))
      return refuse(rope, "(F7) expected operations of one phase, got two");
    noteRopeOff(rope);
  }
  return {};
}

std::variant<FusedAppend, Obstacle> Site::check() {
  if (Result obstacle = checkPlaceOfAll())
    return *obstacle;
  takeOperands();
  for (auto check :
       {&Site::checkUses, &Site::checkRotations, &Site::checkRounding,
        &Site::checkAttributes, &Site::checkTypes, &Site::checkTokens})
    if (Result obstacle = (this->*check)())
      return *obstacle;
  if (Result obstacle = findPlace(appends, fused))
    return *obstacle;
  return fused;
}

std::variant<FusedAppend, Obstacle>
mla::detail::checkFusable(ArrayRef<AppendOp> appends) {
  return Site(appends).check();
}
