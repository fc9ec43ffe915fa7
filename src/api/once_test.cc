#include "api/once.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>

#include "base/io_threads.h"
#include "catalog/fake_catalog.h"
#include "store/digest.h"

namespace lo::api {
namespace {

using testing::HasSubstr;

// A body that comes in pieces.
class Pieces final : public http::BodyReader {
 public:
  explicit Pieces(std::string text) : text_(std::move(text)) {}
  Awaitable<Result<std::size_t>> read(std::span<char> some) override {
    auto count = std::min<std::size_t>({some.size(), 3, text_.size() - at_});
    text_.copy(some.data(), count, at_);
    at_ += count;
    co_return count;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

class OnceTest : public testing::Test {
 protected:
  OnceTest() {
    context_.catalog = &catalog_;
    context_.pool = &pool_;
    context_.clock = clock_;
  }
  ~OnceTest() override { threads_.stop(); }

  static http::Request post(std::string key, std::string body = "{}") {
    http::Request request;
    request.method = "POST";
    request.path = "/function/python";
    request.query = {{"b", "2"}, {"a", "1"}};
    if (!key.empty()) request.headers.emplace_back("idempotency-key", std::move(key));
    request.body = std::move(body);
    return request;
  }

  template <class T>
  T run(Awaitable<T> work) {
    return asio::co_spawn(threads_.executor(), std::move(work), asio::use_future).get();
  }

  // Carries out the request as a route would, and commits what is to be committed with it.
  Result<http::Response> send(const http::Request& request, std::string content = "") {
    auto work = [&](Ticket& ticket) -> Awaitable<Result<Acceptance>> {
      if (request.stream != nullptr) ticket.body_is(std::move(content));
      if (refuse_) co_return fail(Code::unacceptable, "no");
      ++carried_out_;
      Acceptance acceptance{.body = {{"result", carried_out_}}, .location = "/there"};
      if (auto receipt = ticket.receipt(acceptance)) catalog_.commit({catalog::PutReceipt{*std::move(receipt)}}, {});
      co_return acceptance;
    };
    return run(once(context_, request, work));
  }

  static bool replayed(const Result<http::Response>& response) {
    return std::ranges::find(response->headers, std::pair<std::string, std::string>("Idempotency-Replayed", "true")) != response->headers.end();
  }

  IoThreads threads_{1};
  catalog::FakeCatalog catalog_;
  BlockingPool pool_{1};
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  Context context_;
  int carried_out_ = 0;
  bool refuse_ = false;
};

TEST_F(OnceTest, ARepeatGetsTheAnswerOfTheFirst) {
  auto first = send(post("key"));
  auto reordered = post("key");
  std::ranges::reverse(reordered.query);
  auto second = send(reordered);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second) << second.error().message << second.error().internal;
  EXPECT_EQ(second->status, 201U);
  EXPECT_EQ(std::get<std::string>(first->body), std::get<std::string>(second->body));
  EXPECT_FALSE(replayed(first));
  EXPECT_TRUE(replayed(second));
  EXPECT_EQ(carried_out_, 1);
}

TEST_F(OnceTest, WithoutAKeyNothingIsKept) {
  ASSERT_TRUE(send(post("")));
  ASSERT_TRUE(send(post("")));
  EXPECT_EQ(carried_out_, 2);
}

TEST_F(OnceTest, AnotherRequestWithTheKeyIsRefusedNamingIt) {
  ASSERT_TRUE(send(post("key")));
  std::vector<http::Request> others(4, post("key"));
  others[0].method = "PATCH";
  others[1].path = "/function/python/a";
  others[2].query.pop_back();
  others[3].body = "{ }";
  for (const auto& other : others) {
    auto refused = send(other);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::mismatch);
    EXPECT_THAT(refused.error().message, HasSubstr("\"key\""));
  }
  EXPECT_EQ(carried_out_, 1);
}

TEST_F(OnceTest, ARefusalIsNotKept) {
  refuse_ = true;
  EXPECT_EQ(send(post("key")).error().code, Code::unacceptable);
  refuse_ = false;
  EXPECT_FALSE(replayed(send(post("key", "{1}"))));
  EXPECT_EQ(carried_out_, 1);
}

TEST_F(OnceTest, AnAnswerIsKeptAsLongAsIsSaid) {
  context_.keep.receipts = std::chrono::hours(1);
  ASSERT_TRUE(send(post("key")));
  clock_->advance(std::chrono::minutes(59));
  EXPECT_TRUE(replayed(send(post("key"))));
  clock_->advance(std::chrono::minutes(1));
  EXPECT_FALSE(replayed(send(post("key"))));
  EXPECT_EQ(carried_out_, 2);
}

TEST_F(OnceTest, WhileTheFirstIsUnderWayARepeatIsToAskAgain) {
  auto held = Ticket::open(context_, post("key"));
  ASSERT_TRUE(held);
  auto repeat = send(post("key"));
  ASSERT_TRUE(repeat);
  EXPECT_EQ(repeat->status, 409U);
  EXPECT_THAT(repeat->headers, testing::Contains(testing::Pair("Retry-After", "1")));
  EXPECT_EQ(send(post("key", "other")).error().code, Code::mismatch);
  EXPECT_TRUE(send(post("another-key")));
  held->close();
  EXPECT_EQ(send(post("key"))->status, 201U);
}

TEST_F(OnceTest, AStreamedBodyIsComparedByItsContent) {
  auto upload = [&](std::string content) {
    Pieces pieces(content);
    auto request = post("key", "");
    request.stream = &pieces;
    return send(request, store::digest_of(content));
  };
  ASSERT_TRUE(upload("a,b\n1,2\n"));
  EXPECT_TRUE(replayed(upload("a,b\n1,2\n")));
  EXPECT_EQ(upload("a,b\n1,3\n").error().code, Code::mismatch);
  EXPECT_EQ(carried_out_, 1);
}

TEST_F(OnceTest, AKeyIsVisibleAsciiOfSomeLength) {
  for (const auto& key : {std::string("a b"), std::string(256, 'x'), std::string("\x7f"), std::string("\xc3\xbc")})
    EXPECT_EQ(send(post(key)).error().code, Code::malformed) << key;
  EXPECT_TRUE(send(post(std::string(255, '~'))));
}

}  // namespace
}  // namespace lo::api
