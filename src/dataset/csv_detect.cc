#include "dataset/csv_detect.h"

#include <arrow/util/utf8.h>
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace lo::dataset {
namespace {

constexpr std::array kDelimiters{',', ';', '\t', '|'};
constexpr std::size_t kRows = 100;
constexpr double kManyZeros = 0.4;  // of every other byte: Latin letters in UTF-16
constexpr double kFewZeros = 0.05;

using Counts = std::array<std::size_t, kDelimiters.size()>;

bool is_utf8(std::string_view text) {
  arrow::util::InitializeUTF8();
  return arrow::util::ValidateUTF8(text);
}

// But for a character that is cut off at the end.
bool begins_as_utf8(std::string_view text) {
  constexpr std::size_t kMostOfACharacter = 3;
  for (std::size_t cut = 0; cut <= std::min(kMostOfACharacter, text.size()); ++cut) {
    if (is_utf8(text.substr(0, text.size() - cut))) return true;
    if (static_cast<unsigned char>(text[text.size() - cut - 1]) < 0x80) return false;
  }
  return false;
}

double share_of_zeros(std::string_view text, std::size_t first) {
  std::size_t zeros = 0, all = 0;
  for (auto i = first; i < text.size(); i += 2, ++all) zeros += text[i] == '\0' ? 1 : 0;
  return all == 0 ? 0 : static_cast<double>(zeros) / static_cast<double>(all);
}

bool has_cp1252(std::string_view text) {
  return text.find_first_of("\x81\x8d\x8f\x90\x9d") == std::string_view::npos;
}

// How often each delimiter stands in each of the first rows that are not empty.
class RowCounts {
 public:
  std::vector<Counts> of(std::string_view text, bool whole) {
    for (char c : text) {
      if (rows_.size() == kRows) return std::move(rows_);
      step(c);
    }
    if (whole) end_row();
    return std::move(rows_);
  }

 private:
  void step(char c) {
    auto begins_cell = std::exchange(begins_cell_, false);
    auto closed = std::exchange(closed_, false);
    if (quoted_) {
      quoted_ = c != '"';
      closed_ = !quoted_;
    } else if (c == '"' && (begins_cell || closed)) {  // two quotes within a quoted cell are one
      quoted_ = true;
      empty_ = false;
    } else if (c == '\n' || c == '\r') {
      end_row();
    } else {
      count(c);
    }
  }

  void count(char c) {
    empty_ = false;
    auto at = std::ranges::find(kDelimiters, c);
    if (at == kDelimiters.end()) return;
    ++row_.at(static_cast<std::size_t>(at - kDelimiters.begin()));
    begins_cell_ = true;
  }

  void end_row() {
    if (!std::exchange(empty_, true)) rows_.push_back(row_);
    row_ = {};
    begins_cell_ = true;
  }

  std::vector<Counts> rows_;
  Counts row_{};
  bool quoted_ = false, closed_ = false, begins_cell_ = true, empty_ = true;
};

}  // namespace

std::string detect_encoding(std::string_view sample) {
  if (sample.starts_with("\xff\xfe") || sample.starts_with("\xfe\xff")) return "utf-16";
  auto even = share_of_zeros(sample, 0), odd = share_of_zeros(sample, 1);
  if (odd > kManyZeros && even < kFewZeros) return "utf-16le";
  if (even > kManyZeros && odd < kFewZeros) return "utf-16be";
  if (begins_as_utf8(sample)) return "utf-8";
  return has_cp1252(sample) ? "cp1252" : "latin-1";
}

char detect_delimiter(std::string_view sample, bool whole) {
  auto rows = RowCounts().of(sample, whole);
  for (std::size_t i = 0; i < kDelimiters.size(); ++i) {
    auto same = [&](const Counts& row) { return row.at(i) == rows.front().at(i); };
    if (!rows.empty() && rows.front().at(i) > 0 && std::ranges::all_of(rows, same)) return kDelimiters.at(i);
  }
  return ',';
}

}  // namespace lo::dataset
