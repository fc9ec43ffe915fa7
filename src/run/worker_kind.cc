#include "run/worker_kind.h"

#include <algorithm>
#include <array>
#include <span>

#include "store/manifest.h"

namespace lo::run {
namespace {

constexpr std::array<std::string_view, 13> kScientific{"nltk",       "numpy",       "pandas",   "sklearn", "scipy",   "pyarrow", "joblib",
                                                       "matplotlib", "seaborn", "polars",  "xgboost", "lightgbm", "statsmodels"};
constexpr std::array<std::string_view, 2> kTensorflow{"tensorflow", "keras"};
constexpr std::array<std::string_view, 7> kPlain{"NoneType", "bool", "int", "float", "complex", "str", "bytes"};
constexpr std::string_view kBlank = " \t\r\f";

using Family = std::span<const std::string_view>;

bool belongs_to(Family family, std::string_view module) {
  return std::ranges::find(family, module.substr(0, module.find('.'))) != family.end();
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
bool lists(Family family, std::string_view modules) {
  while (!modules.empty())
    if (belongs_to(family, first_word(trim(take_until(modules, ','))))) return true;
  return false;
}

bool statement_imports(Family family, std::string_view statement) {
  statement = trim(statement);
  for (std::string_view keyword : {"import", "from"}) {
    if (!statement.starts_with(keyword)) continue;
    auto rest = statement.substr(keyword.size());
    if (rest.empty() || kBlank.find(rest.front()) == std::string_view::npos) continue;
    rest = trim(rest);
    return keyword == "from" ? belongs_to(family, first_word(rest)) : lists(family, rest);
  }
  return false;
}

// "if x: import numpy" and "a = 1; import numpy" hold statements after ':' and ';'.
bool line_imports(Family family, std::string_view line) {
  if (line.find("import") == std::string_view::npos) return false;
  while (!line.empty()) {
    auto end = std::min(line.find_first_of(";:"), line.size());
    if (statement_imports(family, line.substr(0, end))) return true;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return false;
}

bool imports(Family family, std::string_view code) {
  while (!code.empty())
    if (line_imports(family, take_until(code, '\n'))) return true;
  return false;
}

// The modules that "#sklearn.svm.SVC()" names; a "#" anywhere else is no expression.
bool expression_uses(Family family, std::string_view text) {
  return text.starts_with('#') && std::ranges::any_of(family, [&](auto module) { return text.find(module) != std::string_view::npos; });
}

bool uses(Family family, const json::value& value) {
  if (const auto* text = value.if_string()) return expression_uses(family, *text) || imports(family, *text);
  if (const auto* array = value.if_array()) return std::ranges::any_of(*array, [&](auto& each) { return uses(family, each); });
  if (const auto* object = value.if_object())
    return std::ranges::any_of(*object, [&](auto& member) { return uses(family, member.value()); });
  return false;
}

bool any_request_uses(Family family, const engine::JobRequest& job) {
  return std::ranges::any_of(job.members, [&](const engine::Member& member) { return uses(family, member.request); });
}

bool is_spark(const engine::Member& member) {
  return member.operation == "builder/sparkml" || member.operation == "internal/spark-release";
}

bool needs_tensorflow(const engine::JobRequest& job) {
  auto is_tool = [](const engine::Member& member) { return member.operation.ends_with("/tensorflow"); };
  auto is_input = [](const engine::Input& input) { return belongs_to(kTensorflow, string_or(input.manifest, "typeName")); };
  return std::ranges::any_of(job.members, is_tool) || std::ranges::any_of(job.inputs, is_input) || any_request_uses(kTensorflow, job);
}

bool is_loaded_with_libraries(const engine::Input& input) {
  auto kind = string_or(input.manifest, "kind");
  if (std::ranges::find(kPlain, string_or(input.manifest, "typeName")) != kPlain.end()) return false;
  return kind == to_string(store::Kind::table) || kind == to_string(store::Kind::object) ||
         kind == to_string(store::Kind::model);
}

bool needs_scientific(const engine::JobRequest& job) {
  auto is_tool = [](const engine::Member& member) { return member.operation.ends_with("/scikitlearn"); };
  return std::ranges::any_of(job.members, is_tool) || std::ranges::any_of(job.inputs, is_loaded_with_libraries) ||
         any_request_uses(kScientific, job);
}

}  // namespace

std::string_view to_string(WorkerKind kind) {
  switch (kind) {
    case WorkerKind::bare: return "bare";
    case WorkerKind::scientific: return "scientific";
    case WorkerKind::spark: return "spark";
    case WorkerKind::tensorflow: return "tensorflow";
    case WorkerKind::sql: return "sql";
  }
  return "";
}

bool imports_scientific(std::string_view code) { return imports(kScientific, code); }

WorkerKind choose_kind(const engine::JobRequest& job) {
  if (job.members.front().operation == "environment") return WorkerKind::bare;
  if (job.members.front().operation == "dataset/sql") return WorkerKind::sql;
  if (std::ranges::any_of(job.members, is_spark)) return WorkerKind::spark;
  if (needs_tensorflow(job)) return WorkerKind::tensorflow;
  return needs_scientific(job) ? WorkerKind::scientific : WorkerKind::bare;
}

std::optional<std::string> environment_of(const engine::JobRequest& job) {
  auto name = string_or(job.members.front().request, "environment");
  auto input = std::ranges::find(job.inputs, name, &engine::Input::name);
  if (name.empty() || input == job.inputs.end()) return std::nullopt;
  return string_or(input->manifest, "typeName");
}

}  // namespace lo::run
