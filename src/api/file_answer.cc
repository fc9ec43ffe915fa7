#include "api/file_answer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fmt/format.h>
#include <stdexcept>

#include "base/fd.h"
#include "http/etag.h"

namespace lo::api {
namespace {

constexpr std::size_t kPiece = 1u << 20;

// Blocks. At most a piece from `offset`; empty at the end.
Result<std::string> read_piece(int fd, std::uint64_t offset) {
  std::string piece(kPiece, '\0');
  ssize_t got = 0;
  do got = ::pread(fd, piece.data(), piece.size(), static_cast<off_t>(offset));
  while (got < 0 && errno == EINTR);
  if (got < 0) return fail_errno("a stored file cannot be read", errno);
  piece.resize(static_cast<std::size_t>(got));
  return piece;
}

http::StreamBody body_of(const Context& context, std::shared_ptr<UniqueFd> fd, std::shared_ptr<void> keep) {
  return [&context, fd = std::move(fd), keep = std::move(keep)](http::BodyWriter& writer) -> Awaitable<void> {
    for (std::uint64_t offset = 0;;) {
      auto piece = co_await context.pool->run([&] { return read_piece(fd->get(), offset); });
      if (!piece) throw std::runtime_error(piece.error().message);  // cuts the connection
      if (piece->empty() || !co_await writer.write(*piece)) co_return;
      offset += piece->size();
    }
  };
}

}  // namespace

Awaitable<Result<http::Response>> answer_with_file(const Context& context, const http::Request& request, FileAnswer file) {
  auto tag = fmt::format("\"{}\"", file.digest);
  http::Response response;
  response.headers.emplace_back("ETag", tag);
  if (auto known = request.header("if-none-match"); known && http::etag_matches(*known, tag, http::Comparison::weak)) {
    response.status = 304;
    co_return response;
  }
  auto fd = co_await context.pool->run([&] {
    return std::make_shared<UniqueFd>(::open(file.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  });
  if (!*fd) co_return fail_errno("a stored file cannot be opened", errno);
  response.headers.emplace_back("Content-Type", file.content_type);
  if (!file.file_name.empty())
    response.headers.emplace_back("Content-Disposition", fmt::format("attachment; filename=\"{}\"", file.file_name));
  response.body = body_of(context, std::move(fd), std::move(file.keep));
  co_return response;
}

}  // namespace lo::api
