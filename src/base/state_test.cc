#include "base/state.h"

#include <gtest/gtest.h>

namespace lo {
namespace {

TEST(StateTest, EveryStateGoesThroughItsWord) {
  for (int i = 0; i <= static_cast<int>(State::cancelled); ++i) {
    auto state = static_cast<State>(i);
    EXPECT_EQ(parse_state(to_string(state)), state);
  }
  EXPECT_FALSE(parse_state("done"));
  EXPECT_FALSE(parse_state(""));
}

TEST(StateTest, EveryReasonGoesThroughItsWord) {
  for (int i = 0; i <= static_cast<int>(Reason::refused); ++i) {
    auto reason = static_cast<Reason>(i);
    EXPECT_EQ(parse_reason(to_string(reason)), reason);
  }
  EXPECT_FALSE(parse_reason("bad luck"));
}

TEST(StateTest, ThreeStatesAreTerminal) {
  for (auto state : {State::finished, State::failed, State::cancelled}) EXPECT_TRUE(is_terminal(state));
  for (auto state : {State::waiting, State::scheduled, State::queued, State::running}) EXPECT_FALSE(is_terminal(state));
}

}  // namespace
}  // namespace lo
