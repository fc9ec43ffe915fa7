#include "run/spark_sessions.h"

#include <gmock/gmock.h>

#include "base/testing/temporary_folder.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class SparkSessionsTest : public testing::Test {
 protected:
  SparkPlace place(const std::string& url) { return parse_spark_place(url).value(); }

  TemporaryFolder folder_;
};

TEST_F(SparkSessionsTest, WhatIsNotForgottenIsThereForTheNextServer) {
  auto here = place("sc://spark:15002/;token=sesame");
  EXPECT_THAT(noted_sessions(folder_.path(), here), IsEmpty());
  ASSERT_TRUE(note_session(folder_.path(), here, "one"));
  ASSERT_TRUE(note_session(folder_.path(), here, "two"));
  EXPECT_THAT(noted_sessions(folder_.path(), place("sc://spark:15002/;token=another")), UnorderedElementsAre("one", "two"));
  forget_session(folder_.path(), "one");
  forget_session(folder_.path(), "never");
  EXPECT_THAT(noted_sessions(folder_.path(), here), ElementsAre("two"));
}

TEST_F(SparkSessionsTest, NotesOfOtherPlacesAndHalfWrittenOnesGo) {
  auto here = place("sc://spark:15002");
  ASSERT_TRUE(note_session(folder_.path(), place("sc://elsewhere:15002"), "one"));
  ASSERT_TRUE(note_session(folder_.path(), here, "two.tmp"));
  EXPECT_THAT(noted_sessions(folder_.path(), here), IsEmpty());
  EXPECT_TRUE(fs::is_empty(folder_.path() / "spark-sessions"));
  ASSERT_TRUE(note_session(folder_.path(), here, "three"));
  EXPECT_THAT(noted_sessions(folder_.path(), SparkPlace{}), IsEmpty());
}

}  // namespace
}  // namespace lo::run
