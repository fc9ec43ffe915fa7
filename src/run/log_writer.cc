#include "run/log_writer.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>

namespace lo::run {
namespace {

namespace fs = std::filesystem;

Status write_at(int file, std::span<const char> text, std::int64_t offset) {
  while (!text.empty()) {
    auto written = ::pwrite(file, text.data(), text.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write a log", errno);
    text = text.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
  return {};
}

// `bytes` from `from` at `read_offset`, through a buffer; the files' own positions are left alone.
Status copy(int from, std::int64_t read_offset, std::int64_t bytes, int to, std::int64_t write_offset) {
  std::array<char, 64 * 1024> buffer;
  while (bytes > 0) {
    auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(bytes, buffer.size()));
    auto read = ::pread(from, buffer.data(), wanted, read_offset);
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) return fail_errno("cannot read a log", errno);
    LO_TRY(write_at(to, std::span(buffer).first(static_cast<std::size_t>(read)), write_offset));
    read_offset += read;
    write_offset += read;
    bytes -= read;
  }
  return {};
}

}  // namespace

std::string left_out_marker(std::int64_t bytes) { return fmt::format("\n... {} bytes left out ...\n", bytes); }

fs::path log_path(const fs::path& data, catalog::RevisionKey key, int attempt) {
  return data / "logs" / std::to_string(key.step) / fmt::format("{}-{}.log", key.revision, attempt);
}

LogWriter::LogWriter(std::vector<fs::path> paths, std::int64_t limit) : paths_(std::move(paths)), limit_(limit) {}

Status LogWriter::append(std::span<const char> text) {
  if (text.empty()) return {};
  auto start = bytes_;
  bytes_ += static_cast<std::int64_t>(text.size());
  if (broken_) return {};
  auto status = [&]() -> Status {
    if (!file_) LO_TRY(open());
    auto room = std::clamp<std::int64_t>(limit_ - start, 0, static_cast<std::int64_t>(text.size()));
    LO_TRY(write_at(file_.get(), text.first(static_cast<std::size_t>(room)), start));
    return write_tail(text.subspan(static_cast<std::size_t>(room)));
  }();
  broken_ = !status.has_value();
  return status;
}

Status LogWriter::open() {
  std::error_code error;
  for (const auto& path : paths_) fs::create_directories(path.parent_path(), error);
  file_ = UniqueFd(::open(paths_.front().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file_) return fail_errno("cannot create " + paths_.front().string(), errno);
  return link_others();
}

Status LogWriter::link_others() {
  for (auto path = paths_.begin() + 1; path != paths_.end(); ++path) {
    ::unlink(path->c_str());
    if (::link(paths_.front().c_str(), path->c_str()) != 0) return fail_errno("cannot create " + path->string(), errno);
  }
  return {};
}

// The end of what is beyond the limit; a text longer than the ring has only its end written.
Status LogWriter::write_tail(std::span<const char> text) {
  if (text.empty()) return {};
  if (!tail_) {
    auto path = paths_.front().string() + ".tail";
    tail_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!tail_) return fail_errno("cannot create " + path, errno);
    ::unlink(path.c_str());  // it lives as long as it is open
  }
  auto kept = std::min<std::int64_t>(static_cast<std::int64_t>(text.size()), half());
  text = text.last(static_cast<std::size_t>(kept));
  for (auto number = bytes_ - kept; !text.empty();) {
    auto place = number % half();
    auto piece = std::min<std::int64_t>(static_cast<std::int64_t>(text.size()), half() - place);
    LO_TRY(write_at(tail_.get(), text.first(static_cast<std::size_t>(piece)), place));
    text = text.subspan(static_cast<std::size_t>(piece));
    number += piece;
  }
  return {};
}

Status LogWriter::finish() {
  if (!tail_ || broken_) return {};
  auto status = rewrite();
  tail_.reset();
  LO_TRY(status);
  return link_others();
}

// Made beside the log and renamed over it, so that a reader sees the one or the other.
Status LogWriter::rewrite() {
  auto path = paths_.front().string() + ".new";
  UniqueFd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out) return fail_errno("cannot create " + path, errno);
  LO_TRY(copy(file_.get(), 0, half(), out.get(), 0));
  auto text = left_out_marker(bytes_ - 2 * half());
  LO_TRY(write_at(out.get(), text, half()));
  auto place = half() + static_cast<std::int64_t>(text.size());
  auto first = bytes_ - half();  // number of the first byte of the last half
  if (first < limit_) {          // it begins in the file itself
    LO_TRY(copy(file_.get(), first, limit_ - first, out.get(), place));
    place += limit_ - first;
    first = limit_;
  }
  while (first < bytes_) {
    auto piece = std::min(bytes_ - first, half() - first % half());
    LO_TRY(copy(tail_.get(), first % half(), piece, out.get(), place));
    place += piece;
    first += piece;
  }
  if (::rename(path.c_str(), paths_.front().c_str()) != 0) return fail_errno("cannot rename " + path, errno);
  return {};
}

}  // namespace lo::run
