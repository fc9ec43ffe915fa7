#include "api/rows_answer.h"

#include <gtest/gtest.h>

namespace lo::api {
namespace {

using dataset::RowFormat;

std::optional<RowFormat> asked(std::string accept) {
  http::Request request;
  if (!accept.empty()) request.headers.emplace_back("accept", std::move(accept));
  return accepted_rows(request);
}

TEST(AcceptedRows, TheFirstThatIsKnown) {
  EXPECT_EQ(asked("text/csv"), RowFormat::csv);
  EXPECT_EQ(asked("application/x-ndjson; charset=utf-8"), RowFormat::ndjson);
  EXPECT_EQ(asked("text/html, application/vnd.apache.arrow.stream , text/csv"), RowFormat::arrow);
}

TEST(AcceptedRows, OtherwiseItIsJson) {
  EXPECT_EQ(asked(""), std::nullopt);
  EXPECT_EQ(asked("*/*"), std::nullopt);
  EXPECT_EQ(asked("application/json, text/csv"), std::nullopt);
  EXPECT_EQ(asked("text/html,application/xhtml+xml,*/*;q=0.8,text/csv"), std::nullopt);
  EXPECT_EQ(asked("text/csv;q=0, */*"), std::nullopt);
  EXPECT_EQ(asked("text/csv; q=0.000"), std::nullopt);
  EXPECT_EQ(asked("text/csv; q=0.1"), RowFormat::csv);
  EXPECT_EQ(asked(",;,"), std::nullopt);
}

}  // namespace
}  // namespace lo::api
