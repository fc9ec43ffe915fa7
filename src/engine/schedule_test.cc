#include "engine/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/timetable.h"

namespace lo::engine {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

WallTime at(std::string_view text) { return parse_time(text, "/t").value(); }

Schedule schedule(std::string_view text) { return **read_schedule({{"schedule", parse_json(text).value()}}); }

std::string refusal(std::string_view text) {
  auto read = read_schedule({{"schedule", parse_json(text).value()}});
  return read ? "" : read.error().fields.front().pointer + ": " + read.error().message;
}

TEST(Schedule, ReadsTimesWithOffsets) {
  EXPECT_EQ(at("2026-01-31T10:20:30Z"), at("2026-01-31T12:20:30+02:00"));
  EXPECT_EQ(at("2026-01-31T10:20:30.75Z"), at("2026-01-31T10:20:30Z"));
  EXPECT_EQ(format_time(at("2026-02-28T23:30:00-01:00")), "2026-03-01T00:30:00-00:00");
  EXPECT_EQ(at(format_time(at("2026-01-31T10:20:30Z"))), at("2026-01-31T10:20:30Z"));
  for (auto text : {"", "tomorrow", "2026-01-31", "2026-01-31T10:20:30", "2026-02-30T10:20:30Z", "2026-01-31T10:20:30Z!", "1969-01-01T00:00:00Z", "9999-01-31T10:20:30Z"})
    EXPECT_FALSE(parse_time(text, "/t")) << text;
}

TEST(Schedule, NamesWhatIsWrong) {
  EXPECT_EQ(refusal(R"({"at": "2026-01-31T10:20:30Z"})"), "");
  EXPECT_THAT(refusal(R"("daily")"), HasSubstr("/schedule: schedule must be an object"));
  EXPECT_THAT(refusal("{}"), HasSubstr("either at or cron"));
  EXPECT_THAT(refusal(R"({"at": "2026-01-31T10:20:30Z", "cron": "* * * * *"})"), HasSubstr("either at or cron"));
  EXPECT_THAT(refusal(R"({"at": 5})"), HasSubstr("/schedule/at: schedule/at must be a text, not 5"));
  EXPECT_THAT(refusal(R"({"at": "soon"})"), HasSubstr("not \"soon\""));
  EXPECT_THAT(refusal(R"({"at": "2026-01-31T10:20:30Z", "misfire": "skip"})"), HasSubstr("belongs to cron"));
  EXPECT_THAT(refusal(R"({"cron": "* * * *"})"), HasSubstr("/schedule/cron"));
  EXPECT_THAT(refusal(R"({"cron": "* * * * *", "timezone": "Europe/Berlim"})"), HasSubstr("Europe/Berlin"));
  EXPECT_THAT(refusal(R"({"cron": "* * * * *", "misfire": "never"})"), HasSubstr("\"once\" or \"skip\", not \"never\""));
  EXPECT_THAT(refusal(R"({"crom": "* * * * *"})"), HasSubstr("no member \"crom\""));
}

TEST(Schedule, MissedTimesAreOneRunOrNone) {
  auto once = schedule(R"({"cron": "0 2 * * *"})");
  auto skip = schedule(R"({"cron": "0 2 * * *", "misfire": "skip"})");
  auto due = at("2026-01-01T02:00:00Z");
  for (const auto& each : {once, skip}) {
    EXPECT_EQ(next_run(each, due, at("2026-01-01T01:00:00Z")), due);
    EXPECT_EQ(next_run(each, due, due), due);
    EXPECT_EQ(next_run(each, due, at("2026-01-01T02:00:30Z")), due);
  }
  EXPECT_EQ(next_run(once, due, at("2026-01-01T02:30:00Z")), due);
  EXPECT_EQ(next_run(skip, due, at("2026-01-01T02:30:00Z")), at("2026-01-02T02:00:00Z"));
  EXPECT_EQ(next_run(once, due, at("2027-06-15T12:00:00Z")), at("2027-06-15T02:00:00Z"));
  EXPECT_EQ(next_run(skip, due, at("2027-06-15T12:00:00Z")), at("2027-06-16T02:00:00Z"));
  auto yearly = schedule(R"({"cron": "@yearly"})");
  EXPECT_EQ(next_run(yearly, at("2020-01-01T00:00:00Z"), at("2026-06-15T12:00:00Z")), at("2026-01-01T00:00:00Z"));
  auto every_minute = schedule(R"({"cron": "* * * * *"})");
  EXPECT_EQ(next_run(every_minute, at("1990-01-01T00:00:00Z"), at("2026-06-15T12:00:59Z")), at("2026-06-15T12:00:00Z"));
}

TEST(Schedule, KeepsTheTimeAmongTheFacts) {
  json::object facts;
  EXPECT_EQ(scheduled_for(facts), std::nullopt);
  set_scheduled_for(facts, std::nullopt);
  EXPECT_THAT(facts, IsEmpty());
  set_scheduled_for(facts, at("2026-01-31T10:20:30Z"));
  EXPECT_EQ(scheduled_for(facts), at("2026-01-31T10:20:30Z"));
}

TEST(Timetable, GivesEachTimeOnce) {
  Timetable table;
  table.follow(1, schedule(R"({"cron": "0 * * * *"})"), at("2026-01-01T00:00:00Z"));
  table.follow(2, schedule(R"({"cron": "30 * * * *"})"), at("2026-01-01T00:00:00Z"));
  EXPECT_EQ(table.next(), at("2026-01-01T00:30:00Z"));
  EXPECT_THAT(table.take_due(at("2026-01-01T00:29:59Z")), IsEmpty());
  auto due = table.take_due(at("2026-01-01T00:30:00Z"));
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].step, 2);
  EXPECT_EQ(due[0].scheduled_for, at("2026-01-01T00:30:00Z"));
  EXPECT_THAT(table.take_due(at("2026-01-01T00:30:00Z")), IsEmpty());
  EXPECT_EQ(table.next(), at("2026-01-01T01:00:00Z"));
  table.forget(1);
  EXPECT_EQ(table.next(), std::nullopt);
  EXPECT_FALSE(table.contains(1));
}

TEST(Timetable, WhatCouldNotRunComesAgainAndOnce) {
  Timetable table;
  table.follow(1, schedule(R"({"cron": "0 * * * *"})"), at("2026-01-01T00:00:00Z"));
  ASSERT_EQ(table.take_due(at("2026-01-01T01:00:00Z")).size(), 1U);
  table.resume(1);
  auto late = table.take_due(at("2026-01-01T05:10:00Z"));
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(late[0].scheduled_for, at("2026-01-01T05:00:00Z"));
  table.skip(late[0]);
  EXPECT_EQ(table.next_of(1), at("2026-01-01T06:00:00Z"));
}

TEST(Timetable, ClockJumpsFireNothingTwice) {
  Timetable table;
  auto hourly = schedule(R"({"cron": "0 * * * *"})");
  table.follow(1, hourly, at("2026-01-01T00:00:00Z"));
  auto jumped = table.take_due(at("2026-01-02T00:30:00Z"));  // a day ahead
  ASSERT_EQ(jumped.size(), 1U);
  table.follow(1, hourly, jumped[0].scheduled_for);
  EXPECT_THAT(table.take_due(at("2026-01-01T02:00:00Z")), IsEmpty());  // and back
  EXPECT_EQ(table.next(), at("2026-01-02T01:00:00Z"));
}

}  // namespace
}  // namespace lo::engine
