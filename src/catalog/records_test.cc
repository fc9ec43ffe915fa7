#include "catalog/records.h"

#include <gmock/gmock.h>

#include "catalog/testing.h"

namespace lo::catalog {
namespace {

TEST(EventFilterTest, EmptyFilterMatchesAll) { EXPECT_TRUE(EventFilter{}.matches(make_event("a", "accepted"))); }

TEST(EventFilterTest, NameAndServiceMustBothMatch) {
  auto event = make_event("a", "accepted");
  EXPECT_TRUE((EventFilter{.name = "a", .service = "function/python"}.matches(event)));
  EXPECT_FALSE((EventFilter{.name = "b", .service = "function/python"}.matches(event)));
  EXPECT_FALSE((EventFilter{.name = "a", .service = "function"}.matches(event)));
}

TEST(EventFilterTest, LabelsAreLookedUpInTheData) {
  auto event = make_event("a", "accepted");
  EventFilter any_team{.name = {}, .service = {}, .label_key = "team", .label_value = {}};
  EventFilter blue{.name = {}, .service = {}, .label_key = "team", .label_value = "blue"};
  EXPECT_FALSE(any_team.matches(event));
  event.data["labels"] = "team";  // not an object
  EXPECT_FALSE(any_team.matches(event));
  event.data["labels"] = {{"team", "red"}};
  EXPECT_TRUE(any_team.matches(event));
  EXPECT_FALSE(blue.matches(event));
  event.data["labels"] = {{"team", "blue"}};
  EXPECT_TRUE(blue.matches(event));
}

TEST(DigestsTest, AreThoseOfUploadAndPartsThatAreNotInline) {
  auto revision = make_revision({1, 1});
  EXPECT_THAT(digests_in(revision), ::testing::IsEmpty());
  revision.request["upload"] = {{"digest", "u"}};
  revision.result["parts"] =
      parse_json(R"([{"digest": "a"}, {"digest": "b", "inline": "Yg=="}, {"digest": ""}, "no part", {"digest": "c"}])").value();
  EXPECT_THAT(digests_in(revision), ::testing::ElementsAre("u", "a", "c"));
}

TEST(LabelTest, ValuesThatAreNoTextAreSeenAsJson) {
  EXPECT_EQ(label_text("3"), "3");
  EXPECT_EQ(label_text(3), "3");
  EXPECT_EQ(label_text(0.5), "0.5");
  EXPECT_EQ(label_text(true), "true");
  EXPECT_EQ(label_text(nullptr), "null");
  EXPECT_TRUE(has_label({{"stage", 3}}, "stage", "3"));
  EXPECT_FALSE(has_label({{"stage", 3}}, "stage", "4"));
}

}  // namespace
}  // namespace lo::catalog
