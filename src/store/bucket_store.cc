#include "store/bucket_store.h"

#include <fmt/format.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mutex.h"
#include "store/digest.h"

namespace lo::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kObjects = "objects/";

std::string key_of(std::string_view digest) { return fmt::format("{}{}/{}", kObjects, digest.substr(0, 2), digest); }

struct LocalFile {
  std::string digest;
  std::int64_t bytes = 0;
  std::time_t used = 0;
};

// All that is in the folder of a local store.
std::vector<LocalFile> local_files(const fs::path& root) {
  std::vector<LocalFile> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root / "objects", error), end; !error && it != end; it.increment(error)) {
    struct stat info{};
    if (::lstat(it->path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) files.push_back({.digest = it->path().filename().string(), .bytes = info.st_size, .used = info.st_atim.tv_sec});
  }
  return files;
}

class BucketStore final : public Store {
 public:
  BucketStore(fs::path folder, std::unique_ptr<Store> local, std::unique_ptr<Bucket> bucket, BucketStoreOptions options)
      : folder_(std::move(folder)), local_(std::move(local)), bucket_(std::move(bucket)), options_(std::move(options)) {
    for (const auto& file : local_files(folder_)) local_bytes_ += file.bytes;
  }

  Result<Staging> stage(std::string_view token) override { return local_->stage(token); }
  Result<Staging> reserve(std::string_view token) override { return local_->reserve(token); }

  Result<Manifest> publish(Staging staging, Manifest draft) override {
    LO_ASSIGN(auto manifest, local_->publish(std::move(staging), std::move(draft)));
    claim(manifest);
    auto status = upload_all(manifest);
    trim();
    if (status) return manifest;
    unpin(manifest);
    return std::unexpected(std::move(status).error());
  }

  Result<fs::path> path_of(const Part& part) override {
    auto path = used_path_of(part);
    if (path || part.inline_data) return path;
    LO_TRY(fetch(part));
    return used_path_of(part);
  }

  Status verify(const Part& part) override {
    auto status = local_->verify(part);
    if (status || part.inline_data) return status;
    LO_ASSIGN(auto gone, local_->remove(part.digest));
    count(-gone.value_or(0));
    return fetch(part);
  }

  Result<std::int64_t> sweep(const std::set<std::string>& live) override {
    LO_ASSIGN(auto freed, local_->sweep(live));
    count(-freed);
    options_.later([this, live] {
      if (auto swept = sweep_bucket(live); !swept) log::warn("store: what nothing refers to is left in the bucket: {}", swept.error().message);
    });
    return freed;
  }

  Status pin(const Manifest& manifest) override {
    for (const auto& part : manifest.parts)
      if (auto there = path_of(part); !there) return std::unexpected(there.error());
    LO_TRY(local_->pin(manifest));
    claim(manifest);
    return {};
  }

  void unpin(const Manifest& manifest) override {
    local_->unpin(manifest);
    MutexLock lock(mutex_);
    for (const auto& part : manifest.parts) {
      auto claimed = part.inline_data ? claims_.end() : claims_.find(part.digest);
      if (claimed != claims_.end() && --claimed->second == 0) claims_.erase(claimed);
    }
  }

  Result<std::optional<std::int64_t>> remove(std::string_view digest) override {
    MutexLock lock(mutex_);  // while it goes: a publish of the same content has claimed it before, or finds it gone
    if (claims_.contains(std::string(digest))) return std::nullopt;
    LO_ASSIGN(auto freed, local_->remove(digest));
    if (!freed) return std::nullopt;
    local_bytes_ -= *freed;
    LO_ASSIGN(auto bytes, bucket_->size_of(key_of(digest)));
    LO_TRY(bucket_->remove(key_of(digest)));
    return std::optional(bytes.value_or(*freed));
  }

 private:
  void claim(const Manifest& manifest) {
    MutexLock lock(mutex_);
    for (const auto& part : manifest.parts) {
      if (part.inline_data) continue;
      ++claims_[part.digest];
      claimed_since_start_.insert(part.digest);
    }
  }

  Status upload_all(const Manifest& manifest) {
    for (const auto& part : manifest.parts) {
      if (part.inline_data) continue;
      count(part.bytes);
      LO_ASSIGN(auto there, bucket_->size_of(key_of(part.digest)));
      if (there == part.bytes && !is_suspect(part.digest)) continue;
      LO_ASSIGN(auto path, local_->path_of(part));
      LO_TRY(bucket_->put(key_of(part.digest), path));
      MutexLock lock(mutex_);
      suspects_.erase(part.digest);
    }
    return {};
  }

  bool is_suspect(const std::string& digest) {
    MutexLock lock(mutex_);
    return suspects_.contains(digest);
  }

  // Into the local folder. What is not what was stored is asked for again, and never kept.
  Status fetch(const Part& part) {
    Status status;
    for (int i = 0; i < options_.tries; ++i) {
      status = fetch_once(part);
      if (status || status.error().code != Code::corrupt) break;
    }
    trim();
    MutexLock lock(mutex_);
    if (!status && status.error().code == Code::corrupt) suspects_.insert(part.digest);
    return status;
  }

  Status fetch_once(const Part& part) {
    if (!is_digest(part.digest)) return fail(Code::corrupt, fmt::format("'{}' is not a digest", part.digest));
    LO_ASSIGN(auto staging, local_->stage(make_token()));
    auto got = bucket_->get(key_of(part.digest), staging.path() / part.digest);
    if (!got && got.error().code == Code::not_found) return fail(Code::corrupt, fmt::format("the stored part '{}' is gone", part.name));
    LO_TRY(got);
    LO_ASSIGN(auto digest, digest_of_path(staging.path() / part.digest));
    if (digest != part.digest) return fail(Code::corrupt, fmt::format("what the store (--store) has of the part '{}' is not what was stored", part.name));
    Manifest draft{.kind = Kind::blob, .parts = {{.name = part.digest}}};  // a blob is always a file
    LO_ASSIGN(auto kept, local_->publish(std::move(staging), std::move(draft)));
    local_->unpin(kept);
    count(part.bytes);
    return {};
  }

  static Result<std::string> digest_of_path(const fs::path& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return fail_errno(fmt::format("cannot open {}", path.string()), errno);
    return digest_of_file(fd.get(), path.string());
  }

  // What is used does not go for a while.
  Result<fs::path> used_path_of(const Part& part) {
    MutexLock lock(trimming_);
    auto path = local_->path_of(part);
    if (path && !part.inline_data) note_use(*path);
    return path;
  }

  // False when it was used since it was listed, or cannot go.
  bool remove_unused(const LocalFile& file, std::time_t before) {
    MutexLock lock(trimming_);
    struct stat info{};
    if (::lstat(object_path(folder_, file.digest).c_str(), &info) != 0 || info.st_atim.tv_sec > before) return false;
    auto gone = local_->remove(file.digest);
    return gone && *gone;
  }

  // Also where the disk is mounted so that reading does not count.
  static void note_use(const fs::path& path) {
    const timespec times[2]{{.tv_sec = 0, .tv_nsec = UTIME_NOW}, {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
    ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
  }

  void count(std::int64_t bytes) {
    MutexLock lock(mutex_);
    local_bytes_ += bytes;
  }

  // Removes local files, the one that was not used for the longest time first, until there is some room again.
  void trim() {
    constexpr double kRoom = 0.9;
    MutexLock lock(mutex_);
    if (local_bytes_ <= options_.cache_bytes) return;
    auto files = local_files(folder_);
    std::ranges::sort(files, {}, &LocalFile::used);
    local_bytes_ = 0;
    for (const auto& file : files) local_bytes_ += file.bytes;
    auto limit = static_cast<std::int64_t>(static_cast<double>(options_.cache_bytes) * kRoom);
    auto before = std::time(nullptr) - options_.in_use.count();
    for (const auto& file : files) {
      if (local_bytes_ <= limit || file.used > before) break;
      if (claims_.contains(file.digest)) continue;
      if (remove_unused(file, before)) local_bytes_ -= file.bytes;
    }
  }

  // What was claimed since the start may be on record by now, though `live` does not know it.
  Status sweep_bucket(const std::set<std::string>& live) {
    LO_ASSIGN(auto keys, bucket_->list(std::string(kObjects)));
    for (const auto& key : keys) {
      if (options_.is_ending()) return {};
      auto digest = key.substr(key.rfind('/') + 1);
      if (!is_digest(digest) || live.contains(digest)) continue;
      MutexLock lock(mutex_);
      if (!claimed_since_start_.contains(digest)) LO_TRY(bucket_->remove(key));
    }
    MutexLock lock(mutex_);
    claimed_since_start_.clear();
    return {};
  }

  const fs::path folder_;
  const std::unique_ptr<Store> local_;
  const std::unique_ptr<Bucket> bucket_;
  const BucketStoreOptions options_;
  Mutex trimming_;  // after mutex_, where both are held
  Mutex mutex_;
  std::map<std::string, int> claims_ LO_GUARDED_BY(mutex_);  // by digest: publications and pins that are not settled
  std::set<std::string> claimed_since_start_ LO_GUARDED_BY(mutex_);
  std::set<std::string> suspects_ LO_GUARDED_BY(mutex_);  // what the bucket has of them is not what was stored: to be replaced
  std::int64_t local_bytes_ LO_GUARDED_BY(mutex_) = 0;
};

}  // namespace

Result<std::unique_ptr<Store>> open_bucket_store(const fs::path& folder, std::unique_ptr<Bucket> bucket, BucketStoreOptions options) {
  LO_ASSIGN(auto local, open_local_store(folder, options.local));
  return std::make_unique<BucketStore>(folder, std::move(local), std::move(bucket), std::move(options));
}

}  // namespace lo::store
