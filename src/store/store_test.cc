#include "store/store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fstream>

#include "base/fault.h"
#include "base/id.h"
#include "store/digest.h"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace lo::store {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

void write_file(const fs::path& path, std::string_view content) { std::ofstream(path, std::ios::binary) << content; }

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string big(char c) { return std::string(100'000, c); }

mode_t mode_of(const fs::path& path) {
  struct stat info{};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

std::size_t count_files(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() : root_(fs::temp_directory_path() / ("lo-store-" + make_token())), store_(open()) {}
  ~StoreTest() override { fs::remove_all(root_); }

  std::unique_ptr<Store> open(double free = 0.5) {
    return open_local_store(root_, {.least_free = 0.05, .free_share = [free](const fs::path&) { return Result<double>(free); }})
        .value();
  }

  // Publishes files of the given contents, named "0", "1", …
  Result<Manifest> publish(const std::vector<std::string>& contents) {
    auto staging = store_->stage(make_token());
    if (!staging) return std::unexpected(staging.error());
    Manifest draft{.kind = Kind::object};
    for (std::size_t i = 0; i < contents.size(); ++i) {
      write_file(staging->path() / std::to_string(i), contents[i]);
      draft.parts.push_back({.name = std::to_string(i)});
    }
    return store_->publish(*std::move(staging), std::move(draft));
  }

  // Publishes what `make` leaves under the name "part" in the staging folder.
  template <class Make>
  Result<Manifest> publish_made(Make make) {
    auto staging = store_->stage(make_token()).value();
    make(staging.path());
    return store_->publish(std::move(staging), {.kind = Kind::blob, .parts = {{.name = "part"}}});
  }

  void expect_whole_objects() const {
    for (const auto& entry : fs::recursive_directory_iterator(root_ / "objects")) {
      if (entry.is_regular_file()) {
        EXPECT_EQ(digest_of(read_file(entry.path())), entry.path().filename());
      }
    }
  }

  fs::path root_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, LargePartsAreStoredUnderTheirDigestReadOnly) {
  auto manifest = publish({big('a')}).value();
  ASSERT_EQ(manifest.parts.size(), 1u);
  const auto& part = manifest.parts[0];
  EXPECT_EQ(part.bytes, 100'000);
  EXPECT_EQ(part.digest, digest_of(big('a')));
  EXPECT_FALSE(part.inline_data);
  auto path = store_->path_of(part).value();
  EXPECT_EQ(path, root_ / "objects" / part.digest.substr(0, 2) / part.digest);
  EXPECT_EQ(read_file(path), big('a'));
  EXPECT_EQ(mode_of(path), 0400u);
  EXPECT_EQ(mode_of(path.parent_path()), 0700u);
  EXPECT_TRUE(store_->verify(part));
  EXPECT_EQ(count_files(root_ / "staging"), 0u);
}

TEST_F(StoreTest, ABlobIsAFileHoweverSmall) {
  auto staging = store_->stage("upload").value();
  write_file(staging.path() / "content", "a,b\n");
  auto manifest = store_->publish(std::move(staging), {.kind = Kind::blob, .parts = {{.name = "content"}}}).value();
  EXPECT_FALSE(manifest.parts[0].inline_data);
  EXPECT_TRUE(fs::exists(root_ / "objects" / manifest.parts[0].digest.substr(0, 2) / manifest.parts[0].digest));
}

TEST_F(StoreTest, SmallPartsTravelInTheManifest) {
  auto manifest = publish({"abc", std::string(64 * 1024 - 3, 'x')}).value();
  EXPECT_EQ(manifest.parts[0].inline_data, "abc");
  EXPECT_EQ(count_files(root_), 0u);
  auto path = store_->path_of(manifest.parts[0]).value();
  EXPECT_EQ(read_file(path), "abc");
  EXPECT_EQ(mode_of(path), 0400u);
  write_file(root_ / "cache" / "other", "");
  fs::permissions(path, fs::perms::owner_all);
  write_file(path, "xyz");  // what a power cut may leave: the size is right, the content is not
  EXPECT_EQ(read_file(store_->path_of(manifest.parts[0]).value()), "abc");
}

TEST_F(StoreTest, OneByteOverTheInlineLimitIsStored) {
  auto manifest = publish({"abcd", std::string(64 * 1024 - 3, 'x')}).value();
  EXPECT_FALSE(manifest.parts[0].inline_data);
  EXPECT_EQ(count_files(root_ / "objects"), 2u);
}

TEST_F(StoreTest, EqualContentIsStoredOnceAndDamageIsReplaced) {
  auto first = publish({big('a')}).value();
  auto path = store_->path_of(first.parts[0]).value();
  fs::permissions(path, fs::perms::owner_all);
  write_file(path, big('b'));
  EXPECT_EQ(store_->verify(first.parts[0]).error().code, Code::corrupt);
  auto second = publish({big('a')}).value();
  EXPECT_EQ(first.parts[0].digest, second.parts[0].digest);
  EXPECT_EQ(first.digest(), second.digest());
  EXPECT_EQ(count_files(root_ / "objects"), 1u);
  EXPECT_TRUE(store_->verify(first.parts[0]));
}

TEST_F(StoreTest, UnnamedFilesAreDropped) {
  auto manifest = publish_made([](const fs::path& folder) {
    write_file(folder / "part", big('a'));
    write_file(folder / "other", big('b'));
    fs::create_directory(folder / "folder");
  });
  EXPECT_TRUE(manifest);
  EXPECT_EQ(count_files(root_), 1u);
  EXPECT_TRUE(fs::is_empty(root_ / "staging"));
}

TEST_F(StoreTest, WhatIsNoPlainFileIsRefused) {
  auto outside = root_ / "outside";
  write_file(outside, big('s'));
  auto refused = [&](auto make) {
    auto result = publish_made(make);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::corrupt) << result.error().message;
    EXPECT_TRUE(fs::is_empty(root_ / "objects"));
  };
  refused([&](const fs::path& folder) { fs::create_symlink(outside, folder / "part"); });
  refused([&](const fs::path& folder) { fs::create_symlink("/nowhere", folder / "part"); });
  refused([&](const fs::path& folder) { fs::create_hard_link(outside, folder / "part"); });
  refused([&](const fs::path& folder) { fs::create_directory(folder / "part"); });
  refused([&](const fs::path& folder) { ASSERT_EQ(::mkfifo((folder / "part").c_str(), 0600), 0); });
  refused([&](const fs::path&) {});
}

TEST_F(StoreTest, PartNamesStayInTheFolder) {
  write_file(root_ / "staging" / "secret", "s");
  for (std::string name : {"../secret", "/etc/passwd", "", ".", "..", "a/b"}) {
    auto staging = store_->stage(make_token()).value();
    auto result = store_->publish(std::move(staging), {.kind = Kind::blob, .parts = {{.name = name}}});
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code, Code::corrupt);
  }
}

TEST_F(StoreTest, DigestsFromOutsideCannotLeaveTheFolder) {
  for (std::string digest : {"", "../../etc/passwd", "ABCDEF0123456789ABCDEF0123456789"}) {
    EXPECT_EQ(store_->path_of({.name = "x", .digest = digest}).error().code, Code::corrupt);
    EXPECT_EQ(store_->remove(digest).error().code, Code::corrupt);
  }
}

TEST_F(StoreTest, TruncatedOrMissingIsCorrupt) {
  auto part = publish({big('a')}).value().parts[0];
  auto path = store_->path_of(part).value();
  fs::permissions(path, fs::perms::owner_all);
  fs::resize_file(path, 99'999);
  auto truncated = store_->path_of(part);
  ASSERT_FALSE(truncated);
  EXPECT_EQ(truncated.error().code, Code::corrupt);
  EXPECT_THAT(truncated.error().message, HasSubstr("99999 bytes instead of 100000"));
  EXPECT_EQ(store_->verify(part).error().code, Code::corrupt);
  fs::remove(path);
  EXPECT_EQ(store_->path_of(part).error().code, Code::corrupt);
}

TEST_F(StoreTest, StagingNamesAndRemoval) {
  {
    auto staging = store_->stage("abc").value();
    EXPECT_EQ(mode_of(staging.path()), 0700u);
    EXPECT_FALSE(store_->stage("abc"));
    write_file(staging.path() / "x", "x");
  }
  EXPECT_TRUE(fs::is_empty(root_ / "staging"));
  EXPECT_FALSE(store_->stage("../x"));
  EXPECT_FALSE(store_->stage(""));
}

TEST_F(StoreTest, FullDiskIsSaidBeforeAnythingIsMade) {
  store_ = open(0.049);
  auto staging = store_->stage("abc");
  ASSERT_FALSE(staging);
  EXPECT_EQ(staging.error().code, Code::no_space);
  EXPECT_THAT(staging.error().message, HasSubstr("4.9 %"));
  EXPECT_TRUE(open(0.05)->stage("abc"));
}

TEST_F(StoreTest, SweepKeepsWhatIsLive) {
  auto keep = publish({big('a')}).value().parts[0];
  auto drop = publish({big('b')}).value().parts[0];
  auto staging = store_->stage("left").value();
  write_file(staging.path() / "x", "x");
  EXPECT_EQ(store_->sweep({keep.digest}), 100'000);
  EXPECT_TRUE(store_->path_of(keep));
  EXPECT_FALSE(store_->path_of(drop));
  EXPECT_TRUE(fs::is_empty(root_ / "staging"));
}

TEST_F(StoreTest, RemoveGivesTheBytesFreed) {
  auto manifest = publish({big('a')}).value();
  store_->unpin(manifest);
  const auto& digest = manifest.parts[0].digest;
  EXPECT_EQ(store_->remove(digest).value(), 100'000);
  EXPECT_EQ(store_->remove(digest).value(), 0);
}

TEST_F(StoreTest, PinsWhatIsThereWhole) {
  auto manifest = publish({big('a'), big('b')}).value();
  store_->unpin(manifest);
  EXPECT_TRUE(store_->pin(manifest));
  EXPECT_EQ(store_->remove(manifest.parts[0].digest).value(), std::nullopt);
  store_->unpin(manifest);
  EXPECT_EQ(store_->remove(manifest.parts[0].digest).value(), 100'000);
  EXPECT_EQ(store_->pin(manifest).error().code, Code::corrupt);
  EXPECT_EQ(store_->remove(manifest.parts[1].digest).value(), 100'000);  // nothing of it was left pinned
}

TEST_F(StoreTest, WhatIsNotSettledIsNotRemoved) {
  auto manifest = publish({big('a')}).value();
  publish({big('a')}).value();
  const auto& part = manifest.parts[0];
  store_->unpin(manifest);
  EXPECT_EQ(store_->remove(part.digest).value(), std::nullopt);
  EXPECT_TRUE(store_->path_of(part));
  store_->unpin(manifest);
  EXPECT_TRUE(store_->remove(part.digest).value().has_value());
}

// --- A crash at each fault point: the test runs itself with ORCHESTRA_FAULTS set, publishes and dies there. ---

constexpr const char* kCrashRoot = "ORCHESTRA_TEST_CRASH_ROOT";

void publish_and_die(const fs::path& root) {
  auto store = open_local_store(root).value();
  auto staging = store->stage("crash").value();
  write_file(staging.path() / "0", big('a'));
  write_file(staging.path() / "1", big('b'));
  auto result = store->publish(std::move(staging), {.kind = Kind::blob, .parts = {{.name = "0"}, {.name = "1"}}});
  FAIL() << "should have died: " << (result ? "published" : result.error().message);
}

int run_child(const fs::path& root, const std::string& fault) {
  std::vector<std::string> added{std::string(kCrashRoot) + "=" + root.string(), "ORCHESTRA_FAULTS=" + fault + "=abort"};
  std::vector<char*> environment;
  for (auto& one : added) environment.push_back(one.data());
  for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
  environment.push_back(nullptr);
  std::string self = fs::read_symlink("/proc/self/exe");
  std::string filter = "--gtest_filter=StoreTest.ACrashLeavesWholeFilesThatSweepRemoves";
  char* arguments[] = {self.data(), filter.data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, self.c_str(), nullptr, nullptr, arguments, environment.data()), 0);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST_F(StoreTest, ACrashLeavesWholeFilesThatSweepRemoves) {
  if (const char* root = std::getenv(kCrashRoot)) return publish_and_die(root);  // NOLINT(concurrency-mt-unsafe): one thread
  std::map<std::string, std::size_t> stored{
      {"store.publish.before", 0}, {"store.publish.between", 1}, {"store.publish.after", 2}};
  for (auto name : fault_names()) EXPECT_TRUE(!name.starts_with("store.") || stored.contains(std::string(name))) << name;
  for (const auto& [fault, count] : stored) {
    int status = run_child(root_, fault);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << fault << " status " << status;
    EXPECT_EQ(count_files(root_ / "objects"), count) << fault;
    expect_whole_objects();
    store_ = open();
    EXPECT_EQ(store_->sweep({}), static_cast<std::int64_t>(count) * 100'000) << fault;
    EXPECT_EQ(count_files(root_), 0u) << fault;
    EXPECT_TRUE(publish({big('a'), big('b')}));
    EXPECT_TRUE(store_->sweep({}));
  }
}

}  // namespace
}  // namespace lo::store
