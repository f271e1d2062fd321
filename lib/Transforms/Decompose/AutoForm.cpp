//===- AutoForm.cpp - The cheaper form of attention -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

namespace {

/// Attention whose form is picked when it runs, or that has both. One append
/// serves both forms: it writes the query's last columns, which they share,
/// into rows that are wide enough for either,
///
///     [ latent L | pe R ]         absorbed, latent columns by absorb_q
///         [ nope N | pe R ]       expanded
///
/// Where nothing rotates, the expanded form takes q itself.
class BothForms {
public:
  BothForms(FormBuilder &form, int64_t chunkLength)
      : form(form), rewriter(form.rewriter), loc(form.loc), host(form.host),
        op(form.op), chunkLength(chunkLength) {}

  /// Appends, once for all parts and forms.
  void append();
  /// The attention of a part, in one form: `out` with its rows written.
  Value attend(const Part &part, bool expanded, Value out);

  Value getCache() { return cache; }
  /// Branches of the program start from the same rows.
  Value saveRows() { return wide; }
  void restoreRows(Value rows) { wide = rows; }

private:
  /// The last `width` columns but `skipped` of the rows of a part's tokens.
  Value sliceRows(const Part &part, int64_t width, int64_t skipped = 0);
  Value createAbsorbedQuery(const Part &part);

  FormBuilder &form;
  RewriterBase &rewriter;
  Location loc;
  HostArithmetic &host;
  AttentionOp op;
  int64_t chunkLength;
  int64_t wideWidth = 0;
  /// Null where R = 0: nothing is shared.
  Value wide;
  Value cache;
};

} // namespace

Value BothForms::sliceRows(const Part &part, int64_t width, int64_t skipped) {
  SmallVector<OpFoldResult> sizes{form.getTokens(part), form.heads,
                                  host.constant(width - skipped)};
  if (part.isLaunch)
    return form.sliceColumns(wide, 2, wideWidth - width, sizes);
  return form.slice(
      wide,
      {part.firstToken, host.constant(0), host.constant(wideWidth - width)},
      sizes);
}

void BothForms::append() {
  const AttentionWidths &widths = form.widths;
  form.createSlotMapping();
  if (!widths.pe) {
    cache = form.createAppend({}).second;
    return;
  }
  bool rotate = form.hasLiveRope();
  wideWidth = (rotate ? std::max(widths.latent, widths.nope) : widths.latent) +
              widths.pe;
  wide = form.createEmpty({form.tokens, form.heads, host.constant(wideWidth)},
                          form.getInputType());
  QueryParts parts;
  parts.pe = form.getQPe();
  if (rotate)
    parts.nope = form.getQNope();
  parts.query = rotate ? sliceRows(Part(), widths.nope + widths.pe) : wide;
  auto [query, newCache] = form.createAppend(parts);
  wide = form.replaceSlice(parts.query, query, wide);
  cache = newCache;
}

Value BothForms::createAbsorbedQuery(const Part &part) {
  const AttentionWidths &widths = form.widths;
  Value qNope = form.sliceTokens(part, form.getQNope());
  Value weights = form.getKeyWeights();
  Value init =
      wide ? sliceRows(part, widths.latent + widths.pe, /*skipped=*/widths.pe)
           : form.createEmpty({form.getTokens(part), form.heads,
                               host.constant(widths.latent)},
                              form.getInputType());
  Value absorbed =
      AbsorbQOp::create(rewriter, loc, init.getType(), qNope, weights, init)
          ->getResult(0);
  if (!wide)
    return absorbed;
  wide = form.replaceSlice(init, absorbed, wide);
  return sliceRows(part, widths.latent + widths.pe);
}

Value BothForms::attend(const Part &part, bool expanded, Value out) {
  if (!expanded)
    return attendAbsorbed(form, part, createAbsorbedQuery(part), cache, out);
  Value query = form.hasLiveRope()
                    ? sliceRows(part, form.widths.nope + form.widths.pe)
                    : form.sliceTokens(part, op.getQ());
  return attendExpanded(form, part, query, cache, out, chunkLength);
}

/// The hints, but no more than there is: device data say later whether they are
/// right. Nothing is sliced out of bounds by a wrong one.
static Part getGeneration(FormBuilder &form) {
  Part part;
  part.isLaunch = false;
  part.firstToken = part.firstSequence = form.host.constant(0);
  part.tokens = form.host.min(
      getAsOpFoldResult(form.op.getNumGenerationTokens()), form.tokens);
  part.sequences =
      form.host.min(getAsOpFoldResult(form.op.getNumGenerationSeqs()),
                    form.getSequences(Part()));
  return part;
}

/// Whether it is known now that no token sees a key. Then there are tensors
/// whose rows can't be sliced, and no form to choose.
static bool seesNothing(FormBuilder &form) {
  auto hasNoColumns = [](Value tensor) {
    return tensor &&
           cast<RankedTensorType>(tensor.getType()).getDimSize(1) == 0;
  };
  return isZeroInteger(form.getSequences(Part())) ||
         hasNoColumns(form.op.getPageTable()) ||
         hasNoColumns(form.op.getIndices());
}

LogicalResult mla::detail::buildAutoForm(FormBuilder &form,
                                         int64_t chunkLength) {
  AttentionOp op = form.op;
  // A quantized query exists in the absorbed form alone.
  if (op.getQueryScale() || seesNothing(form)) {
    buildAbsorbedForm(form);
    return success();
  }

  Part generation, context;
  if (op.getNumGenerationTokens())
    generation = getGeneration(form);
  // Slices of no rows are not valid IR, here and below.
  bool isMixed = !generation.isLaunch && !isZeroInteger(generation.tokens) &&
                 !isZeroInteger(generation.sequences);
  if (isMixed) {
    context.isLaunch = false;
    context.firstToken = generation.tokens;
    context.tokens = form.host.sub(form.tokens, generation.tokens);
    context.firstSequence = generation.sequences;
    context.sequences =
        form.host.sub(form.getSequences(Part()), generation.sequences);
  }
  OpFoldResult isExpanded = isExpandedCheaper(
      form.host, form.widths,
      {form.getTokens(context), form.getSequences(context), form.getMaxKeys()});
  std::optional<int64_t> decided = getConstantIntValue(isExpanded);
  if (isMixed &&
      (isZeroInteger(context.tokens) || isZeroInteger(context.sequences)))
    decided = 0;
  if (decided == 0) {
    buildAbsorbedForm(form);
    return success();
  }
  if (decided && !isMixed)
    return buildExpandedForm(form, chunkLength);

  BothForms forms(form, chunkLength);
  forms.append();
  auto attendMixed = [&]() {
    Value out = op.getOut();
    if (isMixed)
      out = forms.attend(generation, /*expanded=*/false, out);
    return forms.attend(context, /*expanded=*/true, out);
  };
  Value out;
  if (decided) {
    out = attendMixed();
  } else {
    auto branch = scf::IfOp::create(form.rewriter, form.loc,
                                    TypeRange(op.getOut().getType()),
                                    cast<Value>(isExpanded),
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(form.rewriter);
    Value rows = forms.saveRows();
    form.rewriter.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(form.rewriter, form.loc, attendMixed());
    forms.restoreRows(rows);
    form.rewriter.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(form.rewriter, form.loc,
                         forms.attend(Part(), /*expanded=*/false, op.getOut()));
    out = branch.getResult(0);
  }
  form.rewriter.replaceOp(op, ValueRange{out, forms.getCache()});
  return success();
}
