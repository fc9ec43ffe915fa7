#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/fault.h"
#include "base/id.h"
#include "base/mutex.h"
#include "store/digest.h"
#include "store/files.h"
#include "store/store.h"

namespace lo::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kInlineBytes = 64 * 1024;

// A staged file: digested, and held open so that what is published is what was digested.
struct Staged {
  UniqueFd fd;
  Part part;
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

Status check_token(std::string_view token) {
  if (token.empty() || token.size() > 255 || !std::ranges::all_of(token, is_word))
    return fail(Code::internal, fmt::format("'{}' cannot name a staging folder", token));
  return {};
}

Status check_part_name(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.size() > 255 ||
      name.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos)
    return fail(Code::corrupt, fmt::format("'{}' cannot name a part of a result", name));
  return {};
}

Status check_digest(std::string_view digest) {
  if (!is_digest(digest)) return fail(Code::corrupt, fmt::format("'{}' is not a digest", digest));
  return {};
}

Status check_size(const Part& part, std::int64_t actual) {
  if (actual == part.bytes) return {};
  return fail(Code::corrupt, fmt::format("the stored part '{}' has {} bytes instead of {}", part.name, actual, part.bytes));
}

Result<std::vector<Staged>> open_parts(int folder, std::vector<Part> parts) {
  std::vector<Staged> staged;
  for (auto& part : parts) {
    LO_TRY(check_part_name(part.name));
    LO_ASSIGN(auto fd, open_plain_file(folder, part.name));
    LO_ASSIGN(part.bytes, size_of(fd.get(), part.name));
    LO_ASSIGN(part.digest, digest_of_file(fd.get(), part.name));
    part.inline_data.reset();
    staged.push_back({std::move(fd), std::move(part)});
  }
  return staged;
}

std::int64_t total_bytes(const std::vector<Staged>& staged) {
  std::int64_t sum = 0;
  for (const auto& one : staged) sum += one.part.bytes;
  return sum;
}

Status take_inline(std::vector<Staged>& staged) {
  for (auto& [fd, part] : staged) {
    LO_ASSIGN(part.inline_data, read_all(fd.get(), part.name));
  }
  return {};
}

Result<std::int64_t> remove_file(const fs::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return 0;
    return fail_errno(fmt::format("cannot look at {}", path.string()), errno);
  }
  if (::unlink(path.c_str()) != 0) return fail_errno(fmt::format("cannot remove {}", path.string()), errno);
  return info.st_size;
}

// The entries of a folder, taken before anything is removed from it.
Result<std::vector<fs::path>> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) paths.push_back(it->path());
  if (error) return fail_errno(fmt::format("cannot list {}", folder.string()), error.value());
  return paths;
}

Status empty_folder(const fs::path& folder) {
  LO_ASSIGN(auto paths, entries(folder));
  for (const auto& path : paths) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) return fail_errno(fmt::format("cannot remove {}", path.string()), error.value());
  }
  return {};
}

class LocalStore final : public Store {
 public:
  LocalStore(fs::path root, LocalStoreOptions options) : root_(std::move(root)), options_(std::move(options)) {}

  Status prepare() {
    std::error_code error;
    fs::create_directories(root_.parent_path(), error);  // whether it worked is seen below
    for (const auto& folder : {root_, objects(), staging(), cache()}) LO_TRY(make_folder(folder));
    return sync_folder(root_);
  }

  Result<Staging> stage(std::string_view token) override {
    LO_ASSIGN(auto reserved, reserve(token));
    if (::mkdir(reserved.path().c_str(), 0700) != 0) return fail_errno(fmt::format("cannot make {}", reserved.path().string()), errno);
    return reserved;
  }

  Result<Staging> reserve(std::string_view token) override {
    LO_TRY(check_token(token));
    LO_ASSIGN(auto share, options_.free_share(root_));
    if (share < options_.least_free)
      return fail(Code::no_space, fmt::format("only {:.1f} % of the disk is free, {:.0f} % are needed to make a result",
                                              share * 100, options_.least_free * 100));
    return Staging(staging() / token);
  }

  Result<Manifest> publish(Staging staged_in, Manifest draft) override {
    LO_ASSIGN(auto folder, open_folder(staged_in.path()));
    LO_ASSIGN(auto staged, open_parts(folder.get(), std::move(draft.parts)));
    auto is_inline = draft.kind != Kind::blob && total_bytes(staged) <= kInlineBytes;
    Status moved;
    if (is_inline) {
      LO_TRY(take_inline(staged));
    } else {
      pin(staged);
      moved = move_in(folder.get(), staged);
    }
    draft.parts.clear();
    for (auto& one : staged) draft.parts.push_back(std::move(one.part));
    if (moved) return draft;
    unpin(draft);
    return fail(std::move(moved).error());
  }

  Result<fs::path> path_of(const Part& part) override {
    if (part.inline_data) return cached(part);
    LO_TRY(check_digest(part.digest));
    LO_ASSIGN(auto fd, open_stored(part));
    return object_path(part.digest);
  }

  Status verify(const Part& part) override {
    LO_ASSIGN(auto digest, actual_digest(part));
    if (digest == part.digest) return {};
    return fail(Code::corrupt, fmt::format("the stored part '{}' has digest {} instead of {}", part.name, digest, part.digest));
  }

  Result<std::int64_t> sweep(const std::set<std::string>& live) override {
    LO_TRY(empty_folder(staging()));
    LO_TRY(empty_folder(cache()));
    std::int64_t freed = 0;
    LO_ASSIGN(auto shards, entries(objects()));
    for (const auto& shard : shards) {
      LO_ASSIGN(auto paths, entries(shard));
      for (const auto& path : paths) {
        if (live.contains(path.filename().string())) continue;
        LO_ASSIGN(auto bytes, remove_file(path));
        freed += bytes;
      }
    }
    return freed;
  }

  Status pin(const Manifest& manifest) override {
    {
      MutexLock lock(mutex_);
      for (const auto& part : manifest.parts)
        if (!part.inline_data) ++pins_[part.digest];
    }
    for (const auto& part : manifest.parts) {
      if (part.inline_data) continue;
      if (auto there = open_stored(part); !there) {
        unpin(manifest);
        return std::unexpected(there.error());
      }
    }
    return {};
  }

  void unpin(const Manifest& manifest) override {
    MutexLock lock(mutex_);
    for (const auto& part : manifest.parts) {
      auto pin = part.inline_data ? pins_.end() : pins_.find(part.digest);
      if (pin != pins_.end() && --pin->second == 0) pins_.erase(pin);
    }
  }

  Result<std::optional<std::int64_t>> remove(std::string_view digest) override {
    LO_TRY(check_digest(digest));
    MutexLock lock(mutex_);  // while the file goes: a publish of the same content has pinned it before, or replaces it after
    if (pins_.contains(std::string(digest))) return std::nullopt;
    LO_ASSIGN(auto bytes, remove_file(object_path(digest)));
    return bytes;
  }

 private:
  fs::path objects() const { return root_ / "objects"; }
  fs::path staging() const { return root_ / "staging"; }
  fs::path cache() const { return root_ / "cache"; }
  fs::path object_path(std::string_view digest) const { return store::object_path(root_, digest); }

  void pin(const std::vector<Staged>& staged) {
    MutexLock lock(mutex_);
    for (const auto& one : staged) ++pins_[one.part.digest];
  }

  // Syncs every part, then renames them into place, then syncs the folders.
  Status move_in(int folder, std::vector<Staged>& staged) {
    for (const auto& [fd, part] : staged) {
      if (::fchmod(fd.get(), 0400) != 0) return fail_errno(fmt::format("cannot protect {}", part.name), errno);
      LO_TRY(sync_fd(fd.get(), part.name));
    }
    LO_TRY(fault_point("store.publish.before"));
    for (std::size_t i = 0; i < staged.size(); ++i) {
      if (i > 0) LO_TRY(fault_point("store.publish.between"));
      LO_TRY(move_in(folder, staged[i].part));
    }
    LO_TRY(sync_folder(objects()));
    return fault_point("store.publish.after");
  }

  // An equal content that is there already is replaced: it may be the damaged one that this result was made again for.
  Status move_in(int folder, const Part& part) {
    auto path = object_path(part.digest);
    LO_TRY(make_folder(path.parent_path()));
    if (::renameat(folder, part.name.c_str(), AT_FDCWD, path.c_str()) != 0)
      return fail_errno(fmt::format("cannot publish {}", part.name), errno);
    return sync_folder(path.parent_path());
  }

  Result<UniqueFd> open_stored(const Part& part) {
    auto path = object_path(part.digest);
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && errno == ENOENT) return fail(Code::corrupt, fmt::format("the stored part '{}' is gone", part.name));
    if (!fd) return fail_errno(fmt::format("cannot open the stored part '{}'", part.name), errno);
    LO_ASSIGN(auto size, size_of(fd.get(), part.name));
    LO_TRY(check_size(part, size));
    return fd;
  }

  Result<fs::path> cached(const Part& part) {
    LO_TRY(verify(part));
    auto path = cache() / part.digest;
    if (!is_cached(path, part.digest)) LO_TRY(write_by_rename(path, *part.inline_data));
    return path;
  }

  // The cache is never synced: what a power cut left of a file is found by its digest.
  static bool is_cached(const fs::path& path, std::string_view digest) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    return fd && digest_of_file(fd.get(), path.string()).value_or("") == digest;
  }

  Result<std::string> actual_digest(const Part& part) {
    LO_TRY(check_digest(part.digest));
    if (part.inline_data) return digest_of(*part.inline_data);
    LO_ASSIGN(auto fd, open_stored(part));
    return digest_of_file(fd.get(), part.name);
  }

  const fs::path root_;
  const LocalStoreOptions options_;
  Mutex mutex_;
  std::map<std::string, int> pins_ LO_GUARDED_BY(mutex_);  // by digest: how many publications are not settled
};

}  // namespace

Result<Manifest> publish_inline(Manifest draft) {
  if (draft.kind == Kind::blob) return fail(Code::corrupt, "a blob is always a file");
  std::int64_t sum = 0;
  for (auto& part : draft.parts) {
    LO_TRY(check_part_name(part.name));
    if (!part.inline_data) return fail(Code::corrupt, fmt::format("the part '{}' has no content", part.name));
    part.bytes = static_cast<std::int64_t>(part.inline_data->size());
    part.digest = digest_of(*part.inline_data);
    sum += part.bytes;
  }
  if (sum > kInlineBytes) return fail(Code::too_large, fmt::format("the parts of the result have {} bytes, which is too much for a message", sum));
  return draft;
}

Staging::~Staging() {
  if (path_.empty()) return;
  std::error_code ignored;  // what cannot be removed now is swept at the next start
  fs::remove_all(path_, ignored);
}

bool Staging::discard_if_empty() {
  if (!path_.empty() && ::rmdir(path_.c_str()) != 0 && errno != ENOENT) return false;
  path_.clear();
  return true;
}

fs::path object_path(const fs::path& root, std::string_view digest) {
  return root / "objects" / digest.substr(0, 2) / digest;
}

Result<std::unique_ptr<Store>> open_local_store(const fs::path& root, LocalStoreOptions options) {
  if (!options.free_share) options.free_share = free_share;
  std::error_code error;
  auto absolute = fs::absolute(root, error);
  if (error) return fail_errno(fmt::format("cannot use {}", root.string()), error.value());
  auto normal = absolute.lexically_normal();
  if (!normal.has_filename()) normal = normal.parent_path();  // "data/" as "data"
  auto store = std::make_unique<LocalStore>(std::move(normal), std::move(options));
  LO_TRY(store->prepare());
  return store;
}

}  // namespace lo::store
