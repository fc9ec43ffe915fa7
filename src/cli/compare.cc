#include "cli/compare.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <set>

#include "cli/terminal.h"
#include "cli/text_table.h"

namespace lo::cli {
namespace {

constexpr std::size_t kMostSteps = 100;  // of one line
constexpr std::size_t kLongestCell = 60;

// Names of steps: different in each line, and no parameters.
constexpr std::array<std::string_view, 12> kNames{"name",        "modelName",        "datasetName",       "parentName",
                                                  "line",        "inputDatasetName", "outputDatasetName", "trainDatasetName",
                                                  "description", "testDatasetName",  "labels",            "upload"};

std::string shown(const json::value& value) {
  auto text = value.is_string() ? std::string(value.get_string()) : write_json(value);
  if (text.size() > kLongestCell) text = text.substr(0, kLongestCell) + "…";
  return for_terminal(text);
}

// "classParameters.C": the leaves of nested objects by their path.
void flatten(const json::value& value, const std::string& path, std::map<std::string, std::string>& out) {
  const auto* object = value.if_object();
  if (object == nullptr || object->empty()) {
    out.emplace(for_terminal(path), shown(value));
    return;
  }
  for (const auto& [key, inner] : *object) flatten(inner, path + "." + std::string(key), out);
}

void add_parameters(const StepView& step, std::map<std::string, std::string>& out) {
  for (const auto& [key, value] : step.made_by().request) {
    if (std::ranges::find(kNames, std::string_view(key)) != kNames.end()) continue;
    flatten(value, step.service + " " + std::string(key), out);
  }
}

std::vector<std::string> parents_of(const StepView& step) {
  std::vector<std::string> names;
  const auto* parents = step.all.if_contains("parents");
  if (parents == nullptr || !parents->is_array()) return names;
  for (const auto& parent : parents->get_array()) {
    auto name = parent.is_object() ? string_or(parent.get_object(), "name") : "";
    names.push_back(name.substr(0, name.find('@')));
  }
  return names;
}

// The step and those that it was made from, nearest first: where two set the same parameter, the nearer one's is kept.
Result<Compared> line_of(ApiClient& api, const std::string& name) {
  Compared compared{.name = name, .parameters = {}, .metrics = {}};
  std::deque<std::string> next{name};
  std::set<std::string> seen{name};
  for (std::size_t steps = 0; !next.empty() && steps < kMostSteps; ++steps) {
    LO_ASSIGN(auto step, api.step(next.front()));
    next.pop_front();
    if (step.name == name)
      if (const auto* metrics = step.all.if_contains("metrics"); metrics != nullptr && metrics->is_object())
        for (const auto& [key, value] : metrics->get_object()) flatten(value, key, compared.metrics);
    add_parameters(step, compared.parameters);
    for (auto& parent : parents_of(step))
      if (seen.insert(parent).second) next.push_back(std::move(parent));
  }
  return compared;
}

using Values = std::map<std::string, std::string> Compared::*;

std::vector<Row> rows_of(const std::vector<Compared>& steps, Values values, bool only_different) {
  std::set<std::string> keys;
  for (const auto& step : steps)
    for (const auto& [key, value] : step.*values) keys.insert(key);
  std::vector<Row> rows;
  for (const auto& key : keys) {
    Row row{key};
    for (const auto& step : steps) {
      auto found = (step.*values).find(key);
      row.push_back(found == (step.*values).end() ? "–" : found->second);
    }
    auto is_same = std::ranges::all_of(row.begin() + 2, row.end(), [&](const auto& cell) { return cell == row[1]; });
    if (!only_different || !is_same) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::vector<std::string> comparison(const std::vector<Compared>& steps) {
  auto rows = rows_of(steps, &Compared::parameters, true);
  std::ranges::move(rows_of(steps, &Compared::metrics, false), std::back_inserter(rows));
  Row heading{""};
  for (const auto& step : steps) heading.push_back(for_terminal(step.name));
  return table_lines(heading, rows);
}

Status compare_steps(ApiClient& api, const std::vector<std::string>& names, std::FILE* out) {
  std::vector<Compared> steps;
  for (const auto& name : names) {
    LO_ASSIGN(auto line, line_of(api, name));
    steps.push_back(std::move(line));
  }
  for (const auto& line : comparison(steps)) fmt::print(out, "{}\n", line);
  return {};
}

}  // namespace lo::cli
