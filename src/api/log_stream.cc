#include "api/log_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/fd.h"
#include "http/sse.h"

namespace lo::api {
namespace {

constexpr std::size_t kPiece = 256u << 10;
constexpr std::chrono::seconds kComment{15};

// At most kPiece bytes of the file from `offset`; nothing when there is no file. Blocks.
std::string read_piece(const std::filesystem::path& path, std::int64_t offset) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string piece(kPiece, '\0');
  auto got = file ? ::pread(file.get(), piece.data(), piece.size(), offset) : 0;
  piece.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return piece;
}

// Up to the last line end; all of it when the attempt has ended or the piece is one long line.
std::string whole_lines(std::string piece, bool ended) {
  auto newline = piece.rfind('\n');
  if (!ended && newline != std::string::npos) piece.resize(newline + 1);
  if (!ended && newline == std::string::npos && piece.size() < kPiece) piece.clear();
  return piece;
}

struct Ended {
  bool ended = false;
  std::string status;
};

// Whether the attempt whose log this is has ended. Blocks.
Ended attempt_state(const Context& context, const LogPlace& place) {
  auto revision = context.catalog->revision(place.key);
  if (!revision || !*revision) return {.ended = true, .status = "deleted"};
  auto ended = is_terminal((*revision)->state) || (*revision)->attempts > place.attempt;
  return {.ended = ended, .status = std::string(to_string((*revision)->state))};
}

std::string log_event(std::string_view text) {
  return http::format_event({.event = "log", .data = write_json(json::object{{"text", text}})});
}

Awaitable<void> follow(const Context& context, LogPlace place, http::BodyWriter& writer) {
  std::int64_t offset = 0;
  for (;;) {
    auto seen = context.logs->value();
    auto state = co_await context.pool->run([&] { return attempt_state(context, place); });
    auto raw = co_await context.pool->run([&] { return read_piece(place.path, offset); });
    auto piece = whole_lines(std::move(raw), state.ended);
    offset += static_cast<std::int64_t>(piece.size());
    if (!piece.empty()) {
      auto event = log_event(piece);
      if (!co_await writer.write(event)) co_return;
      continue;
    }
    if (state.ended) {
      auto data = write_json(json::object{{"status", state.status}});
      auto end = http::format_event({.event = "end", .data = std::move(data)});
      co_await writer.write(end);
      co_return;
    }
    auto grown = co_await context.logs->beyond(seen, kComment);
    if (context.logs->closed()) co_return;
    if (grown) continue;
    auto comment = http::format_comment("waiting");
    if (!co_await writer.write(comment)) co_return;
  }
}

}  // namespace

std::string log_tag(const LogPlace& place) {
  struct stat status {};
  if (::stat(place.path.c_str(), &status) != 0) return "\"0\"";
  return fmt::format("\"{:x}-{:x}-{:x}\"", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

http::Response log_response(const Context& context, LogPlace place) {
  http::Response response = http::text_response(200, "text/plain; charset=utf-8", "");
  response.body = http::StreamBody([&context, place = std::move(place)](http::BodyWriter& writer) -> Awaitable<void> {
    for (std::int64_t offset = 0;;) {
      auto piece = co_await context.pool->run([&] { return read_piece(place.path, offset); });
      if (piece.empty() || !co_await writer.write(piece)) co_return;
      offset += static_cast<std::int64_t>(piece.size());
    }
  });
  return response;
}

http::Response follow_log(const Context& context, LogPlace place) {
  return http::event_stream([&context, place = std::move(place)](http::BodyWriter& writer) -> Awaitable<void> {
    co_await follow(context, place, writer);
  });
}

}  // namespace lo::api
