#include "dataset/field_profile.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "dataset/arrow_error.h"
#include "dataset/types.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kSliceRows = 64 * 1024;
constexpr std::size_t kTop = 10;
constexpr std::array kShares{0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

std::shared_ptr<arrow::DataType> plain_type(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::DICTIONARY) return plain_type(static_cast<const arrow::DictionaryType&>(*type).value_type());
  if (arrow::is_decimal(type->id())) return arrow::float64();
  return type->id() == arrow::Type::HALF_FLOAT ? arrow::float32() : type;
}

bool has_numbers(const arrow::DataType& type) { return arrow::is_integer(type.id()) || arrow::is_floating(type.id()); }

// A share of all, rounded up to six digits.
json::value share_json(std::int64_t part, std::int64_t all) {
  constexpr double kDigits = 1e6;
  if (part == 0) return 0;
  return std::ceil(static_cast<double>(part) / static_cast<double>(all) * kDigits) / kDigits;
}

template <class Counts>
std::vector<std::int64_t> only_counts(const Counts& values) {
  std::vector<std::int64_t> counts;
  counts.reserve(values.size());
  for (const auto& each : values) counts.push_back(each.count);
  return counts;
}

// The distances are added up a second time: what rounding took from the mean is in them.
Moments moments_of(const arrow::DataType& type, const std::vector<KeyCount>& keys) {
  Moments moments;
  for (const auto& each : keys) moments.count += each.count;
  auto all = static_cast<double>(moments.count);
  for (const auto& [key, count] : keys) moments.mean += key_number(type, key) * (static_cast<double>(count) / all);
  double rest = 0;
  for (const auto& [key, count] : keys) {
    auto distance = key_number(type, key) - moments.mean;
    rest += distance * (static_cast<double>(count) / all);
    moments.squares += distance * distance * static_cast<double>(count);
  }
  moments.mean += rest;
  return moments;
}

}  // namespace

FieldProfile::FieldProfile(std::shared_ptr<arrow::DataType> type)
    : type_(std::move(type)), plain_(plain_type(type_)), is_keyed_(has_keys(*plain_)), is_text_(is_text(*plain_)) {}

Status FieldProfile::add(const std::shared_ptr<arrow::Array>& rows) {
  for (std::int64_t from = 0; from < rows->length(); from += kSliceRows) LO_TRY(add_slice(rows->Slice(from, kSliceRows)));
  return {};
}

Status FieldProfile::add_slice(const std::shared_ptr<arrow::Array>& rows) {
  auto plain = rows;
  if (knows_values() && !plain->type()->Equals(*plain_)) {
    LO_ARROW_ASSIGN(plain, arrow::compute::Cast(*rows, plain_, arrow::compute::CastOptions::Unsafe()), "read the table");
  }
  nulls_ += plain->null_count();
  if (knows_values())
    add_values(*plain, {});
  else
    count_ += plain->length() - plain->null_count();
  return {};
}

void FieldProfile::add(const GroupCounts& counts) {
  nulls_ += counts.nulls;
  if (counts.values->length() > 0) add_values(*counts.values, counts.counts);
}

void FieldProfile::add_values(const arrow::Array& values, std::span<const std::int64_t> counts) {
  if (is_text_) return add_texts(count_texts(values, counts));
  auto found = count_keys(values, counts);
  not_finite_ += found.not_finite;
  nulls_ += found.not_finite;
  add_keys(std::move(found.keys));
}

void FieldProfile::add_keys(std::vector<KeyCount> keys) {
  if (keys.empty()) return;
  auto surplus = FrequentValues::surplus(only_counts(keys));
  for (const auto& [key, count] : keys) {
    count_ += count;
    distinct_.add(hash_of(key));
    if (count > surplus) frequent_.add({.id = key}, count - surplus);
  }
  frequent_.close(surplus);
  least_ = std::min(least_.value_or(keys.front().key), keys.front().key);
  greatest_ = std::max(greatest_.value_or(keys.back().key), keys.back().key);
  if (plain_->id() == arrow::Type::BOOL) return;
  moments_.merge(moments_of(*plain_, keys));
  quantiles_.add(std::move(keys));
}

void FieldProfile::add_texts(const std::vector<TextCount>& texts) {
  if (texts.empty()) return;
  auto surplus = FrequentValues::surplus(only_counts(texts));
  auto least = texts.front().text, greatest = least;
  auto shortest = length_of(least), longest = shortest;
  for (const auto& [text, hash, count] : texts) {
    count_ += count;
    distinct_.add(hash);
    if (count > surplus) frequent_.add({.id = hash, .text = cut(text)}, count - surplus);
    least = std::min(least, text);
    greatest = std::max(greatest, text);
    shortest = std::min(shortest, length_of(text));
    longest = std::max(longest, length_of(text));
  }
  frequent_.close(surplus);
  widen({.least = cut(least), .greatest = cut(greatest), .shortest = shortest, .longest = longest});
}

void FieldProfile::widen(const Texts& texts) {
  if (!texts_) {
    texts_ = texts;
    return;
  }
  texts_->least = std::min(texts_->least, texts.least);
  texts_->greatest = std::max(texts_->greatest, texts.greatest);
  texts_->shortest = std::min(texts_->shortest, texts.shortest);
  texts_->longest = std::max(texts_->longest, texts.longest);
}

void FieldProfile::merge(FieldProfile&& later) {
  count_ += later.count_;
  nulls_ += later.nulls_;
  not_finite_ += later.not_finite_;
  frequent_.merge(std::move(later.frequent_));
  distinct_.merge(later.distinct_);
  quantiles_.merge(std::move(later.quantiles_));
  moments_.merge(later.moments_);
  if (later.least_) least_ = std::min(least_.value_or(*later.least_), *later.least_);
  if (later.greatest_) greatest_ = std::max(greatest_.value_or(*later.greatest_), *later.greatest_);
  if (later.texts_) widen(*later.texts_);
}

json::object FieldProfile::document(const std::string& name) const {
  json::object document{{"name", name}, {"type", type_word(*type_)}, {"count", count_}, {"nulls", nulls_}};
  if (arrow::is_floating(plain_->id())) document["notFinite"] = not_finite_;
  if (!knows_values()) return document;
  tell_distinct(document);
  if (is_text_)
    tell_texts(document);
  else
    tell_keys(document);
  tell_top(document);
  return document;
}

void FieldProfile::tell_distinct(json::object& document) const {
  if (frequent_.is_exact()) {
    document["distinct"] = frequent_.size();
    document["distinctError"] = 0;
    return;
  }
  constexpr std::int64_t kLeast = FrequentValues::kMost + 1;  // else it were exact
  document["distinct"] = std::clamp(static_cast<std::int64_t>(std::llround(distinct_.estimate())), kLeast, count_);
  document["distinctError"] = DistinctSketch::kRelativeError;
}

void FieldProfile::tell_keys(json::object& document) const {
  document["min"] = least_ ? key_json(plain_, *least_) : nullptr;
  document["max"] = greatest_ ? key_json(plain_, *greatest_) : nullptr;
  if (plain_->id() == arrow::Type::BOOL) return;
  document["mean"] = count_ > 0 ? number_json(plain_, moments_.mean) : nullptr;
  if (has_numbers(*plain_)) document["standardDeviation"] = number_json(plain_, moments_.standard_deviation());
  json::object quantiles;
  auto keys = quantiles_.at(kShares);
  for (std::size_t i = 0; i < kShares.size(); ++i) quantiles[fmt::to_string(kShares[i])] = keys.empty() ? nullptr : key_json(plain_, keys[i]);
  document["quantiles"] = std::move(quantiles);
  document["quantileError"] = share_json(quantiles_.error(), count_);
}

void FieldProfile::tell_texts(json::object& document) const {
  document["min"] = texts_ ? json::value(texts_->least) : nullptr;
  document["max"] = texts_ ? json::value(texts_->greatest) : nullptr;
  document["shortest"] = texts_ ? json::value(texts_->shortest) : nullptr;
  document["longest"] = texts_ ? json::value(texts_->longest) : nullptr;
  if (texts_ && texts_->longest > kShownCharacters) document["cut"] = kShownCharacters;
}

void FieldProfile::tell_top(json::object& document) const {
  json::array top;
  for (const auto& [value, count] : frequent_.first(kTop)) {
    auto shown = is_text_ ? json::value(value.text) : key_json(plain_, value.id);
    top.push_back({{"value", std::move(shown)}, {"count", count}});
  }
  document["top"] = std::move(top);
  document["topError"] = frequent_.error();
}

}  // namespace lo::dataset
