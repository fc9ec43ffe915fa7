#include "run/worker_kind.h"

#include <algorithm>
#include <array>

#include "store/manifest.h"

namespace lo::run {
namespace {

constexpr std::array<std::string_view, 12> kScientific{"numpy",       "pandas",   "sklearn", "scipy",   "pyarrow", "joblib",
                                                       "matplotlib", "seaborn", "polars",  "xgboost", "lightgbm", "statsmodels"};
constexpr std::string_view kBlank = " \t\r\f";

bool is_scientific(std::string_view module) {
  return std::ranges::find(kScientific, module.substr(0, module.find('.'))) != kScientific.end();
}

std::string_view trim(std::string_view text) {
  auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::string_view first_word(std::string_view text) { return text.substr(0, text.find_first_of(" \t\r\f#;")); }

// Cuts `text` at the first `separator` and gives what stood before it.
std::string_view take_until(std::string_view& text, char separator) {
  auto at = std::min(text.find(separator), text.size());
  auto part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

// "os, numpy as np"
bool lists_scientific(std::string_view modules) {
  while (!modules.empty())
    if (is_scientific(first_word(trim(take_until(modules, ','))))) return true;
  return false;
}

bool statement_imports(std::string_view statement) {
  statement = trim(statement);
  for (std::string_view keyword : {"import", "from"}) {
    if (!statement.starts_with(keyword)) continue;
    auto rest = statement.substr(keyword.size());
    if (rest.empty() || kBlank.find(rest.front()) == std::string_view::npos) continue;
    rest = trim(rest);
    return keyword == "from" ? is_scientific(first_word(rest)) : lists_scientific(rest);
  }
  return false;
}

// "if x: import numpy" and "a = 1; import numpy" hold statements after ':' and ';'.
bool line_imports(std::string_view line) {
  if (line.find("import") == std::string_view::npos) return false;
  while (!line.empty()) {
    auto end = std::min(line.find_first_of(";:"), line.size());
    if (statement_imports(line.substr(0, end))) return true;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return false;
}

// The module that "#sklearn.svm.SVC()" begins with; a "#" anywhere else is no expression.
bool expression_uses(std::string_view text) {
  return text.starts_with('#') &&
         std::ranges::any_of(kScientific, [&](auto module) { return text.find(module) != std::string_view::npos; });
}

bool uses_scientific(const json::value& value) {
  if (const auto* text = value.if_string()) return expression_uses(*text) || imports_scientific(*text);
  if (const auto* array = value.if_array()) return std::ranges::any_of(*array, [](auto& v) { return uses_scientific(v); });
  if (const auto* object = value.if_object())
    return std::ranges::any_of(*object, [](auto& member) { return uses_scientific(member.value()); });
  return false;
}

bool needs_scientific(const engine::Input& input) {
  auto kind = string_or(input.manifest, "kind");
  return kind == to_string(store::Kind::table) || kind == to_string(store::Kind::object) ||
         kind == to_string(store::Kind::model);
}

}  // namespace

std::string_view to_string(WorkerKind kind) {
  switch (kind) {
    case WorkerKind::bare: return "bare";
    case WorkerKind::scientific: return "scientific";
    case WorkerKind::spark: return "spark";
  }
  return "";
}

bool imports_scientific(std::string_view code) {
  while (!code.empty())
    if (line_imports(take_until(code, '\n'))) return true;
  return false;
}

WorkerKind choose_kind(const engine::JobRequest& job) {
  auto is_spark = [](const engine::Member& m) {
    return m.operation == "builder/sparkml" || m.operation == "internal/spark-release";
  };
  if (std::ranges::any_of(job.members, is_spark)) return WorkerKind::spark;
  bool scientific = std::ranges::any_of(job.inputs, needs_scientific) ||
                    std::ranges::any_of(job.members, [](auto& member) { return uses_scientific(member.request); });
  return scientific ? WorkerKind::scientific : WorkerKind::bare;
}

}  // namespace lo::run
