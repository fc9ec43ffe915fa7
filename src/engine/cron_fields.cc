#include "engine/cron_fields.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <fmt/format.h>
#include <ranges>
#include <span>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/text.h"

namespace lo::engine {
namespace {

using std::chrono::local_days;
using std::chrono::local_seconds;

struct Kind {
  std::string_view name;
  int least, most;
  std::span<const std::string_view> names = {};  // of least, least + 1, …

  bool is_weekday() const { return names.size() == 7; }
};

constexpr std::array<std::string_view, 12> kMonths{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                   "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
constexpr std::array<Kind, 5> kKinds{
    {{"minute", 0, 59}, {"hour", 0, 23}, {"day of month", 1, 31}, {"month", 1, 12, kMonths}, {"day of week", 0, 7, kWeekdays}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kShorthands{{{"@hourly", "0 * * * *"},
                                                                                    {"@daily", "0 0 * * *"},
                                                                                    {"@midnight", "0 0 * * *"},
                                                                                    {"@weekly", "0 0 * * 0"},
                                                                                    {"@monthly", "0 0 1 * *"},
                                                                                    {"@yearly", "0 0 1 1 *"},
                                                                                    {"@annually", "0 0 1 1 *"}}};

std::string in_capitals(std::string_view text) {
  std::string capitals(text);
  for (char& c : capitals)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return capitals;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t end = 0; end != std::string_view::npos; text.remove_prefix(std::min(text.size(), end + 1))) {
    end = text.find_first_of(separators);
    parts.push_back(text.substr(0, end));
  }
  return parts;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> value_of(const Kind& kind, std::string_view text) {
  if (auto value = number(text)) return *value >= kind.least && *value <= kind.most ? value : std::nullopt;
  auto name = std::ranges::find(kind.names, in_capitals(text));
  if (name == kind.names.end()) return std::nullopt;
  return kind.least + static_cast<int>(name - kind.names.begin());
}

// Reads one field: what is wrong is said of the item between commas that it is in.
class FieldReader {
 public:
  FieldReader(const Kind& kind, std::string_view pointer) : kind_(kind), pointer_(pointer) {}

  Result<std::uint64_t> read(std::string_view field) {
    std::uint64_t set = 0;
    for (auto item : split(field, ",")) {
      item_ = item;
      LO_ASSIGN(auto values, read_item());
      set |= values;
    }
    constexpr std::uint64_t kSeventh = 1 << 7;
    if (kind_.is_weekday() && (set & kSeventh)) set = (set & ~kSeventh) | 1;
    return set;
  }

 private:
  Result<std::uint64_t> read_item() {
    auto slash = item_.find('/');
    auto range = item_.substr(0, slash);
    LO_ASSIGN(auto ends, read_range(range));
    int step = 1;
    if (slash != std::string_view::npos) {
      if (range != "*" && !range.contains('-'))
        return fail_item(fmt::format("has a step without a range; write \"{}-{}/{}\"", printable(range), top(),
                                     printable(item_.substr(slash + 1))));
      LO_ASSIGN(step, read_step(item_.substr(slash + 1)));
    }
    std::uint64_t set = 0;
    for (int value = ends.first; value <= ends.second; value += step) set |= std::uint64_t{1} << value;
    return set;
  }

  Result<std::pair<int, int>> read_range(std::string_view range) {
    if (range == "*") return std::pair(kind_.least, top());
    auto dash = range.find('-');
    LO_ASSIGN(int low, read_value(range.substr(0, dash)));
    if (dash == std::string_view::npos) return std::pair(low, low);
    LO_ASSIGN(int high, read_value(range.substr(dash + 1)));
    if (kind_.is_weekday() && low > high && low == 7) low = 0;    // 7-2: from Sunday
    if (kind_.is_weekday() && low > high && high == 0) high = 7;  // FRI-SUN: to Sunday
    if (low > high)
      return fail_item(fmt::format("ends before it begins; write \"{}-{},{}-{}\"", low, top(), kind_.least, high));
    return std::pair(low, high);
  }

  Result<int> read_value(std::string_view text) {
    if (auto value = value_of(kind_, text)) return *value;
    auto names = kind_.names.empty() ? "" : fmt::format(" or from {} to {}", kind_.names.front(), kind_.names.back());
    return fail_value(kind_.name, fmt::format("from {} to {}{}", kind_.least, kind_.most, names), text);
  }

  Result<int> read_step(std::string_view text) {
    auto most = kind_.least == 0 ? top() : kind_.most;
    if (kind_.is_weekday()) most = kind_.most;
    if (auto step = number(text); step && *step >= 1 && *step <= most) return *step;
    return fail_value(fmt::format("step of {}", kind_.name), fmt::format("from 1 to {}", most), text);
  }

  // The last value of `*`: Sunday is not twice in a week.
  int top() const { return kind_.is_weekday() ? 6 : kind_.most; }

  std::unexpected<Error> fail_value(std::string_view name, std::string_view allowed, std::string_view value) const {
    auto where = value == item_ ? "" : fmt::format(" in \"{}\"", printable(item_));
    return fail_field(
        Code::unacceptable, std::string(pointer_),
        fmt::format("{}: {} must be {}, not \"{}\"{}", pointer_.substr(1), name, allowed, printable(value), where));
  }

  std::unexpected<Error> fail_item(std::string_view problem) const {
    return fail_field(Code::unacceptable, std::string(pointer_),
                      fmt::format("{}: {} \"{}\" {}", pointer_.substr(1), kind_.name, printable(item_), problem));
  }

  const Kind& kind_;
  std::string_view pointer_;
  std::string_view item_;
};

// The five fields behind "@daily"; anything else as it is.
std::string_view written_out(std::string_view expression) {
  for (const auto& [name, meaning] : kShorthands)
    if (in_capitals(name) == in_capitals(expression)) return meaning;
  return expression;
}

std::unexpected<Error> not_five(std::string_view expression, std::string_view pointer) {
  auto shorthands = kShorthands | std::views::keys;
  auto near = expression.starts_with('@') ? nearest(expression, shorthands) : "";
  return fail_field(
      Code::unacceptable, std::string(pointer),
      fmt::format("{} must have five fields (minute, hour, day of month, month, day of week) or be one of {}, not "
                  "\"{}\"{}",
                  pointer.substr(1), fmt::join(shorthands, ", "), printable(expression),
                  near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
}

// The lowest bit of `set` at `from` or above.
std::optional<int> first_bit(std::uint64_t set, int from) {
  auto rest = from < 64 ? set >> from : 0;
  if (rest == 0) return std::nullopt;
  return from + std::countr_zero(rest);
}

}  // namespace

Result<CronFields> CronFields::parse(std::string_view expression, std::string_view pointer) {
  constexpr std::string_view kBlanks = " \t";
  auto begin = std::min(expression.size(), expression.find_first_not_of(kBlanks));
  auto text = expression.substr(begin, expression.find_last_not_of(kBlanks) + 1 - begin);
  auto parts = split(written_out(text), kBlanks);
  std::erase(parts, "");
  if (parts.size() != kKinds.size()) return not_five(text, pointer);
  CronFields fields;
  std::array sets{&fields.minutes, &fields.hours, &fields.days, &fields.months, &fields.weekdays};
  for (std::size_t i = 0; i != kKinds.size(); ++i) {
    LO_ASSIGN(*sets[i], FieldReader(kKinds[i], pointer).read(parts[i]));
  }
  fields.any_hour = parts[1].starts_with('*');
  fields.any_day = parts[2].starts_with('*');
  fields.any_weekday = parts[4].starts_with('*');
  if (!fields.first(local_days{std::chrono::year{2000} / 1 / 1}))
    return fail_field(Code::unacceptable, std::string(pointer),
                      fmt::format("{}: \"{}\" never comes: no such month has such a day", pointer.substr(1), printable(text)));
  return fields;
}

std::optional<local_seconds> CronFields::first(local_seconds from) const {
  auto minute = std::chrono::ceil<std::chrono::minutes>(from);
  auto day = std::chrono::floor<std::chrono::days>(minute);
  if (matches(day))
    if (auto found = first_minute(minute - day)) return day + *found;
  auto later = first_day(day + std::chrono::days{1});
  if (!later) return std::nullopt;
  return *later + *first_minute(std::chrono::minutes{0});
}

bool CronFields::matches(local_days day) const {
  std::chrono::year_month_day date(day);
  auto month_day = (days >> unsigned{date.day()} & 1) != 0;
  auto weekday = (weekdays >> std::chrono::weekday(day).c_encoding() & 1) != 0;
  auto either = !any_day && !any_weekday;
  return (months >> unsigned{date.month()} & 1) != 0 && (either ? month_day || weekday : month_day && weekday);
}

std::optional<local_days> CronFields::first_day(local_days from) const {
  auto end = from + std::chrono::years{50};
  for (auto day = from; day < end;) {
    std::chrono::year_month_day date(day);
    if ((months >> unsigned{date.month()} & 1) == 0) {
      day = local_days{(date.year() / date.month() + std::chrono::months{1}) / 1};
    } else if (matches(day)) {
      return day;
    } else {
      day += std::chrono::days{1};
    }
  }
  return std::nullopt;
}

std::optional<std::chrono::minutes> CronFields::first_minute(std::chrono::minutes from) const {
  auto hour = static_cast<int>(from / std::chrono::hours{1});
  auto minute = static_cast<int>((from % std::chrono::hours{1}).count());
  if ((hours >> hour & 1) != 0)
    if (auto found = first_bit(minutes, minute)) return std::chrono::hours{hour} + std::chrono::minutes{*found};
  auto later = first_bit(hours, hour + 1);
  if (!later) return std::nullopt;
  return std::chrono::hours{*later} + std::chrono::minutes{*first_bit(minutes, 0)};
}

}  // namespace lo::engine
