#include "dataset/source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/fd.h"

namespace lo::dataset {
namespace {

class FileSource final : public ByteSource {
 public:
  FileSource(UniqueFd fd, std::string name, std::int64_t size) : fd_(std::move(fd)), name_(std::move(name)), size_(size) {}

  Result<std::size_t> read(std::span<char> some) override {
    while (true) {
      auto got = ::read(fd_.get(), some.data(), some.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno(fmt::format("cannot read {}", name_), errno);
      taken_ += got;
      return static_cast<std::size_t>(got);
    }
  }
  std::int64_t bytes_taken() const override { return taken_; }
  std::optional<std::int64_t> bytes_total() const override { return size_; }

 private:
  UniqueFd fd_;
  std::string name_;
  std::int64_t size_;
  std::int64_t taken_ = 0;
};

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}

  Result<std::size_t> read(std::span<char> some) override {
    auto size = std::min(some.size(), text_.size() - taken_);
    std::memcpy(some.data(), text_.data() + taken_, size);
    taken_ += size;
    return size;
  }
  std::int64_t bytes_taken() const override { return static_cast<std::int64_t>(taken_); }
  std::optional<std::int64_t> bytes_total() const override { return static_cast<std::int64_t>(text_.size()); }

 private:
  std::string text_;
  std::size_t taken_ = 0;
};

class ReadAgain final : public ByteSource {
 public:
  ReadAgain(std::string begun, Source rest) : begun_(std::move(begun)), rest_(std::move(rest)) {}

  Result<std::size_t> read(std::span<char> some) override {
    auto size = std::min(some.size(), begun_.size() - given_);
    if (size == 0) return rest_->read(some);
    std::memcpy(some.data(), begun_.data() + given_, size);
    given_ += size;
    return size;
  }
  std::int64_t bytes_taken() const override { return rest_->bytes_taken(); }
  std::optional<std::int64_t> bytes_total() const override { return rest_->bytes_total(); }

 private:
  std::string begun_;
  std::size_t given_ = 0;
  Source rest_;
};

}  // namespace

Result<Source> open_file(const std::filesystem::path& path) {
  auto name = path.filename().string();
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == ENOENT) return fail(Code::not_found, fmt::format("there is no file {}", name));
  if (!fd) return fail_errno(fmt::format("cannot open {}", name), errno);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(fmt::format("cannot look at {}", name), errno);
  if (!S_ISREG(info.st_mode)) return fail(Code::io, fmt::format("{} is not a regular file", name));
  return std::make_unique<FileSource>(std::move(fd), std::move(name), info.st_size);
}

Source open_text(std::string text) { return std::make_unique<TextSource>(std::move(text)); }

Source read_again(std::string begun, Source rest) { return std::make_unique<ReadAgain>(std::move(begun), std::move(rest)); }

}  // namespace lo::dataset
