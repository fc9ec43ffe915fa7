#include "api/versions.h"

#include <gmock/gmock.h>

namespace lo::api {
namespace {

using testing::ElementsAre;

StepRecord record(catalog::StepId id, int revision, State state) {
  StepRecord record;
  record.step.id = id;
  catalog::Revision newest;
  newest.key = {.step = id, .revision = revision};
  newest.state = state;
  record.revisions.push_back(newest);
  return record;
}

std::string header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

http::Request request_with(std::string name, std::string value) {
  http::Request request;
  request.headers.emplace_back(std::move(name), std::move(value));
  return request;
}

std::string tag_of(const StepRecord& shown, const std::string& body) {
  return header(with_step_etag({}, shown, http::text_response(200, "text/plain", body)), "ETag");
}

engine::OnlyIf asked(std::string if_match) { return only_if(request_with("if-match", std::move(if_match))); }

TEST(Versions, TagOfAnyDocumentOfAStepAsksForWhatTheStepWas) {
  auto shown = record((catalog::StepId{7} << 32) + 5, 12, State::running);
  auto version = version_of(shown);
  EXPECT_NE(tag_of(shown, "a"), tag_of(shown, "b"));
  EXPECT_EQ(tag_of(shown, "a"), tag_of(shown, "a"));
  for (const auto* body : {"a", "b"}) EXPECT_THAT(asked(tag_of(shown, body)).value(), ElementsAre(version));
  auto other = record(3, 1, State::finished);
  EXPECT_THAT(asked(tag_of(shown, "a") + ", \"x\" , " + tag_of(other, "a")).value(), ElementsAre(version, version_of(other)));
}

TEST(Versions, WithoutIfMatchAndWithAStarAnythingWillDo) {
  EXPECT_FALSE(only_if({}));
  EXPECT_FALSE(asked("*"));
}

TEST(Versions, WhatIsNoTagOfAStepMatchesNothing) {
  auto tag = tag_of(record(3, 1, State::finished), "a");
  for (const auto& text : {std::string(), std::string("no tag"), std::string("\"0123\""), "W/" + tag, tag.substr(0, tag.size() - 1), std::string("\"3.1.gone-1\""),
                           std::string("\"3.x.finished-1\""), std::string("\"3.1\"")}) {
    auto versions = asked(text);
    ASSERT_TRUE(versions) << text;
    EXPECT_TRUE(versions->empty()) << text;
  }
}

TEST(Versions, IfNoneMatchOfTheSameDocumentIs304) {
  auto shown = record(3, 1, State::finished);
  auto request = request_with("if-none-match", tag_of(shown, "a"));
  EXPECT_EQ(with_step_etag(request, shown, http::text_response(200, "text/plain", "a")).status, 304U);
  EXPECT_EQ(with_step_etag(request, shown, http::text_response(200, "text/plain", "b")).status, 200U);
  EXPECT_EQ(with_step_etag(request, record(3, 2, State::finished), http::text_response(200, "text/plain", "a")).status, 200U);
}

}  // namespace
}  // namespace lo::api
