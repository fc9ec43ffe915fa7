#include "engine/cron.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace lo::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

// "2026-03-29T01:00", UTC.
WallTime at(const std::string& text) {
  auto part = [&](std::size_t from, std::size_t count) { return std::stoi(text.substr(from, count)); };
  auto month = static_cast<unsigned>(part(5, 2)), day = static_cast<unsigned>(part(8, 2));
  std::chrono::sys_days date = std::chrono::year{part(0, 4)} / std::chrono::month{month} / day;
  return date + std::chrono::hours{part(11, 2)} + std::chrono::minutes{part(14, 2)};
}

std::string show(std::optional<WallTime> time) {
  if (!time) return "never";
  auto day = std::chrono::floor<std::chrono::days>(*time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(*time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}", int{date.year()}, unsigned{date.month()}, unsigned{date.day()},
                     clock.hours().count(), clock.minutes().count());
}

Cron cron(std::string_view expression, std::string_view zone = "UTC") {
  auto parsed = Cron::parse(expression, zone);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return *parsed;
}

// The next `count` times in UTC.
std::vector<std::string> times(std::string_view expression, std::string_view zone, const std::string& after, int count) {
  std::vector<std::string> shown;
  auto schedule = cron(expression, zone);
  for (auto time = schedule.next(at(after)); time && count-- > 0; time = schedule.next(*time)) shown.push_back(show(time));
  return shown;
}

TEST(Cron, ComesNext) {
  struct Case {
    std::string_view expression;
    std::string after, next;
  };
  for (const auto& [expression, after, next] : std::initializer_list<Case>{
           {"* * * * *", "2026-01-31T23:59", "2026-02-01T00:00"},
           {"*/15 * * * *", "2026-01-31T10:15", "2026-01-31T10:30"},
           {"10-50/20 * * * *", "2026-01-31T10:30", "2026-01-31T10:50"},
           {"10-50/20 * * * *", "2026-01-31T10:50", "2026-01-31T11:10"},
           {"5,1,3-4 2 * * *", "2026-01-31T02:01", "2026-01-31T02:03"},
           {"0 */5 * * *", "2026-01-31T20:00", "2026-02-01T00:00"},
           {"  30\t8-18/5   * * *  ", "2026-01-31T13:30", "2026-01-31T18:30"},
           {"0 0 31 * *", "2026-01-31T00:00", "2026-03-31T00:00"},
           {"0 0 1 Jan,jul *", "2026-01-31T00:00", "2026-07-01T00:00"},
           {"0 0 1 NOV-DEC *", "2026-01-31T00:00", "2026-11-01T00:00"},
           {"0 9 * * mon-fri", "2026-01-30T09:00", "2026-02-02T09:00"},
           {"0 9 * * 7", "2026-01-30T09:00", "2026-02-01T09:00"},
           {"0 9 * * 0", "2026-01-30T09:00", "2026-02-01T09:00"},
           {"0 9 * * FRI-SUN", "2026-01-30T09:00", "2026-01-31T09:00"},
           {"0 9 * * 7-1", "2026-01-30T09:00", "2026-02-01T09:00"},
           {"0 9 * * */2", "2026-01-31T09:00", "2026-02-01T09:00"},   // Sunday, Tuesday, Thursday, Saturday
           {"0 0 13 * FRI", "2026-01-31T00:00", "2026-02-06T00:00"},  // either
           {"0 0 13 * FRI", "2026-04-10T00:00", "2026-04-13T00:00"},
           {"0 0 */13 * FRI", "2026-01-31T00:00", "2026-02-27T00:00"},  // both: the first field begins with *
           {"0 0 13 * */5", "2026-01-31T00:00", "2026-02-13T00:00"},
           {"0 0 1-31 * 1", "2026-01-31T00:00", "2026-02-01T00:00"},  // all days, but not by *
           {"@hourly", "2026-01-31T10:20", "2026-01-31T11:00"},
           {"@Daily", "2026-01-31T10:20", "2026-02-01T00:00"},
           {"@midnight", "2026-01-31T10:20", "2026-02-01T00:00"},
           {"@weekly", "2026-01-31T10:20", "2026-02-01T00:00"},
           {"@monthly", "2026-01-31T10:20", "2026-02-01T00:00"},
           {"@yearly", "2026-01-31T10:20", "2027-01-01T00:00"},
           {"@annually", "2026-01-31T10:20", "2027-01-01T00:00"},
           {"0 0 29 2 *", "2097-01-01T00:00", "2104-02-29T00:00"},
           {"0 0 29 2 *", "2026-01-01T00:00", "2028-02-29T00:00"},
           {"0 0 29 2 */7", "2060-03-01T00:00", "2088-02-29T00:00"},  // on a Sunday
           {"0 0 29 2 */7", "2088-03-01T00:00", "2128-02-29T00:00"},  // 2100 has none
           {"59 23 31 12 *", "9999-12-31T23:58", "9999-12-31T23:59"},
           {"59 23 31 12 *", "9999-12-31T23:59", "never"}})
    EXPECT_EQ(show(cron(expression).next(at(after))), next) << expression << " after " << after;
}

TEST(Cron, ComesStrictlyAfterToTheMicrosecond) {
  auto noon = at("2026-01-31T12:00");
  EXPECT_EQ(cron("0 12 * * *").next(noon - 1us), noon);
  EXPECT_EQ(cron("0 12 * * *").next(noon), noon + 24h);
  EXPECT_EQ(cron("0 12 * * *").next(noon + 1us), noon + 24h);
}

TEST(Cron, KnowsWhereTimeEnds) {
  EXPECT_EQ(show(cron("* * * * *").next(WallTime::min())), "0001-01-01T00:00");
  EXPECT_EQ(cron("* * * * *", "Europe/Berlin").next(WallTime::max()), std::nullopt);
  EXPECT_THAT(cron("* * * * *").between(WallTime::max(), WallTime::min(), 5), IsEmpty());
  EXPECT_EQ(cron("* * * * *", "Europe/Berlin").between(WallTime::min(), WallTime::max(), 5).size(), 5U);
}

TEST(Cron, GivesTheTimesBetween) {
  auto daily = cron("@daily");
  auto from = at("2026-01-30T00:00"), to = at("2026-02-02T00:00");
  EXPECT_THAT(daily.between(from, to, 10), ElementsAre(from, from + 24h, from + 48h));
  EXPECT_THAT(daily.between(from + 1us, to + 1us, 10), ElementsAre(from + 24h, from + 48h, to));
  EXPECT_THAT(daily.between(from, to, 2), ElementsAre(from, from + 24h));
  EXPECT_THAT(daily.between(from, to, 0), IsEmpty());
  EXPECT_THAT(daily.between(from, from, 10), IsEmpty());
}

TEST(Cron, NamesFieldValueAndRangeOfWhatIsWrong) {
  struct Case {
    std::string_view expression, message;
  };
  constexpr std::string_view kFive =
      "schedule/cron must have five fields (minute, hour, day of month, month, day of week) or be one of @hourly, @daily, "
      "@midnight, @weekly, @monthly, @yearly, @annually, not ";
  for (const auto& [expression, message] : std::initializer_list<Case>{
           {"60 * * * *", "schedule/cron: minute must be from 0 to 59, not \"60\""},
           {"10-60 * * * *", "schedule/cron: minute must be from 0 to 59, not \"60\" in \"10-60\""},
           {"-5 * * * *", "schedule/cron: minute must be from 0 to 59, not \"\" in \"-5\""},
           {"1,,2 * * * *", "schedule/cron: minute must be from 0 to 59, not \"\""},
           {"1, * * * *", "schedule/cron: minute must be from 0 to 59, not \"\""},
           {"99999999999999999999 * * * *", "schedule/cron: minute must be from 0 to 59, not \"99999999999999999999\""},
           {"* 24 * * *", "schedule/cron: hour must be from 0 to 23, not \"24\""},
           {"* 1.5 * * *", "schedule/cron: hour must be from 0 to 23, not \"1.5\""},
           {"* * 0 * *", "schedule/cron: day of month must be from 1 to 31, not \"0\""},
           {"* * L * *", "schedule/cron: day of month must be from 1 to 31, not \"L\""},
           {"* * ? * *", "schedule/cron: day of month must be from 1 to 31, not \"?\""},
           {"* * * 13 *", "schedule/cron: month must be from 1 to 12 or from JAN to DEC, not \"13\""},
           {"* * * MON *", "schedule/cron: month must be from 1 to 12 or from JAN to DEC, not \"MON\""},
           {"* * * * 8", "schedule/cron: day of week must be from 0 to 7 or from SUN to SAT, not \"8\""},
           {"* * * * SON", "schedule/cron: day of week must be from 0 to 7 or from SUN to SAT, not \"SON\""},
           {"*-5 * * * *", "schedule/cron: minute must be from 0 to 59, not \"*\" in \"*-5\""},
           {"*/0 * * * *", "schedule/cron: step of minute must be from 1 to 59, not \"0\" in \"*/0\""},
           {"*/60 * * * *", "schedule/cron: step of minute must be from 1 to 59, not \"60\" in \"*/60\""},
           {"* */ * * *", "schedule/cron: step of hour must be from 1 to 23, not \"\" in \"*/\""},
           {"* * */2/3 * *", "schedule/cron: step of day of month must be from 1 to 31, not \"2/3\" in \"*/2/3\""},
           {"* * * */x *", "schedule/cron: step of month must be from 1 to 12, not \"x\" in \"*/x\""},
           {"* * * * */8", "schedule/cron: step of day of week must be from 1 to 7, not \"8\" in \"*/8\""},
           {"5/15 * * * *", "schedule/cron: minute \"5/15\" has a step without a range; write \"5-59/15\""},
           {"0 22-2 * * *", "schedule/cron: hour \"22-2\" ends before it begins; write \"22-23,0-2\""},
           {"0 0 * * FRI-MON", "schedule/cron: day of week \"FRI-MON\" ends before it begins; write \"5-6,0-1\""},
           {"0 0 30 FEB *", "schedule/cron: \"0 0 30 FEB *\" never comes: no such month has such a day"},
           {"0 0 31 2,4,6,9,11 *", "schedule/cron: \"0 0 31 2,4,6,9,11 *\" never comes: no such month has such a day"}}) {
    auto parsed = Cron::parse(expression, "UTC");
    ASSERT_FALSE(parsed) << expression;
    EXPECT_EQ(parsed.error().code, Code::unacceptable);
    EXPECT_EQ(parsed.error().fields.front().pointer, "/schedule/cron");
    EXPECT_EQ(parsed.error().message, message);
  }
  EXPECT_EQ(Cron::parse("", "UTC").error().message, std::string(kFive) + "\"\"");
  EXPECT_EQ(Cron::parse(" \t", "UTC").error().message, std::string(kFive) + "\"\"");
  EXPECT_EQ(Cron::parse("0 * * * * *", "UTC").error().message, std::string(kFive) + "\"0 * * * * *\"");
  EXPECT_EQ(Cron::parse("@reboot", "UTC").error().message, std::string(kFive) + "\"@reboot\"");
  EXPECT_EQ(Cron::parse("@dayly", "UTC").error().message, std::string(kFive) + "\"@dayly\"; did you mean \"@daily\"?");
  EXPECT_THAT(Cron::parse("\x01\xff * * * *", "UTC").error().message, HasSubstr("\\x01"));
}

TEST(Cron, NamesTheNearestTimeZone) {
  auto error = [](std::string_view zone) {
    auto parsed = Cron::parse("@daily", zone);
    EXPECT_FALSE(parsed) << zone;
    EXPECT_EQ(parsed.error().code, Code::unacceptable);
    EXPECT_EQ(parsed.error().fields.front().pointer, "/schedule/timezone");
    return parsed.error().message;
  };
  EXPECT_EQ(error("Europe/Berln"),
            "schedule/timezone: there is no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?");
  EXPECT_THAT(error("europe/berlin"), HasSubstr("\"Europe/Berlin\"?"));
  EXPECT_THAT(error("new_york"), HasSubstr("\"America/New_York\"?"));
  EXPECT_THAT(error("a zone of my own that nobody knows"), HasSubstr("one is named as \"UTC\" or \"Europe/Berlin\""));
  for (auto zone : {"", "localtime", "/etc/passwd", "../../../etc/passwd", "posix/Europe/Berlin", "tzdata.zi"}) error(zone);
}

// In Berlin clocks go from 02:00 to 03:00 on 2026-03-29 at 01:00 UTC, and from 03:00 to 02:00 on 2026-10-25 at 01:00 UTC.
TEST(Cron, ComesAtTheJumpForATimeThatIsJumpedOver) {
  EXPECT_THAT(times("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00", 3),
              ElementsAre("2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"));
  EXPECT_THAT(times("*/10 2 29 3 *", "Europe/Berlin", "2026-03-29T00:00", 2),
              ElementsAre("2026-03-29T01:00", "2027-03-29T00:00"));
  EXPECT_THAT(times("0 2,3 * * *", "Europe/Berlin", "2026-03-28T23:00", 2),
              ElementsAre("2026-03-29T01:00", "2026-03-30T00:00"));
  EXPECT_EQ(show(cron("30 2 * * *", "Europe/Berlin").next(at("2026-03-29T01:00") - 1us)), "2026-03-29T01:00");
  EXPECT_EQ(show(cron("30 2 * * *", "America/New_York").next(at("2026-03-08T00:00"))), "2026-03-08T07:00");
  EXPECT_EQ(show(cron("15 2 * * *", "Australia/Lord_Howe").next(at("2026-10-03T00:00"))), "2026-10-03T15:30");
  EXPECT_EQ(show(cron("0 12 30 12 *", "Pacific/Apia").next(at("2011-12-01T00:00"))), "2011-12-30T10:00");  // a day was left out
}

TEST(Cron, ComesOnceForATimeThatIsShownTwice) {
  EXPECT_THAT(times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2), ElementsAre("2026-10-25T00:30", "2026-10-26T01:30"));
  EXPECT_THAT(times("0,30 1-3 * * *", "Europe/Berlin", "2026-10-24T22:30", 6),
              ElementsAre("2026-10-24T23:00", "2026-10-24T23:30", "2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T02:00",
                          "2026-10-25T02:30"));
  EXPECT_THAT(times("30 1 * * *", "America/New_York", "2026-11-01T00:00", 2),
              ElementsAre("2026-11-01T05:30", "2026-11-02T06:30"));
  EXPECT_THAT(times("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00", 2),
              ElementsAre("2026-04-04T14:45", "2026-04-05T15:15"));
}

TEST(Cron, OfEveryHourGoesOnThroughBothChanges) {
  struct Case {
    std::string_view zone;
    std::string from;
  };
  for (const auto& [zone, from] : std::initializer_list<Case>{{"Europe/Berlin", "2026-03-28T20:00"},
                                                              {"Europe/Berlin", "2026-10-24T20:00"},
                                                              {"America/New_York", "2026-03-08T02:00"},
                                                              {"America/New_York", "2026-11-01T01:00"},
                                                              {"Australia/Lord_Howe", "2026-10-03T10:00"},
                                                              {"Australia/Lord_Howe", "2026-04-04T10:00"}}) {
    auto quarters = cron("*/15 * * * *", zone).between(at(from), at(from) + 12h, 100);
    ASSERT_EQ(quarters.size(), 48U) << zone;
    for (std::size_t i = 0; i != quarters.size(); ++i) EXPECT_EQ(quarters[i], at(from) + static_cast<int>(i) * 15min) << zone;
  }
  EXPECT_THAT(times("@hourly", "Europe/Berlin", "2026-10-24T23:00", 3),
              ElementsAre("2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"));
  EXPECT_THAT(times("30 */2 * * *", "Europe/Berlin", "2026-03-28T23:00", 2),
              ElementsAre("2026-03-28T23:30", "2026-03-29T02:30"));
  EXPECT_THAT(times("@hourly", "Australia/Lord_Howe", "2026-10-03T14:00", 3),  // half an hour is lacking
              ElementsAre("2026-10-03T14:30", "2026-10-03T16:00", "2026-10-03T17:00"));
}

TEST(Cron, ComesEveryDayOfFortyYearsOnceAtMostAnHourLate) {
  for (auto zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca"})
    for (auto expression : {"0 0 * * *", "30 1 * * *", "15 2 * * *", "59 23 * * *"}) {
      auto days = cron(expression, zone).between(at("2020-01-01T12:00"), at("2060-01-01T12:00"), 20'000);
      EXPECT_EQ(days.size(), 14'610U) << zone << " " << expression;
      for (std::size_t i = 1; i < days.size(); ++i) {
        EXPECT_GE(days[i] - days[i - 1], 23h) << zone << " " << expression << " " << show(days[i]);
        EXPECT_LE(days[i] - days[i - 1], 25h) << zone << " " << expression << " " << show(days[i]);
      }
    }
}

}  // namespace
}  // namespace lo::engine
