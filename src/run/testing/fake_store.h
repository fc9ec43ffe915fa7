// A store for tests: plain folders, no digests, no Arrow.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "store/store.h"

namespace lo::run {

// Any thread.
class FakeStore final : public store::Store {
 public:
  explicit FakeStore(std::filesystem::path root) : root_(std::move(root)) {
    std::filesystem::create_directories(root_ / "objects");
    std::filesystem::create_directories(root_ / "staging");
  }

  Result<store::Staging> reserve(std::string_view token) override { return store::Staging(root_ / "staging" / token); }

  Result<store::Staging> stage(std::string_view token) override {
    auto folder = root_ / "staging" / token;
    if (!std::filesystem::create_directory(folder)) return fail(Code::io, "staged twice: " + folder.string());
    return store::Staging(folder);
  }

  Result<store::Manifest> publish(store::Staging staging, store::Manifest draft) override {
    for (auto& part : draft.parts) {
      part.digest = fmt::format("{:032x}", ++count_);
      std::error_code error;
      part.bytes = static_cast<std::int64_t>(std::filesystem::file_size(staging.path() / part.name, error));
      if (!error) std::filesystem::rename(staging.path() / part.name, root_ / "objects" / part.digest, error);
      if (error) return fail(Code::corrupt, "no part " + part.name);
    }
    return draft;
  }

  Result<std::filesystem::path> path_of(const store::Part& part) override {
    auto path = root_ / "objects" / part.digest;
    if (!std::filesystem::exists(path)) return fail(Code::corrupt, "no part " + part.name);
    return path;
  }

  Status verify(const store::Part& part) override {
    if (!part.inline_data) LO_TRY(path_of(part));
    return {};
  }
  Result<std::int64_t> sweep(const std::set<std::string>&) override { return 0; }
  Status pin(const store::Manifest&) override { return {}; }
  void unpin(const store::Manifest&) override {}
  Result<std::optional<std::int64_t>> remove(std::string_view) override { return 0; }

  bool has_staging() const { return !std::filesystem::is_empty(root_ / "staging"); }

 private:
  const std::filesystem::path root_;
  std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace lo::run
