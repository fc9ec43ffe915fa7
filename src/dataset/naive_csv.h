// A CSV parser that is easy to be sure of, for tests to compare with.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lo::dataset {

using Rows = std::vector<std::vector<std::string>>;

// RFC 4180 with any line end, character by character. Empty lines are skipped, and what comes after the last line end.
class NaiveCsv {
 public:
  static Rows parse(std::string_view text, char delimiter = ',') {
    NaiveCsv parser(delimiter);
    for (std::size_t i = 0; i < text.size(); ++i) parser.step(text, i);
    return std::move(parser.rows_);
  }

 private:
  explicit NaiveCsv(char delimiter) : delimiter_(delimiter) {}

  void step(std::string_view text, std::size_t& i) {
    char c = text[i];
    if (quoted_ && c == '"' && i + 1 < text.size() && text[i + 1] == '"')
      cell_ += text[++i];
    else if (quoted_ && c == '"')
      quoted_ = false;
    else if (quoted_)
      cell_ += c;
    else if (c == '"' && fresh_)
      open_quote();
    else if (c == delimiter_)
      end_cell();
    else if (c == '\n' || c == '\r')
      end_row();
    else
      cell_ += c, fresh_ = false;
  }
  void open_quote() {
    quoted_ = true;
    fresh_ = false;
    had_quote_ = true;
  }
  void end_cell() {
    row_.push_back(std::exchange(cell_, {}));
    fresh_ = true;
  }
  void end_row() {
    bool is_empty = row_.empty() && cell_.empty() && !had_quote_;
    had_quote_ = false;
    if (is_empty) return;
    end_cell();
    rows_.push_back(std::exchange(row_, {}));
  }

  const char delimiter_;
  Rows rows_;
  std::vector<std::string> row_;
  std::string cell_;
  bool quoted_ = false;
  bool fresh_ = true;  // nothing of the cell was read
  bool had_quote_ = false;
};

}  // namespace lo::dataset
