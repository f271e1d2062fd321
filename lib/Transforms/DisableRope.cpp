//===- DisableRope.cpp - mla-disable-rope ---------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/MLAOps.h"
#include "mla/Transforms/Passes.h"

namespace mla {
#define GEN_PASS_DEF_MLADISABLEROPE
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;

namespace {

struct DisableRope : public mla::impl::MLADisableRopeBase<DisableRope> {
  using MLADisableRopeBase::MLADisableRopeBase;

  void runOnOperation() override {
    // Null: every phase.
    std::optional<Phase> only = symbolizePhase(phase);
    if (!only && phase != "all") {
      emitError(getOperation().getLoc())
          << getArgument()
          << ": phase: expected context, generation or all, got '" << phase
          << "'";
      return signalPassFailure();
    }
    std::string note = (getArgument() + " phase=" + phase).str();

    SmallVector<RopeOpInterface> switched, kept;
    bool failed = false;
    getOperation()->walk([&](RopeOpInterface op) {
      if (!op.getLiveRope())
        return;
      if (only && !op.getPhase()) {
        op->emitOpError() << note
                          << ": expected a phase attribute beside a live rope, "
                             "got none";
        failed = true;
        return;
      }
      (!only || op.getPhase() == only ? switched : kept).push_back(op);
    });
    if (failed)
      return signalPassFailure();

    if (!switched.empty() && !kept.empty())
      warnOfDisagreement(switched, kept, note);
    for (RopeOpInterface op : switched) {
      RopeAttr rope = op.getRopeAttr();
      op.setRopeAttr(RopeAttr::get(&getContext(), rope.getStyle(),
                                   rope.getHeadDim(), /*enabled=*/false));
      op.noteRopeOff(note);
    }
    addNote(note);
  }

private:
  /// One warning, not one for each layer.
  void warnOfDisagreement(ArrayRef<RopeOpInterface> switched,
                          ArrayRef<RopeOpInterface> kept, StringRef note) {
    RopeOpInterface first = switched.front(), other = kept.front();
    StringRef otherPhase = stringifyPhase(*other.getPhase());
    InFlightDiagnostic warning = first->emitWarning()
                                 << note << ": no longer rotates keys";
    if (switched.size() > 1)
      warning << ", nor do " << switched.size() - 1 << " others of its phase";
    warning << ", but '" << other->getName() << "' of phase " << otherPhase
            << " does: keys in one cache disagree";
    warning.attachNote(other->getLoc())
        << "this operation of phase " << otherPhase << " keeps its rope";
  }

  void addNote(StringRef note) {
    ModuleOp module = getOperation();
    SmallVector<Attribute> notes;
    if (auto old = module->getAttrOfType<ArrayAttr>(MLADialect::kNotesAttr))
      llvm::append_range(notes, old);
    Attribute attribute = StringAttr::get(&getContext(), note);
    if (!llvm::is_contained(notes, attribute))
      notes.push_back(attribute);
    module->setAttr(MLADialect::kNotesAttr,
                    ArrayAttr::get(&getContext(), notes));
  }
};

} // namespace
