#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "cli/text_table.h"

namespace lo::cli {
namespace {

std::string first_line(std::string_view text) { return for_terminal(text.substr(0, text.find('\n'))); }

std::string_view mark_of(std::string_view status) {
  if (status == "finished") return "✓";
  if (status == "failed" || status == "cancelled") return "✗";
  return status == "running" ? "▸" : "·";
}

std::string state_of(const StepView& view) {
  bool says_more = !view.reason.empty() && view.reason != "error";
  return for_terminal(says_more ? fmt::format("{} ({})", view.status, view.reason) : view.status);
}

// Numbers and texts of numbers with four digits after the point, all else as it is.
std::string figure(const json::object& all, std::string_view key) {
  const auto* value = all.if_contains(key);
  if (value == nullptr || value->is_null()) return "";
  if (value->is_int64() || value->is_uint64()) return json::serialize(*value);
  if (value->is_double()) return fmt::format("{:.4f}", value->get_double());
  if (!value->is_string()) return "";
  std::string_view text = value->get_string();
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number ? fmt::format("{:.4f}", number) : for_terminal(text);
}

// "accuracy 0.8312, loss 0.4": the first ones. A builder's are in columns of their own.
std::string metrics_of(const json::object& all) {
  constexpr std::size_t kShown = 3;
  const auto* found = all.if_contains("metrics");
  const auto* metrics = found == nullptr || all.contains("F1") ? nullptr : found->if_object();
  if (metrics == nullptr) return "";
  std::vector<std::string> words;
  for (const auto& [name, value] : *metrics) {
    if (words.size() == kShown) return fmt::format("{}, …", fmt::join(words, ", "));
    words.push_back(fmt::format("{} {}", for_terminal(name), figure(*metrics, name)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

bool tells_the_same(const StepView& a, const StepView& b) {
  return a.status == b.status && a.reason == b.reason && a.wait == b.wait && a.revision == b.revision;
}

}  // namespace

Progress::Progress(std::vector<std::string> names, std::set<std::string, std::less<>> typed, const Clock& clock)
    : typed_(std::move(typed)), clock_(clock) {
  for (auto& name : names) entries_.push_back({.name = std::move(name), .view = {}, .running_since = {}, .note = {}});
}

Progress::Entry* Progress::find(std::string_view name) {
  auto found = std::ranges::find(entries_, name, &Entry::name);
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<std::string> Progress::update(StepView view) {
  auto* entry = find(view.name);
  if (entry == nullptr) return {};
  if (typed_.contains(view.name)) view.count_failed_typing();
  bool news = !entry->view || !tells_the_same(*entry->view, view);
  bool runs = view.status == "running";
  if (!runs || news) entry->running_since = runs ? std::optional(clock_.steady()) : std::nullopt;
  if (news) entry->note.clear();
  entry->view = std::move(view);
  return news ? std::optional(describe(*entry)) : std::nullopt;
}

std::string Progress::describe(const Entry& entry) const {
  auto line = fmt::format("{}: {}", for_terminal(entry.name), state_of(*entry.view));
  if (auto seconds = seconds_of(entry); entry.view->finished && !seconds.empty()) line += fmt::format(" after {} s", seconds);
  if (auto remark = remark_of(entry); !remark.empty()) line += ", " + remark;
  return line;
}

void Progress::note(std::string_view name, const json::object& progress) {
  auto* entry = find(name);
  if (entry == nullptr || !entry->view || entry->view->finished) return;
  std::vector<std::string> words;
  for (const auto& member : progress) {
    if (member.value().is_structured()) continue;
    auto value = member.value().is_string() ? std::string(member.value().get_string()) : json::serialize(member.value());
    words.push_back(fmt::format("{} {}", std::string_view(member.key()), value));
  }
  entry->note = for_terminal(fmt::format("{}", fmt::join(words, ", ")));
}

std::vector<std::string> Progress::unfinished() const {
  std::vector<std::string> names;
  for (const auto& entry : entries_)
    if (!entry.view || !entry.view->finished) names.push_back(entry.name);
  return names;
}

bool Progress::succeeded() const {
  return std::ranges::all_of(entries_, [](const auto& entry) { return entry.view && entry.view->succeeded(); });
}

std::vector<const StepView*> Progress::failed() const {
  std::vector<const StepView*> views;
  for (const auto& entry : entries_)
    if (entry.view && entry.view->finished && !entry.view->succeeded()) views.push_back(&*entry.view);
  return views;
}

std::string Progress::seconds_of(const Entry& entry) const {
  if (entry.view->finished) return entry.view->seconds ? fmt::format("{:.1f}", *entry.view->seconds) : "";
  if (!entry.running_since) return "";
  std::chrono::duration<double> here = clock_.steady() - *entry.running_since;
  return fmt::format("{:.0f}", std::max(std::floor(here.count()), std::floor(entry.view->seconds.value_or(0))));
}

std::string Progress::remark_of(const Entry& entry) const {
  if (!entry.note.empty()) return entry.note;
  return first_line(entry.view->finished ? entry.view->exception : entry.view->wait);
}

std::vector<std::string> Progress::live_lines(const Terminal& terminal) const {
  std::vector<Row> rows;
  std::vector<const Entry*> shown;
  for (const auto& entry : entries_)
    if (entry.view) shown.push_back(&entry);
  auto room = static_cast<std::size_t>(std::max(terminal.rows - 3, 1));
  auto hidden = shown.size() > room ? shown.size() - room : 0;
  if (hidden > 0) std::ranges::stable_partition(shown, [](const auto* entry) { return !entry->view->finished; });
  shown.resize(shown.size() - hidden);
  for (const auto* entry : shown)
    rows.push_back({for_terminal(entry->name), state_of(*entry->view), seconds_of(*entry), remark_of(*entry)});

  std::vector<std::string> lines;
  auto table = table_lines({"step", "state", "s", ""}, rows);
  auto columns = static_cast<std::size_t>(std::max(terminal.columns - 2, 1));
  for (std::size_t i = 1; i < table.size(); ++i) {
    const auto& status = shown[i - 1]->view->status;
    lines.push_back(painted(mark_of(status), color_of(status), terminal) + " " + shortened(table[i], columns));
  }
  if (hidden > 0) lines.push_back(fmt::format("  and {} more", hidden));
  return lines;
}

std::vector<std::string> Progress::result_lines(const std::map<std::string, std::string, std::less<>>& what_was_done) const {
  std::vector<Row> rows;
  for (const auto& entry : entries_) {
    if (!entry.view) continue;
    auto done = what_was_done.find(entry.name);
    const auto& all = entry.view->all;
    rows.push_back({for_terminal(entry.name), for_terminal(entry.view->service), state_of(*entry.view),
                    done == what_was_done.end() ? "" : done->second, seconds_of(entry), figure(all, "rows"), figure(all, "F1"),
                    figure(all, "accuracy"), metrics_of(all)});
  }
  return table_lines({"name", "service", "state", "", "seconds", "rows", "F1", "accuracy", "metrics"}, rows);
}

}  // namespace lo::cli
