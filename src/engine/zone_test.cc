#include "engine/zone.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace lo::engine {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

ZoneSpan span_of(std::string_view rule, sys_seconds time) { return ZoneRule::parse(rule).value().at(time); }

TEST(Zone, KnowsTheTimeInDecadesFromNow) {
  struct Case {
    std::string_view zone;
    sys_seconds time;
    std::chrono::minutes offset;
  };
  for (const auto& [zone, time, offset] : std::initializer_list<Case>{{"UTC", sys_days{2050y / 7 / 1}, 0min},
                                                                      {"Etc/UTC", sys_days{2050y / 7 / 1}, 0min},
                                                                      {"Europe/Berlin", sys_days{1985y / 7 / 1}, 120min},
                                                                      {"Europe/Berlin", sys_days{2026y / 1 / 1}, 60min},
                                                                      {"Europe/Berlin", sys_days{2050y / 1 / 1}, 60min},
                                                                      {"Europe/Berlin", sys_days{2050y / 7 / 1}, 120min},
                                                                      {"America/New_York", sys_days{2099y / 7 / 1}, -240min},
                                                                      {"Australia/Lord_Howe", sys_days{2050y / 1 / 1}, 660min},
                                                                      {"Australia/Lord_Howe", sys_days{2050y / 7 / 1}, 630min},
                                                                      {"Europe/Dublin", sys_days{2050y / 7 / 1}, 60min},
                                                                      {"Asia/Kathmandu", sys_days{9999y / 7 / 1}, 345min}})
    EXPECT_EQ(Zone::find(zone, "/zone").value()->at(time).offset, offset) << zone << " " << time.time_since_epoch();
}

TEST(Zone, HasSpansWithoutGapOrOverlap) {
  for (auto name :
       {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Nuuk", "Asia/Gaza"}) {
    auto zone = Zone::find(name, "/zone").value();
    sys_seconds time = sys_days{1900y / 1 / 1};
    for (auto span = zone->at(time); span.end < sys_days{2100y / 1 / 1}; span = zone->at(time)) {
      ASSERT_LE(span.begin, time) << name;
      ASSERT_LT(time, span.end) << name;
      ASSERT_EQ(zone->at(span.end).begin, span.end) << name << " " << span.end.time_since_epoch();
      ASSERT_EQ(zone->at(span.end - 1s).offset, span.offset) << name << " " << span.end.time_since_epoch();
      time = span.end;
    }
  }
}

TEST(Zone, IsFoundFromManyThreads) {
  std::vector<std::jthread> threads;
  for (int i = 0; i != 8; ++i)
    threads.emplace_back([] {
      for (auto name : {"Asia/Tokyo", "Asia/Seoul", "Asia/Manila"})
        EXPECT_GE(Zone::find(name, "/zone").value()->at(sys_days{2026y / 1 / 1}).offset, 8h);
    });
}

TEST(ZoneRule, ReadsEveryForm) {
  sys_seconds winter = sys_days{2048y / 1 / 15}, summer = sys_days{2048y / 7 / 15};
  EXPECT_EQ(span_of("<+0330>-3:30", winter).offset, 210min);
  EXPECT_EQ(span_of("<+0330>-3:30", winter).end, kZoneEnd);
  EXPECT_EQ(span_of("NST3:30NDT,M3.2.0,M11.1.0", summer).offset, -150min);
  EXPECT_EQ(span_of("IST-1GMT0,M10.5.0,M3.5.0/1", winter).offset, 0min);  // Dublin's "summer time" is the winter's
  EXPECT_EQ(span_of("IST-1GMT0,M10.5.0,M3.5.0/1", summer).offset, 60min);
  EXPECT_EQ(span_of("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", summer).begin, sys_days{2048y / 3 / 29} + 1h);
  EXPECT_EQ(span_of("EET-2EEST,M3.4.4/50,M10.4.4/50", summer).begin, sys_days{2048y / 3 / 28});
  EXPECT_EQ(span_of("AAA0BBB,J60/0,J300/0", summer).begin, sys_days{2048y / 3 / 1});  // 29 February is not counted
  EXPECT_EQ(span_of("AAA0BBB,60/0,300/0", summer).begin, sys_days{2048y / 3 / 1});
  EXPECT_EQ(span_of("AAA0BBB,59/0,300/0", summer).begin, sys_days{2048y / 2 / 29});
}

TEST(ZoneRule, MayBeSummerAllYear) {
  for (auto time : {sys_days{2048y / 1 / 1}, sys_days{2048y / 6 / 1}, sys_days{2048y / 12 / 31}})
    EXPECT_EQ(span_of("XXX3EDT4,0/0,J365/23", time).offset, -4h);
}

TEST(ZoneRule, IsNothingElse) {
  for (auto text :
       {"", "3", "CET", "<CET-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5", "CET-1CEST,M3.5.0,M13.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.7", "CET-1CEST,M3.5.0,M10.5.0/", "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,J0,J365", "CET-1CEST,0,366", "CET-168", "CET-1:60"})
    EXPECT_FALSE(ZoneRule::parse(text)) << text;
}

}  // namespace
}  // namespace lo::engine
