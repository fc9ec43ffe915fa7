#include "dataset/csv_header.h"

#include <arrow/util/utf8.h>
#include <fmt/format.h>
#include <re2/re2.h>
#include <unordered_map>

#include "dataset/shown.h"

namespace lo::dataset {
namespace {

std::unexpected<Error> wrong(std::string message) { return fail(Code::unacceptable, std::move(message)); }

std::string field_name(std::string cell, std::size_t column, const RE2& no_word) {
  RE2::GlobalReplace(&cell, no_word, "");
  return cell.empty() ? fmt::format("column{}", column) : cell;
}

Status check_unique(const std::vector<std::string>& names, const std::vector<std::string>& cells) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto [first, fresh] = seen.emplace(names[i], i);
    if (fresh) continue;
    auto j = first->second;
    if (cells[i] == cells[j]) return wrong(fmt::format("columns {} and {} are both named {}", j + 1, i + 1, shown(cells[i])));
    return wrong(fmt::format("the fields {} (column {}) and {} (column {}) both become '{}'", shown(cells[j]), j + 1,
                             shown(cells[i]), i + 1, names[i]));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> field_names(const std::vector<std::string>& cells, const CsvOptions& options) {
  if (cells.size() > options.max_columns)
    return wrong(fmt::format("the header has {} columns, at most {} are taken", cells.size(), options.max_columns));
  arrow::util::InitializeUTF8();
  const RE2 no_word("[^\\pL\\pN_]+");  // Python's \W, of the regular expression that 2021 used
  std::vector<std::string> names;
  for (const auto& cell : cells) {
    auto column = names.size() + 1;
    if (!arrow::util::ValidateUTF8(cell))
      return wrong(fmt::format("the name of column {}, {}, is not UTF-8: give the file's `encoding`", column, shown(cell)));
    names.push_back(field_name(cell, column, no_word));
    if (names.back() == "_id")
      return wrong(fmt::format("column {} is named '_id', which is the name of the row number", column));
  }
  LO_TRY(check_unique(names, cells));
  return names;
}

}  // namespace lo::dataset
