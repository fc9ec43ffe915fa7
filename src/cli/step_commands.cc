#include "cli/step_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/event_stream.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

namespace lo::cli {
namespace {

constexpr std::chrono::seconds kTick{1};

std::string first_of(const json::object& object, std::initializer_list<std::string_view> keys) {
  for (auto key : keys)
    if (auto text = string_or(object, key); !text.empty()) return for_terminal(text);
  return "";
}

std::string scalar(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? "" : write_json(*value);
}

std::string remark_of(const json::object& step) {
  const auto* stale = step.if_contains("stale");
  if (stale != nullptr && stale->is_bool() && stale->get_bool()) return "stale";
  auto exception = string_or(step, "exception");
  return for_terminal(exception.substr(0, exception.find('\n')));
}

Row row_of(const json::object& step) {
  return {first_of(step, {"name", "datasetName", "modelName"}),
          first_of(step, {"service", "type"}),
          first_of(step, {"status"}),
          scalar(step, "revision"),
          scalar(step, "rows"),
          first_of(step, {"timeCreated"}),
          remark_of(step)};
}

Result<std::string> route_of(ApiClient& api, const std::string& name) {
  LO_ASSIGN(auto view, api.step(name));
  return fmt::format("{}/{}", view.service, url_escaped(name));
}

void print_text(std::string_view text, bool is_terminal, std::FILE* out) {
  fmt::print(out, "{}", is_terminal ? for_terminal(text, Lines::keep) : std::string(text));
  std::fflush(out);
}

// Prints the pieces of a followed log. A stream that is opened again begins at the log's start: what was printed is left out
// then.
class LogPrinter {
 public:
  explicit LogPrinter(std::FILE* out) : out_(out), is_terminal_(inspect_terminal(fileno(out)).is_terminal) {}

  void begin_again() { to_skip_ = printed_; }

  void print(const std::string& text) {
    auto skipped = std::min(to_skip_, text.size());
    to_skip_ -= skipped;
    printed_ += text.size() - skipped;
    print_text(std::string_view(text).substr(skipped), is_terminal_, out_);
  }

 private:
  std::FILE* out_;
  bool is_terminal_;
  std::size_t printed_ = 0;
  std::size_t to_skip_ = 0;
};

// Events: "log" with {"text": …}, then "end".
Status follow_log(ApiClient& api, const std::string& name, std::FILE* out) {
  EventStream stream(api.http(), fmt::format("{}/step/{}/log?follow=true", kPrefix, url_escaped(name)));
  LogPrinter printer(out);
  for (;;) {
    LO_ASSIGN(auto news, stream.next(kTick));
    if (news.refused) return fail(error_of(**stream.ended()));
    if (news.opened) printer.begin_again();
    for (const auto& event : news.events) {
      if (event.event == "end") return {};
      if (auto data = parse_json_object(event.data)) printer.print(string_or(*data, "text"));
    }
  }
}

}  // namespace

Status list_steps(ApiClient& api, const std::string& service, const std::string& status, std::FILE* out) {
  LO_ASSIGN(auto steps, api.steps(service, status));
  std::vector<Row> rows;
  for (const auto& step : steps)
    if (step.is_object()) rows.push_back(row_of(step.get_object()));
  for (const auto& line : table_lines({"name", "service", "state", "revision", "rows", "created", ""}, rows))
    fmt::print(out, "{}\n", line);
  return {};
}

Status list_workflows(ApiClient& api, std::FILE* out) {
  LO_ASSIGN(auto workflows, api.workflows());
  std::vector<Row> rows;
  for (const auto& workflow : workflows) {
    const auto* object = workflow.if_object();
    const auto* steps = object == nullptr ? nullptr : object->if_contains("steps");
    if (steps == nullptr || !steps->is_array()) continue;
    rows.push_back({first_of(*object, {"name"}), fmt::to_string(steps->get_array().size()), first_of(*object, {"timeCreated"}),
                    first_of(*object, {"timeChanged"}), first_of(*object, {"description"})});
  }
  for (const auto& line : table_lines({"name", "steps", "created", "changed", ""}, rows)) fmt::print(out, "{}\n", line);
  return {};
}

Status export_workflow(ApiClient& api, const std::string& name, const std::string& format, std::FILE* out) {
  LO_ASSIGN(auto text, api.export_workflow(name, format));
  if (!text.ends_with('\n')) text += '\n';
  print_text(text, inspect_terminal(fileno(out)).is_terminal, out);
  return {};
}

Status print_documents(ApiClient& api, const DocumentsWanted& wanted, std::FILE* out) {
  LO_ASSIGN(auto route, route_of(api, wanted.name));
  LO_ASSIGN(auto documents, api.call("GET", fmt::format("{}?query={}&limit={}&skip={}", route, url_escaped(wanted.query),
                                                        wanted.limit, wanted.skip)));
  const auto* list = documents.if_array();
  if (list == nullptr) return fail(Code::corrupt, fmt::format("the server gave no list of documents of '{}'", wanted.name));
  for (const auto& document : *list) fmt::print(out, "{}\n", for_terminal(write_json(document)));
  return {};
}

Status print_log(ApiClient& api, const std::string& name, bool follow, std::FILE* out) {
  if (follow) return follow_log(api, name, out);
  LO_ASSIGN(auto text, api.log(name));
  print_text(text, inspect_terminal(fileno(out)).is_terminal, out);
  return {};
}

Status cancel_step(ApiClient& api, const std::string& name, std::FILE* out) {
  LO_TRY(api.call("POST", fmt::format("step/{}/cancel", url_escaped(name))));
  fmt::print(out, "{} is cancelled\n", for_terminal(name));
  return {};
}

Status remove_step(ApiClient& api, const std::string& name, bool cascade, std::FILE* out) {
  LO_ASSIGN(auto route, route_of(api, name));
  LO_TRY(api.call("DELETE", route + (cascade ? "?cascade=true" : "")));
  fmt::print(out, "{} is removed\n", for_terminal(name));
  return {};
}

}  // namespace lo::cli
