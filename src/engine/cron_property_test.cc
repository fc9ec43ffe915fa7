// Random expressions against the slowest reading of the rules in cron.h: minute by minute.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "engine/cron.h"
#include "engine/zone.h"

namespace lo::engine {
namespace {

using namespace std::chrono_literals;
using std::chrono::local_seconds;
using std::chrono::sys_seconds;

// An expression, and by itself what it means.
class Expression {
 public:
  explicit Expression(std::mt19937& random) : random_(random) {
    for (int field = 0; field != 5; ++field) text_ += (field == 0 ? "" : " ") + make_field(field);
  }

  const std::string& text() const { return text_; }
  bool every_hour() const { return star_[1]; }

  bool matches(local_seconds time) const {
    auto day = std::chrono::floor<std::chrono::days>(time);
    std::chrono::year_month_day date(day);
    std::chrono::hh_mm_ss clock(time - day);
    if (!allowed_[0][static_cast<std::size_t>(clock.minutes().count())]) return false;
    if (!allowed_[1][static_cast<std::size_t>(clock.hours().count())]) return false;
    if (!allowed_[3][unsigned{date.month()}]) return false;
    bool by_date = allowed_[2][unsigned{date.day()}];
    bool by_weekday = allowed_[4][std::chrono::weekday(day).c_encoding()];
    return star_[2] || star_[4] ? by_date && by_weekday : by_date || by_weekday;
  }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }

  std::string make_field(int field) {
    auto index = static_cast<std::size_t>(field);
    allowed_[index].resize(64);
    if (pick(0, 3) == 0 || (field >= 2 && pick(0, 1) == 0)) return star(field, pick(0, 2) == 0 ? pick(2, 7) : 1);
    std::string text = item(field);
    for (int more = pick(0, 3); more > 0; --more) text += "," + item(field);
    return text;
  }

  std::string star(int field, int step) {
    star_[static_cast<std::size_t>(field)] = true;
    allow(field, kLeast[field], kMost[field], step);
    return step == 1 ? "*" : fmt::format("*/{}", step);
  }

  std::string item(int field) {
    int low = pick(kLeast[field], kMost[field]);
    if (pick(0, 1) == 0) {
      allow(field, low, low, 1);
      return std::to_string(low);
    }
    int high = pick(low, kMost[field]), step = pick(1, 5);
    allow(field, low, high, step);
    return fmt::format("{}-{}/{}", low, high, step);
  }

  void allow(int field, int low, int high, int step) {
    for (int value = low; value <= high; value += step)
      allowed_[static_cast<std::size_t>(field)][static_cast<std::size_t>(value)] = true;
  }

  static constexpr int kLeast[]{0, 0, 1, 1, 0};
  static constexpr int kMost[]{59, 23, 31, 12, 6};
  std::mt19937& random_;
  std::string text_;
  std::vector<bool> allowed_[5];
  bool star_[5]{};
};

// The times in [from, to), by going through all minutes that pass.
std::vector<WallTime> minute_by_minute(const Expression& expression, const Zone& zone, sys_seconds from, sys_seconds to) {
  std::vector<WallTime> times;
  auto shown = [&](sys_seconds time) { return local_seconds{(time + zone.at(time).offset).time_since_epoch()}; };
  auto latest = shown(from - 1min);
  for (auto time = from; time < to; time += 1min) {
    auto now = shown(time);
    bool comes = expression.every_hour() && expression.matches(now);
    for (auto minute = latest + 1min; minute <= now && !expression.every_hour(); minute += 1min)
      comes |= expression.matches(minute);
    if (comes) times.push_back(time);
    latest = std::max(latest, now);
  }
  return times;
}

void compare(unsigned seed, std::string_view zone_name, sys_seconds from, std::chrono::hours length) {
  std::mt19937 random(seed);
  Expression expression(random);
  SCOPED_TRACE(fmt::format("seed {}: {} in {}", seed, expression.text(), zone_name));
  auto cron = Cron::parse(expression.text(), zone_name);
  if (!cron) {
    EXPECT_NE(cron.error().message.find("never comes"), std::string::npos) << cron.error().message;
    return;
  }
  auto zone = Zone::find(zone_name, "/zone").value();
  from += std::chrono::minutes{std::uniform_int_distribution(0, 2'000)(random)};
  ASSERT_EQ(cron->between(from, from + length, 1'000'000), minute_by_minute(expression, *zone, from, from + length));
}

constexpr sys_seconds kStart = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

TEST(CronProperty, AgreesWithASearchMinuteByMinute) {
  auto first = std::random_device{}();
  for (unsigned i = 0; i != 100; ++i) compare(first + i, "UTC", kStart + i * 500h, 24h * 30);
}

TEST(CronProperty, AgreesWhereClocksChange) {
  struct Change {
    std::string_view zone;
    sys_seconds days_before;
  };
  using namespace std::chrono;
  auto first = std::random_device{}();
  for (const auto& [zone, days_before] : std::initializer_list<Change>{{"Europe/Berlin", sys_days{2026y / 3 / 27}},
                                                                       {"Europe/Berlin", sys_days{2050y / 10 / 28}},
                                                                       {"America/New_York", sys_days{2026y / 3 / 6}},
                                                                       {"America/New_York", sys_days{2050y / 11 / 4}},
                                                                       {"Australia/Lord_Howe", sys_days{2026y / 10 / 1}},
                                                                       {"Australia/Lord_Howe", sys_days{2050y / 4 / 1}}})
    for (unsigned i = 0; i != 20; ++i) compare(first + i, zone, days_before, 24h * 5);
}

}  // namespace
}  // namespace lo::engine
