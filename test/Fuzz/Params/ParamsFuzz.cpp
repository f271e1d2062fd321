//===- ParamsFuzz.cpp - Random calls of every operation -------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A call that is valid, with spoilt data or spoilt fields. Whatever it is:
//
//  - it is refused with one sentence of the operation, the same in CHECK as in
//    RUN, and then nothing moves; or it runs, and only elements of its outputs
//    move;
//  - bad data end in a sentence of mla_context_check.
//
// The first byte picks the operation; MLA_FUZZ_OP names one for all inputs.
//
//===----------------------------------------------------------------------===//

#include "../FuzzTarget.h"
#include "ValidCall.h"

using namespace mla::fuzz;

namespace {

mla_context *makeContext(int32_t mode) {
  mla_context *ctx = nullptr;
  if (mla_context_create("cpu", 0, &ctx) || mla_context_set_mode(ctx, mode))
    std::abort();
  return ctx;
}

/// One thread that lives on between inputs, so that they are independent of
/// each other's threads; contexts without an error.
mla_context *freshContext(int32_t mode) {
  static mla_context *contexts[] = {makeContext(MLA_MODE_RUN),
                                    makeContext(MLA_MODE_CHECK),
                                    makeContext(MLA_MODE_PLAN)};
  mla_context *ctx = contexts[mode];
  mla_context_clear_error(ctx);
  mla_context_check(ctx);
  mla_context_clear_error(ctx);
  return ctx;
}

void requireOpSentence(const std::string &text, const Op &op) {
  requireSentence(text, std::string("mla_") + op.name);
  require(text.find("expected ") != std::string::npos &&
              text.find(", got ") != std::string::npos,
          "what was expected and what came", text);
}

const Op &chooseOp(Input &input) {
  static const char *only = std::getenv("MLA_FUZZ_OP");
  const std::vector<Op> &ops = allOps();
  const Op &chosen = ops[input.below(static_cast<unsigned>(ops.size()))];
  if (only)
    for (const Op &op : ops)
      if (std::string(op.name) == only)
        return op;
  return chosen;
}

/// How many inputs were accepted: shown at the end where MLA_FUZZ_COUNT is set.
struct Counts {
  uint64_t refused = 0, ran = 0, ranWithFault = 0, checkedOnly = 0;
  ~Counts() {
    if (std::getenv("MLA_FUZZ_COUNT"))
      std::fprintf(stderr,
                   "refused %llu, ran %llu, ran and met bad data %llu, only "
                   "checked %llu\n",
                   static_cast<unsigned long long>(refused),
                   static_cast<unsigned long long>(ran),
                   static_cast<unsigned long long>(ranWithFault),
                   static_cast<unsigned long long>(checkedOnly));
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Arena arena;
  static Counts counts;
  arena.clear();
  Input input(data, size);
  const Op &op = chooseOp(input);
  AnyCall call(op, arena);
  unsigned damage = input.below(4); // bit 0: data, bit 1: fields
  int32_t threads = input.pick({1, 2});
  call.makeValid(input);
  if (damage & 1)
    call.damageData(input);
  if (damage & 2)
    call.damageFields(input);
  arena.snapshot();

  mla_context *check = freshContext(MLA_MODE_CHECK);
  mla_status checked = call.run(check);
  std::string sentence = mla_last_error(check);
  if (checked != MLA_STATUS_OK) {
    require(checked == MLA_STATUS_INVALID_ARGUMENT ||
                checked == MLA_STATUS_UNIMPLEMENTED,
            "a refusal of an argument", sentence);
    requireOpSentence(sentence, op);
  } else {
    require(sentence.empty(), "no text where there is no error", sentence);
  }
  require(damage != 0 || checked != MLA_STATUS_INVALID_ARGUMENT ||
              !std::getenv("MLA_FUZZ_STRICT"),
          "an untouched call to be valid", sentence);
  require(arena.damage({}) == 0, "nothing moved by a check", op.name);

  // Nobody can run on memory that isn't there: a descriptor says where memory
  // lies, not how much there is.
  bool runnable = true;
  for (const mla_tensor *tensor : call.tensors(/*writtenOnly=*/false))
    runnable &= !tensor->data || arena.extent(*tensor).has_value();
  if (!runnable && checked == MLA_STATUS_OK) {
    ++counts.checkedOnly;
    mla_context *plan = freshContext(MLA_MODE_PLAN);
    require(call.run(plan) == MLA_STATUS_OK, "PLAN to accept what CHECK does",
            mla_last_error(plan));
    return 0;
  }

  arena.snapshot(); // guards again
  mla_context *run = freshContext(MLA_MODE_RUN);
  mla_context_set_sm_limit(run, threads);
  mla_status ran = call.run(run);
  std::string text = mla_last_error(run);
  require(ran == checked && text == sentence,
          "the same answer in RUN as in CHECK", text + " | " + sentence);
  if (ran != MLA_STATUS_OK) {
    ++counts.refused;
    require(arena.damage({}) == 0, "nothing moved by a refused call", text);
    return 0;
  }
  require(arena.damage(call.tensors(/*writtenOnly=*/true)) == 0,
          "nothing moved but elements of the outputs", op.name);
  mla_status found = mla_context_check(run);
  if (found != MLA_STATUS_OK) {
    require(found == MLA_STATUS_DATA_ERROR, "DATA_ERROR for bad data",
            mla_last_error(run));
    requireOpSentence(mla_last_error(run), op);
    ++counts.ranWithFault;
  } else {
    ++counts.ran;
  }
  return 0;
}
