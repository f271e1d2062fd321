//===- IRMutator.cpp - Small changes to the text of operations ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IRMutator.h"

#include <random>
#include <utility>
#include <vector>

namespace {

using Span = std::pair<size_t, size_t>; ///< Begin and length.

class Mutator {
public:
  Mutator(std::string text, uint32_t seed)
      : text(std::move(text)), engine(seed) {}

  std::string run() {
    for (unsigned n = 1 + below(3); n > 0; --n)
      once();
    return text;
  }

private:
  unsigned below(size_t n) { return static_cast<unsigned>(engine() % n); }
  template <typename T> const T &pick(const std::vector<T> &values) {
    return values[below(values.size())];
  }
  void replace(Span span, const std::string &with) {
    text.replace(span.first, span.second, with);
  }

  static bool isDigit(char c) { return c >= '0' && c <= '9'; }

  /// Sizes and other whole numbers; not those within a name or a type's name.
  std::vector<Span> numbers() const {
    std::vector<Span> spans;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '?') {
        spans.push_back({i, 1});
        continue;
      }
      if (!isDigit(text[i]))
        continue;
      size_t end = i;
      while (end < text.size() && isDigit(text[end]))
        ++end;
      char before = i ? text[i - 1] : ' ';
      bool size = before == '<' || before == 'x' || before == ' ' ||
                  before == '-' || before == '[';
      if (size)
        spans.push_back({i, end - i});
      i = end;
    }
    return spans;
  }

  std::vector<Span> find(const std::vector<std::string> &words) const {
    std::vector<Span> spans;
    for (const std::string &word : words)
      for (size_t at = text.find(word); at != text.npos;
           at = text.find(word, at + 1))
        spans.push_back({at, word.size()});
    return spans;
  }

  std::string newNumber() {
    static const std::vector<std::string> values = {"0",
                                                    "1",
                                                    "2",
                                                    "3",
                                                    "4",
                                                    "6",
                                                    "8",
                                                    "12",
                                                    "16",
                                                    "20",
                                                    "64",
                                                    "?",
                                                    "128",
                                                    "196",
                                                    "192",
                                                    "512",
                                                    "576",
                                                    "656",
                                                    "7",
                                                    "32",
                                                    "132",
                                                    "2147483648",
                                                    "9223372036854775807",
                                                    "24"};
    return pick(values);
  }

  void changeNumber() {
    std::vector<Span> spans = numbers();
    if (!spans.empty())
      replace(pick(spans), newNumber());
  }

  /// The same size everywhere: a model of another width.
  void changeNumberEverywhere() {
    std::vector<Span> spans = numbers();
    if (spans.empty())
      return;
    Span chosen = pick(spans);
    std::string old = text.substr(chosen.first, chosen.second);
    std::string next = newNumber();
    for (size_t i = spans.size(); i-- > 0;)
      if (text.compare(spans[i].first, spans[i].second, old) == 0)
        replace(spans[i], next);
  }

  void changeType(bool everywhere) {
    static const std::vector<std::string> types = {
        "f32", "bf16", "f16", "f8E4M3FN", "i8", "i32", "i64", "f64"};
    std::vector<Span> spans;
    for (const Span &span : find(types)) // "f16" isn't a part of "bf16"
      if (span.first && text[span.first - 1] != 'b')
        spans.push_back(span);
    if (spans.empty())
      return;
    Span chosen = pick(spans);
    std::string old = text.substr(chosen.first, chosen.second);
    std::string next = pick(types);
    if (!everywhere)
      return replace(chosen, next);
    for (size_t at = text.find(old); at != text.npos;
         at = text.find(old, at + next.size()))
      if (!at || text[at - 1] != 'b')
        text.replace(at, old.size(), next);
  }

  void changeKeyword() {
    static const std::vector<std::vector<std::string>> families = {
        {"interleaved", "half"},          {"context", "generation"},
        {"direct", "through_input_type"}, {"true", "false"},
        {"tensor<", "memref<"},           {"ins(", "outs("}};
    std::vector<std::pair<Span, size_t>> found;
    for (size_t i = 0; i < families.size(); ++i)
      for (const Span &span : find(families[i]))
        found.push_back({span, i});
    if (found.empty())
      return;
    auto [span, family] = pick(found);
    replace(span, pick(families[family]));
  }

  /// A "name = value" between brackets or commas goes, or comes twice.
  void changeItem(bool duplicate) {
    std::vector<Span> items;
    int depth = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '(' && text[i] != '{' && text[i] != ',')
        continue;
      size_t end = i + 1;
      for (depth = 0; end < text.size(); ++end) {
        char c = text[end];
        if (depth == 0 && (c == ',' || c == ')' || c == '}'))
          break;
        depth += c == '<' || c == '[' || c == '(';
        depth -= c == '>' || c == ']' || c == ')';
      }
      if (end < text.size())
        items.push_back({i + 1, end - i - 1});
    }
    if (items.empty())
      return;
    Span item = pick(items);
    if (duplicate) {
      text.insert(item.first, text.substr(item.first, item.second) + ",");
      return;
    }
    // With the comma behind it, or the one before it.
    if (text[item.first + item.second] == ',')
      ++item.second;
    else if (item.first && text[item.first - 1] == ',')
      --item.first, ++item.second;
    replace(item, "");
  }

  void addItem() {
    static const std::vector<std::string> items = {
        "phase = #mla.phase<context>",
        "phase = #mla.phase<generation>",
        "rounding = #mla.rounding<direct>",
        "rounding = #mla.rounding<through_input_type>",
        "rope = #mla.rope<interleaved, head_dim = 4>",
        "rope = #mla.rope<half, head_dim = 0>",
        "rope = #mla.rope<half, head_dim = 4, enabled = false>",
        "softmax_scale = 2.500000e-01 : f64",
        "softmax_scale = 0x7FF0000000000000 : f64",
        "page_size = 8 : i64",
        "causal",
        "causal = true",
        "cp_rank = 0 : i64",
        "cp_size = 2 : i64",
        "cp_interleave = 8 : i64",
        "window_start = 0 : i64",
        "window_length = 8 : i64",
        "num_heads = 2 : i64",
        "mla.rope_off = \"no attribute\"",
        "operandSegmentSizes = array<i32: 1, 1>"};
    std::vector<Span> opens = find({"{"});
    if (opens.empty()) {
      text += " {" + pick(items) + "}";
      return;
    }
    Span open = pick(opens);
    bool alone = open.first + 1 < text.size() && text[open.first + 1] == '}';
    text.insert(open.first + 1, pick(items) + (alone ? "" : ", "));
  }

  /// Another operand: a size or a scale that the op may take.
  void addOperand() {
    static const std::vector<std::string> items = {
        "positions = %pos : tensor<?xi64>",
        "query_scale = %qs : tensor<f32>",
        "latent_scale = %ls : tensor<f32>",
        "pe_scale = %ps : tensor<f32>",
        "sinks = %sinks : tensor<2xf32>",
        "indices = %idx : tensor<?x4xi32>",
        "kv_bounds = %kvb : tensor<?xi32>",
        "schedule = %sch : tensor<?xi32>",
        "max_kv = %mk : index",
        "num_generation_seqs = %gs : index",
        "num_generation_tokens = %gt : index",
        "window_start = %ws : index",
        "first_token = %ft : index",
        "kv_lens = %lens : tensor<?xi32>",
        "cos_sin = %cs : tensor<?x4xf32>"};
    std::vector<Span> closes = find({") outs", ")\n", ") {"});
    if (!closes.empty())
      text.insert(pick(closes).first, ", " + pick(items));
  }

  void once() {
    switch (below(13)) {
    case 0:
    case 1:
      return changeNumber();
    case 2:
    case 3:
      return changeNumberEverywhere();
    case 4:
      return changeType(false);
    case 5:
    case 6:
      return changeType(true);
    case 7:
    case 8:
      return changeKeyword();
    case 9:
      return changeItem(false);
    case 10:
      return below(4) ? changeItem(false) : changeItem(true);
    case 11:
      return addItem();
    case 12:
      return addOperand();
    }
  }

  std::string text;
  std::mt19937 engine;
};

} // namespace

std::string mla::fuzz::mutateIR(std::string text, uint32_t seed) {
  return Mutator(std::move(text), seed).run();
}
