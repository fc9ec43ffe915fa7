#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/fd.h"
#include "dataset/source.h"

namespace lo::dataset {
namespace {

Status write_all(int fd, std::span<const char> bytes) {
  while (!bytes.empty()) {
    auto wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_errno("cannot keep what was downloaded", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

class Kept {
 public:
  Kept(Source source, std::filesystem::path copy) : source_(std::move(source)), copy_(std::move(copy)) {}

  Result<std::size_t> read(std::span<char> some) {
    if (!fd_) LO_TRY(create());
    LO_ASSIGN(auto got, source_->read(some));
    ended_ = got == 0;
    LO_TRY(write_all(fd_.get(), some.first(got)));
    return got;
  }

  Result<Source> again() {
    std::array<char, std::size_t{64} << 10> rest;
    while (!ended_) LO_TRY(read(rest));
    return open_file(copy_);
  }

  const ByteSource& source() const { return *source_; }

 private:
  Status create() {
    fd_ = UniqueFd(::open(copy_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd_) return fail_errno("cannot keep what is downloaded", errno);
    return {};
  }

  Source source_;
  const std::filesystem::path copy_;
  UniqueFd fd_;
  bool ended_ = false;
};

class KeptReader final : public ByteSource {
 public:
  explicit KeptReader(std::shared_ptr<Kept> kept) : kept_(std::move(kept)) {}
  Result<std::size_t> read(std::span<char> some) override { return kept_->read(some); }
  std::int64_t bytes_taken() const override { return kept_->source().bytes_taken(); }
  std::optional<std::int64_t> bytes_total() const override { return kept_->source().bytes_total(); }

 private:
  std::shared_ptr<Kept> kept_;
};

}  // namespace

Repeatable keep_copy(Source source, const std::filesystem::path& copy) {
  auto kept = std::make_shared<Kept>(std::move(source), copy);
  return {.source = std::make_unique<KeptReader>(kept), .again = [kept] { return kept->again(); }};
}

}  // namespace lo::dataset
