#include "store/bucket_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "base/id.h"
#include "store/digest.h"

namespace lo::store {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string big(char c) { return std::string(100'000, c); }

// What the tests keep of a bucket, which outlives its store.
struct Far {
  std::map<std::string, std::string> files;
  int gets = 0, puts = 0;
  bool is_away = false;
  std::string instead;  // what get() gives while it is not empty
  int how_often = 0;    // of `instead`
};

class FakeBucket final : public Bucket {
 public:
  explicit FakeBucket(Far& far) : far_(far) {}

  Result<std::optional<std::int64_t>> size_of(const std::string& key) override {
    if (far_.is_away) return away();
    auto at = far_.files.find(key);
    return at == far_.files.end() ? std::nullopt : std::optional(static_cast<std::int64_t>(at->second.size()));
  }
  Status put(const std::string& key, const fs::path& file) override {
    if (far_.is_away) return away();
    ++far_.puts;
    far_.files[key] = read_file(file);
    return {};
  }
  Status get(const std::string& key, const fs::path& file) override {
    if (far_.is_away) return away();
    ++far_.gets;
    auto at = far_.files.find(key);
    if (at == far_.files.end()) return fail(Code::not_found, "none");
    std::ofstream(file, std::ios::binary) << (far_.how_often-- > 0 ? far_.instead : at->second);
    return {};
  }
  Status remove(const std::string& key) override {
    if (far_.is_away) return away();
    far_.files.erase(key);
    return {};
  }
  Result<std::vector<std::string>> list(const std::string& prefix) override {
    std::vector<std::string> keys;
    for (const auto& [key, content] : far_.files)
      if (key.starts_with(prefix)) keys.push_back(key);
    return keys;
  }

 private:
  static std::unexpected<Error> away() { return fail(Code::unavailable, "away"); }
  Far& far_;
};

class BucketStoreTest : public ::testing::Test {
 protected:
  BucketStoreTest() : root_(fs::temp_directory_path() / ("lo-bucket-" + make_token())), store_(open(root_ / "a")) {}
  ~BucketStoreTest() override { fs::remove_all(root_); }

  // Another folder is another server's, or this one's after its disk was lost.
  std::unique_ptr<Store> open(const fs::path& folder, std::int64_t cache_bytes = 1 << 30) {
    BucketStoreOptions options{.cache_bytes = cache_bytes, .in_use = std::chrono::seconds(10)};
    options.local.free_share = [](const fs::path&) { return Result<double>(0.5); };
    if (is_later_) options.later = [this](auto work) { later_.push_back(std::move(work)); };
    return open_bucket_store(folder, std::make_unique<FakeBucket>(far_), std::move(options)).value();
  }

  Result<Manifest> publish(Store& store, const std::string& content) {
    auto staging = store.stage(make_token()).value();
    std::ofstream(staging.path() / "x", std::ios::binary) << content;
    Manifest draft{.kind = Kind::object, .parts = {{.name = "x"}}};
    return store.publish(std::move(staging), std::move(draft));
  }
  Part published(const std::string& content) {
    auto manifest = publish(*store_, content).value();
    store_->unpin(manifest);
    return manifest.parts.front();
  }
  static std::string key_of(const Part& part) { return "objects/" + part.digest.substr(0, 2) + "/" + part.digest; }
  static std::string content_of(Store& store, const Part& part) { return read_file(store.path_of(part).value()); }
  bool is_local(const Part& part) const { return fs::exists(object_path(root_ / "a", part.digest)); }

  Far far_;
  bool is_later_ = false;
  std::vector<std::move_only_function<void()>> later_;
  const fs::path root_;
  std::unique_ptr<Store> store_;
};

TEST_F(BucketStoreTest, ResultIsInTheBucketWhenItIsPublishedAndReadFromHere) {
  auto part = published(big('a'));
  EXPECT_EQ(far_.files.at(key_of(part)), big('a'));
  EXPECT_EQ(content_of(*store_, part), big('a'));
  EXPECT_EQ(far_.gets, 0);
}

TEST_F(BucketStoreTest, AnotherServerReadsItOnceAndKeepsIt) {
  auto part = published(big('a'));
  auto other = open(root_ / "b");
  EXPECT_EQ(content_of(*other, part), big('a'));
  EXPECT_EQ(content_of(*other, part), big('a'));
  EXPECT_EQ(far_.gets, 1);
  struct stat info{};
  ASSERT_EQ(::stat(other->path_of(part)->c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0400U);
}

TEST_F(BucketStoreTest, SmallResultsAskNoBucket) {
  far_.is_away = true;
  auto manifest = publish(*store_, "small");
  ASSERT_TRUE(manifest);
  EXPECT_TRUE(manifest->is_inline());
  EXPECT_EQ(content_of(*store_, manifest->parts.front()), "small");
}

TEST_F(BucketStoreTest, WhatTheBucketDoesNotTakeIsNotPublished) {
  far_.is_away = true;
  EXPECT_EQ(publish(*store_, big('a')).error().code, Code::unavailable);
  far_.is_away = false;
  EXPECT_TRUE(publish(*store_, big('a')));
}

TEST_F(BucketStoreTest, EqualContentIsSentOnce) {
  published(big('a'));
  published(big('a'));
  EXPECT_EQ(far_.puts, 1);
}

TEST_F(BucketStoreTest, ContentThatIsNotWhatWasStoredIsAskedForAgainAndNeverServed) {
  auto part = published(big('a'));
  far_.instead = big('a').substr(0, 50'000);
  far_.how_often = 2;
  auto second = open(root_ / "b");
  EXPECT_EQ(content_of(*second, part), big('a'));
  EXPECT_EQ(far_.gets, 3);
  far_.files[key_of(part)] = big('b');
  auto third = open(root_ / "c");
  auto path = third->path_of(part);
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().code, Code::corrupt);
  EXPECT_THAT(path.error().message, HasSubstr("is not what was stored"));
  EXPECT_FALSE(fs::exists(object_path(root_ / "c", part.digest)));
  ASSERT_TRUE(publish(*third, big('a')));  // made again
  EXPECT_EQ(far_.files.at(key_of(part)), big('a'));
}

TEST_F(BucketStoreTest, WhatIsGoneIsToldFromABucketThatIsAway) {
  auto part = published(big('a'));
  auto other = open(root_ / "b");
  far_.is_away = true;
  EXPECT_EQ(other->path_of(part).error().code, Code::unavailable);
  EXPECT_EQ(content_of(*store_, part), big('a'));  // it has it here
  far_.is_away = false;
  far_.files.clear();
  EXPECT_EQ(other->path_of(part).error().code, Code::corrupt);
  EXPECT_THAT(other->path_of(part).error().message, HasSubstr("is gone"));
}

TEST_F(BucketStoreTest, ADamagedLocalFileIsReadAgain) {
  auto part = published(big('a'));
  auto path = object_path(root_ / "a", part.digest);
  fs::permissions(path, fs::perms::owner_all);
  std::ofstream(path, std::ios::binary) << big('b');
  EXPECT_TRUE(store_->verify(part));
  EXPECT_EQ(content_of(*store_, part), big('a'));
}

TEST_F(BucketStoreTest, LocalFilesThatWereNotUsedForLongGoWhereThereAreTooMany) {
  store_ = open(root_ / "a", 250'000);
  auto first = published(big('a')), second = published(big('b'));
  auto age = [&](const Part& part, std::time_t seconds) {
    const timespec times[2]{{.tv_sec = std::time(nullptr) - seconds, .tv_nsec = 0}, {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
    ASSERT_EQ(::utimensat(AT_FDCWD, object_path(root_ / "a", part.digest).c_str(), times, 0), 0);
  };
  age(first, 100);
  age(second, 50);
  content_of(*store_, first);  // is used now
  auto third = published(big('c'));
  EXPECT_TRUE(is_local(first));
  EXPECT_FALSE(is_local(second));
  EXPECT_TRUE(is_local(third));
  EXPECT_THAT(far_.files, SizeIs(3));
  EXPECT_EQ(content_of(*store_, second), big('b'));
}

TEST_F(BucketStoreTest, RemovedIsGoneFromBothUnlessSomebodyHasClaimedIt) {
  auto manifest = publish(*store_, big('a')).value();
  EXPECT_EQ(store_->remove(manifest.parts.front().digest).value(), std::nullopt);
  store_->unpin(manifest);
  EXPECT_EQ(store_->remove(manifest.parts.front().digest).value(), 100'000);
  EXPECT_THAT(far_.files, IsEmpty());
  EXPECT_EQ(store_->pin(manifest).error().code, Code::corrupt);
}

TEST_F(BucketStoreTest, PinFetchesAndHolds) {
  auto manifest = publish(*store_, big('a')).value();
  auto other = open(root_ / "b");
  ASSERT_TRUE(other->pin(manifest));
  EXPECT_EQ(other->remove(manifest.parts.front().digest).value(), std::nullopt);
  other->unpin(manifest);
  EXPECT_TRUE(other->remove(manifest.parts.front().digest).value());
}

TEST_F(BucketStoreTest, SweepRemovesWhatNothingRefersToFromBoth) {
  auto kept = published(big('a')), gone = published(big('b'));
  store_ = open(root_ / "a");  // what this one had made is spared
  EXPECT_EQ(store_->sweep({kept.digest}).value(), 100'000);
  EXPECT_THAT(far_.files, SizeIs(1));
  EXPECT_TRUE(far_.files.contains(key_of(kept)));
  EXPECT_FALSE(is_local(gone));
}

TEST_F(BucketStoreTest, SweepSparesWhatWasMadeMeanwhile) {
  auto old = published(big('a'));
  is_later_ = true;
  store_ = open(root_ / "a");
  ASSERT_TRUE(store_->sweep({}));
  auto again = published(big('a')), fresh = published(big('b'));  // on record by now, which the set of before does not say
  for (auto& work : later_) work();
  EXPECT_TRUE(far_.files.contains(key_of(again)));
  EXPECT_TRUE(far_.files.contains(key_of(fresh)));
}

TEST(BucketUrl, NamesABucketAndAPrefix) {
  for (const auto* good : {"s3://lake", "s3://lake/", "s3://lake.of-mine/results/v1"}) EXPECT_EQ(is_bucket_url(good), "") << good;
  for (const auto* bad : {"s3://", "s3://LAKE", "s3://lake?region=x", "s3://a:b@lake/x", "s3://lake//x", "http://lake"})
    EXPECT_THAT(is_bucket_url(bad), HasSubstr("is not of the form s3://BUCKET/PREFIX")) << bad;
}

}  // namespace
}  // namespace lo::store
