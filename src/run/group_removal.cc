#include "run/group_removal.h"

#include <boost/asio/steady_timer.hpp>

namespace lo::run {
namespace {

constexpr std::chrono::milliseconds kRound{10};
constexpr int kRounds = 300;

class GroupRemoval : public std::enable_shared_from_this<GroupRemoval> {
 public:
  GroupRemoval(std::shared_ptr<RunContext> context, std::function<void()> done)
      : context_(std::move(context)), done_(std::move(done)), pause_(context_->strand) {}

  void attempt(std::move_only_function<void()> before, JobCgroup group) {
    auto remove = [before = std::move(before), group = std::move(group)]() mutable {
      if (before) before();
      if (!group.remove()) group.kill();
      return group;
    };
    context_->on_pool(std::move(remove), [self = shared_from_this()](JobCgroup left) { self->attempted(std::move(left)); });
  }

 private:
  void attempted(JobCgroup left) {
    if (left.folders().empty() || ++rounds_ > kRounds) return done_();
    pause_.expires_after(kRound);
    pause_.async_wait([self = shared_from_this(), left = std::move(left)](auto error) mutable {
      if (!error) self->attempt(nullptr, std::move(left));
    });
  }

  const std::shared_ptr<RunContext> context_;
  const std::function<void()> done_;
  boost::asio::steady_timer pause_;
  int rounds_ = 0;
};

}  // namespace

void remove_with_group(const std::shared_ptr<RunContext>& context, std::move_only_function<void()> before, JobCgroup group, std::function<void()> done) {
  if (!before && group.folders().empty()) return asio::post(context->strand, std::move(done));
  std::make_shared<GroupRemoval>(context, std::move(done))->attempt(std::move(before), std::move(group));
}

}  // namespace lo::run
