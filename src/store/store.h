// Artifacts by digest. A result is made in a staging folder, then published: digested, synced, and renamed into place, so
// that it is there whole or not at all, also after a power cut. The same content is stored once.
//
// Threads: all functions block on the disk; call them on the BlockingPool. Any number at once.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "base/error.h"
#include "store/manifest.h"

namespace lo::store {

// A folder of its own for an attempt to write into; removed with its owner, if somebody has made it. Move-only.
class Staging {
 public:
  explicit Staging(std::filesystem::path path) : path_(std::move(path)) {}
  Staging(Staging&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Staging& operator=(Staging&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging();

  const std::filesystem::path& path() const { return path_; }

  // Whether nothing is there any more, or nothing was there but an empty folder: then nothing is left to remove. Does not block for long.
  bool discard_if_empty();

 private:
  std::filesystem::path path_;
};

class Store {
 public:
  virtual ~Store() = default;

  // A fresh, empty folder named by `token`. Code::no_space when less than 5 % of the disk is free.
  virtual Result<Staging> stage(std::string_view token) = 0;

  // The same, but whoever has something to write makes the folder. Does not block for long.
  virtual Result<Staging> reserve(std::string_view token) = 0;

  // Makes the files that `draft.parts` names (relative to the staging folder; digest and bytes are filled in here) part of
  // the store, and gives the manifest to commit. Links, folders and names with '/' are refused (Code::corrupt). Parts that
  // together have at most 64 kB are put into the manifest instead, but for a blob's, which are always files. Files of the folder that are not named are dropped.
  virtual Result<Manifest> publish(Staging staging, Manifest draft) = 0;

  // A readable path of a part, for Arrow, mmap and workers. Checks presence and size; Code::corrupt when they do not match.
  // An inline part is written to a cache folder first.
  virtual Result<std::filesystem::path> path_of(const Part& part) = 0;

  // Reads the whole part again against its digest: after an unclean stop. Code::corrupt when it differs.
  virtual Status verify(const Part& part) = 0;

  // Removes every stored file whose digest is not in `live`, and all staging folders. Gives the bytes freed. Only while
  // nothing is being published.
  virtual Result<std::int64_t> sweep(const std::set<std::string>& live) = 0;

  // Pins the stored parts of a result that is on record, as publish() does. Code::corrupt when one is not there; then none is pinned.
  virtual Status pin(const Manifest& manifest) = 0;

  // publish() pins the stored parts of its manifest: they are not removed before unpin(), which says that the result is on record, or
  // not wanted. A part without a digest, or inline, is passed over. Does not block.
  virtual void unpin(const Manifest& manifest) = 0;

  // Removes one file by digest. The caller knows that nothing refers to it. Gives the bytes freed (0 if it was not there), or nothing
  // when the digest is pinned: then the file stays.
  virtual Result<std::optional<std::int64_t>> remove(std::string_view digest) = 0;
};

// A result that needs no file: every part of `draft` has its content with it; digest and bytes are filled in here. Code::corrupt when one
// has none or a bad name, or a blob has any; Code::too_large when they have over 64 kB. Does not block.
Result<Manifest> publish_inline(Manifest draft);

struct LocalStoreOptions {
  double least_free = 0.05;  // of the disk, for stage()
  // The free share of the disk that holds a path, 0 to 1; tests put their own here.
  std::function<Result<double>(const std::filesystem::path&)> free_share;
};

// A store in a local folder: objects/<first two digits>/<digest>, staging/<token>, cache/. Files are readable by the owner
// only (0600, folders 0700) and published read-only (0400).
Result<std::unique_ptr<Store>> open_local_store(const std::filesystem::path& root, LocalStoreOptions options = {});

// Where the local store in `root` keeps the object of this digest: for copies of whole stores.
std::filesystem::path object_path(const std::filesystem::path& root, std::string_view digest);

}  // namespace lo::store
