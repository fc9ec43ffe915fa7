#include "engine/zone_rule.h"

#include <algorithm>
#include <charconv>

namespace lo::engine {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::seconds;
using std::chrono::sys_seconds;

// Reads from left to right; each function gives false, and nothing useful, where the text is something else.
class ZoneRuleReader {
 public:
  explicit ZoneRuleReader(std::string_view text) : rest_(text) {}

  bool read(ZoneRule& rule) {
    if (!abbreviation() || !offset(rule.standard_)) return false;
    if (rest_.empty()) return true;
    rule.changes_ = true;
    rule.summer_ = rule.standard_ + std::chrono::hours{1};
    if (!abbreviation() || (!rest_.starts_with(',') && !offset(rule.summer_))) return false;
    return change(rule.to_summer_) && change(rule.to_standard_) && rest_.empty();
  }

 private:
  bool skip(char wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool number(auto& value, int least, int most) {
    int read = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), read);
    if (error != std::errc{} || read < least || read > most) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    value = static_cast<std::remove_reference_t<decltype(value)>>(read);
    return true;
  }

  // "CET", "<+0330>"
  bool abbreviation() {
    bool quoted = skip('<');
    auto end = std::min(rest_.size(), rest_.find_first_of(quoted ? ">" : "+-0123456789,"));
    rest_.remove_prefix(end);
    return end > 0 && (!quoted || skip('>'));
  }

  // "3", "-1", "+5:30:15"
  bool time(seconds& value) {
    auto sign = skip('-') ? -1 : 1;
    if (sign == 1) skip('+');
    int hours = 0, minutes = 0, secs = 0;
    if (!number(hours, 0, 167)) return false;
    if (skip(':') && !number(minutes, 0, 59)) return false;
    if (skip(':') && !number(secs, 0, 59)) return false;
    value = seconds{sign * (hours * 3600 + minutes * 60 + secs)};
    return true;
  }

  // POSIX counts westwards.
  bool offset(seconds& value) {
    if (!time(value)) return false;
    value = -value;
    return true;
  }

  // ",M3.5.0/3", ",J60", ",59"
  bool change(ZoneRule::Change& change) {
    using Form = ZoneRule::Change::Form;
    if (!skip(',')) return false;
    bool good = false;
    if (skip('M')) {
      change.form = Form::nth_weekday;
      good = number(change.month, 1, 12) && skip('.') && number(change.week, 1, 5) && skip('.') && number(change.weekday, 0, 6);
    } else {
      change.form = skip('J') ? Form::day_without_leap : Form::day;
      good = change.form == Form::day ? number(change.day, 0, 365) : number(change.day, 1, 365);
    }
    return good && (!skip('/') || time(change.time));
  }

  std::string_view rest_;
};

std::optional<ZoneRule> ZoneRule::parse(std::string_view text) {
  ZoneRule rule;
  if (!ZoneRuleReader(text).read(rule)) return std::nullopt;
  return rule;
}

std::chrono::local_seconds ZoneRule::Change::in(std::chrono::year year) const {
  if (form == Form::nth_weekday) {
    std::chrono::weekday wanted{weekday};
    auto in_month = year / std::chrono::month{month};
    return (week == 5 ? local_days{in_month / wanted[std::chrono::last]} : local_days{in_month / wanted[week]}) + time;
  }
  auto first = local_days{year / 1 / 1};
  if (form == Form::day) return first + days{day} + time;
  return first + days{day - 1 + (year.is_leap() && day >= 60 ? 1 : 0)} + time;
}

ZoneSpan ZoneRule::at(sys_seconds time) const {
  ZoneSpan span{kZoneBegin, kZoneEnd, standard_};
  if (!changes_) return span;
  // Where summer time lasts all year, its end and its next beginning are one instant; the beginning is heard last and counts.
  auto hear = [&](std::chrono::local_seconds change, seconds before, seconds after) {
    sys_seconds at{(change - before).time_since_epoch()};
    if (at > time) span.end = std::min(span.end, at);
    if (at <= time && at >= span.begin) span = {at, span.end, after};
  };
  auto year = std::chrono::year_month_day{std::chrono::floor<days>(time)}.year();
  for (int other : {-1, 0, 1}) {
    hear(to_summer_.in(year + std::chrono::years{other}), standard_, summer_);
    hear(to_standard_.in(year + std::chrono::years{other}), summer_, standard_);
  }
  return span;
}

}  // namespace lo::engine
