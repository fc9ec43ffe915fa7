#include "dataset/csv_scan.h"

#include <emmintrin.h>

#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace lo::dataset {
namespace {

constexpr std::size_t kWindow = 64;
constexpr char kQuote = '"';

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

// Which of 64 characters are what, a bit each.
class Window {
 public:
  Window(const char* text, char delimiter) {
    for (std::size_t part = 0; part < kWindow / 16; ++part) {
      auto characters = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + part * 16));
      auto where = [&](char c) { return std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(characters, _mm_set1_epi8(c))))} << part * 16; };
      quotes |= where(kQuote);
      ends |= where(delimiter) | where('\n') | where('\r');
    }
  }

  std::uint64_t quotes = 0;
  std::uint64_t ends = 0;  // of cells
};

// Finds quotes and ends of cells from a position on; asked for rising ones, it looks at each character once.
class Finder {
 public:
  Finder(std::string_view text, char delimiter) : text_(text), delimiter_(delimiter), window_(look_at(0)) {}

  // text.size() when there is none.
  std::size_t quote(std::size_t from) { return find(from, &Window::quotes); }
  std::size_t end_of_cell(std::size_t from) { return find(from, &Window::ends); }

 private:
  std::size_t find(std::size_t from, std::uint64_t Window::*kind) {
    for (; from < text_.size(); from = begin_ + kWindow) {
      if (from - begin_ >= kWindow) window_ = look_at(from / kWindow * kWindow);
      if (auto found = (window_.*kind) >> (from - begin_); found != 0) return from + static_cast<std::size_t>(std::countr_zero(found));
    }
    return text_.size();
  }

  Window look_at(std::size_t begin) {
    begin_ = begin;
    if (text_.size() - begin >= kWindow) return {text_.data() + begin, delimiter_};
    std::array<char, kWindow> last{};  // the delimiter is no zero
    std::memcpy(last.data(), text_.data() + begin, text_.size() - begin);
    return {last.data(), delimiter_};
  }

  const std::string_view text_;
  const char delimiter_;
  std::size_t begin_ = 0;
  Window window_;
};

class Scanner {
 public:
  Scanner(std::string_view text, char delimiter, std::size_t columns) : text_(text), columns_(columns), find_(text, delimiter) {
    if (columns > 0) rows_.cells.reserve(text.size() / 6);
  }

  CsvRows run(std::int64_t most) && {
    skip_line_ends();
    while (rows_.rows < most && !rows_.ragged && scan_row()) {
    }
    rows_.cells.resize(whole_cells_);  // without those of a row that is not whole
    return std::move(rows_);
  }

 private:
  // Whether there was another whole row.
  bool scan_row() {
    auto begin = at_;
    do
      if (!scan_cell()) return false;
    while (!is_line_end(text_[at_++]));
    auto cells = rows_.cells.size() - whole_cells_;
    if (columns_ > 0 && cells != columns_) {
      rows_.ragged = CsvRows::Ragged{.cells = cells, .text = text_.substr(begin, at_ - 1 - begin)};
      return false;
    }
    whole_cells_ = rows_.cells.size();
    ++rows_.rows;
    skip_line_ends();
    return true;
  }

  void skip_line_ends() {
    while (at_ < text_.size() && is_line_end(text_[at_])) ++at_;
    rows_.bytes = at_;
  }

  // Leaves at_ where the cell ends; false when it does not.
  bool scan_cell() {
    auto begin = at_;
    bool quoted = begin < text_.size() && text_[begin] == kQuote;
    bool coded = false;
    if (quoted && !pass_quotes(coded)) return false;
    auto closed = at_;
    at_ = find_.end_of_cell(at_);
    if (at_ == text_.size()) return false;
    coded = coded || (quoted && closed != at_);
    auto inner = quoted && !coded ? 1u : 0u;
    rows_.cells.push_back({.begin = static_cast<std::uint32_t>(begin + inner),
                           .size = static_cast<std::uint32_t>(at_ - begin - 2 * inner) & 0x7fffffffu,
                           .coded = coded ? 1u : 0u});
    return true;
  }

  // From an opening quote to behind the closing one; false when there is none.
  bool pass_quotes(bool& doubled) {
    for (++at_;; ++at_) {
      at_ = find_.quote(at_);
      if (at_ == text_.size()) return false;
      ++at_;
      if (at_ == text_.size() || text_[at_] != kQuote) return true;
      doubled = true;
    }
  }

  const std::string_view text_;
  const std::size_t columns_;
  Finder find_;
  std::size_t at_ = 0;
  std::size_t whole_cells_ = 0;
  CsvRows rows_;
};

}  // namespace

CsvRows scan_csv(std::string_view text, char delimiter, std::size_t columns) {
  return Scanner(text, delimiter, columns).run(std::numeric_limits<std::int64_t>::max());
}

CsvRows scan_first_row(std::string_view text, char delimiter) { return Scanner(text, delimiter, 0).run(1); }

void decode_cell(std::string_view coded, std::string& out) {
  for (std::size_t i = 1; i < coded.size(); ++i) {
    if (coded[i] != kQuote) {
      out += coded[i];
    } else if (i + 1 < coded.size() && coded[i + 1] == kQuote) {
      out += coded[++i];
    } else {
      out += coded.substr(i + 1);
      return;
    }
  }
}

std::string cell_text(std::string_view text, const CsvCell& cell) {
  auto written = text.substr(cell.begin, cell.size);
  if (!cell.coded) return std::string(written);
  std::string out;
  decode_cell(written, out);
  return out;
}

}  // namespace lo::dataset
