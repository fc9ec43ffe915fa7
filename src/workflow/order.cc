// The order of a workflow's steps: order_steps() of workflow_plan.h.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "workflow/services.h"
#include "workflow/plan.h"

namespace lo::workflow {
namespace {

// What makes a name complete: the step that makes it, then the dataType steps that type it, in the order of the file.
struct Line {
  std::vector<std::size_t> steps;
};
using Lines = std::map<std::string, Line, std::less<>>;

Lines lines_of(const Workflow& workflow) {
  Lines lines;
  for (std::size_t i = 0; i < workflow.steps.size(); ++i)
    for (const auto& name : workflow.steps[i].makes) lines[name].steps.push_back(i);
  for (std::size_t i = 0; i < workflow.steps.size(); ++i)
    if (workflow.steps[i].service == kDataType) lines[workflow.steps[i].title].steps.push_back(i);
  return lines;
}

std::set<std::size_t> before(const Workflow& workflow, const Lines& lines, std::size_t index) {
  std::set<std::size_t> earlier;
  for (const auto& name : workflow.steps[index].uses) {
    auto line = lines.find(name);
    if (line == lines.end()) continue;
    const auto& steps = line->second.steps;
    bool types_it = workflow.steps[index].service == kDataType && workflow.steps[index].title == name;
    earlier.insert(steps.begin(), types_it ? std::ranges::find(steps, index) : steps.end());
  }
  return earlier;
}

// Follows what waits for what until a step comes a second time, and tells the round from there.
std::string describe_cycle(const Workflow& workflow, const std::vector<std::set<std::size_t>>& earlier,
                           const std::set<std::size_t>& placed, std::size_t from) {
  std::vector<std::size_t> way;
  auto at = from;
  while (std::ranges::find(way, at) == way.end()) {
    way.push_back(at);
    at = *std::ranges::find_if(earlier[at], [&](auto step) { return !placed.contains(step); });
  }
  way.erase(way.begin(), std::ranges::find(way, at));
  way.push_back(at);
  std::vector<std::string> words;
  for (auto step : way) words.push_back(fmt::format("'{}' ({})", workflow.steps[step].title, workflow.steps[step].where));
  return fmt::format("steps wait for each other: {}", fmt::join(words, " needs "));
}

}  // namespace

Result<std::vector<std::size_t>> order_steps(const Workflow& workflow) {
  auto lines = lines_of(workflow);
  std::vector<std::set<std::size_t>> earlier;
  for (std::size_t i = 0; i < workflow.steps.size(); ++i) earlier.push_back(before(workflow, lines, i));

  std::vector<std::size_t> order;
  std::set<std::size_t> placed, left;
  for (std::size_t i = 0; i < workflow.steps.size(); ++i) left.insert(left.end(), i);
  while (!left.empty()) {
    auto ready = std::ranges::find_if(left, [&](auto step) { return std::ranges::includes(placed, earlier[step]); });
    if (ready == left.end()) return fail(Code::unacceptable, describe_cycle(workflow, earlier, placed, *left.begin()));
    order.push_back(*ready);
    placed.insert(*ready);
    left.erase(ready);
  }
  return order;
}

}  // namespace lo::workflow
