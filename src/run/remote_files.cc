#include "run/remote_files.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <endian.h>
#include <fmt/format.h>
#include <future>

#include "base/fd.h"
#include "base/json.h"
#include "dataset/location.h"
#include "run/environment.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

constexpr int kTheirSocket = 3;
constexpr timeval kStall{.tv_sec = 300, .tv_usec = 0};
constexpr std::size_t kMostText = 64 * 1024;  // of a message; the process is ours, and keeps to less

// The process, for its owner on another thread than the strand.
class RemoteProcess {
 public:
  static Result<std::unique_ptr<RemoteProcess>> start(std::shared_ptr<RunContext> context, const std::string& url, int socket) {
    auto command = remote_file_command(*context, url);
    command.descriptors = {{socket, kTheirSocket}};
    std::promise<Result<pid_t>> spawned;
    auto pid = spawned.get_future();
    auto ended = std::make_shared<bool>(false);
    asio::post(context->strand, [&context, &spawned, &command, ended] {
      spawned.set_value(context->reaper->spawn(command, [ended](ExitStatus) { *ended = true; }));
    });
    LO_ASSIGN(auto started, pid.get());
    return std::make_unique<RemoteProcess>(std::move(context), started, std::move(ended));
  }

  RemoteProcess(std::shared_ptr<RunContext> context, pid_t pid, std::shared_ptr<bool> ended)
      : context_(std::move(context)), pid_(pid), ended_(std::move(ended)) {}
  RemoteProcess(const RemoteProcess&) = delete;
  RemoteProcess& operator=(const RemoteProcess&) = delete;
  ~RemoteProcess() {
    asio::post(context_->strand, [context = context_, pid = pid_, ended = ended_] {
      if (!*ended) context->reaper->kill(pid, SIGKILL);  // else its number may be another child's by now
    });
  }

 private:
  const std::shared_ptr<RunContext> context_;
  const pid_t pid_;
  const std::shared_ptr<bool> ended_;  // touched on the strand
};

// What the process sends: a message; then blocks, each with its length before it, the last one empty; then a message. See PROTOCOL.md.
class RemoteFile final : public dataset::ByteSource {
 public:
  RemoteFile(std::string url, UniqueFd socket, std::unique_ptr<RemoteProcess> process, std::stop_token stop)
      : url_(std::move(url)), socket_(std::move(socket)), process_(std::move(process)), stop_(std::move(stop)) {}

  Status begin() {
    LO_ASSIGN(auto message, receive_message());
    if (const auto* total = message.if_contains("total"); total != nullptr && total->is_int64()) total_ = total->get_int64();
    return {};
  }

  Result<std::size_t> read(std::span<char> some) override {
    if (left_ == 0 && !ended_) LO_TRY(next_block());
    if (ended_) return 0;
    auto got = take(some.first(std::min(some.size(), left_)));
    if (!got) return got;
    left_ -= *got;
    taken_ += static_cast<std::int64_t>(*got);
    return got;
  }

  std::int64_t bytes_taken() const override { return taken_; }
  std::optional<std::int64_t> bytes_total() const override { return total_; }

 private:
  Status next_block() {
    LO_ASSIGN(left_, receive_length());
    if (left_ > 0) return {};
    LO_TRY(receive_message());
    ended_ = true;
    return {};
  }

  Result<std::size_t> receive_length() {
    std::uint32_t length = 0;
    LO_TRY(take_all({reinterpret_cast<char*>(&length), sizeof length}));
    return be32toh(length);
  }

  // {"error": TEXT} is the error.
  Result<json::object> receive_message() {
    LO_ASSIGN(auto length, receive_length());
    if (length > kMostText) return fail(Code::internal, fmt::format("{}: a message of {} bytes", url_, length));
    std::string text(length, '\0');
    LO_TRY(take_all(text));
    LO_ASSIGN(auto message, parse_json_object(text));
    if (auto error = string_or(message, "error"); !error.empty()) return fail(Code::io, std::move(error));
    return message;
  }

  Status take_all(std::span<char> some) {
    while (!some.empty()) {
      LO_ASSIGN(auto got, take(some));
      some = some.subspan(got);
    }
    return {};
  }

  // At least one byte: the process does not end without a last message.
  Result<std::size_t> take(std::span<char> some) {
    for (;;) {
      auto got = ::recv(socket_.get(), some.data(), some.size(), 0);
      auto error = errno;
      if (stop_.stop_requested()) return fail(Code::cancelled, fmt::format("reading {} was cancelled", url_));
      if (got > 0) return static_cast<std::size_t>(got);
      if (got == 0) return fail(Code::io, fmt::format("{} cannot be read: the process that reads it ended, see logs/remote-files.log", url_));
      if (error == EAGAIN) return fail(Code::timeout, fmt::format("{} cannot be read: nothing came for {} s", url_, kStall.tv_sec));
      if (error != EINTR) return fail_errno(fmt::format("{} cannot be read", url_), error);
    }
  }

  const std::string url_;
  const UniqueFd socket_;
  const std::unique_ptr<RemoteProcess> process_;
  const std::stop_token stop_;
  std::stop_callback<std::function<void()>> interrupt_{stop_, [this] { ::shutdown(socket_.get(), SHUT_RDWR); }};
  std::optional<std::int64_t> total_;
  std::int64_t taken_ = 0;
  std::size_t left_ = 0;  // of the block that is being read
  bool ended_ = false;
};

bool concerns_remote_files(std::string_view variable) {
  constexpr std::array<std::string_view, 7> kPrefixes{"AWS_", "HADOOP_", "SSL_CERT_", "KRB5CCNAME=", "KRB5_", "LD_LIBRARY_PATH=", "HOME="};
  return std::ranges::any_of(kPrefixes, [&](auto prefix) { return variable.starts_with(prefix); });
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

}  // namespace

bool has_s3_credentials(const Variables& variables) {
  auto is_set = [&](const char* name) { return !variables(name).value_or("").empty(); };
  if (is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY")) return true;
  for (auto name : {"AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"})
    if (is_set(name)) return true;
  if (is_set("AWS_SHARED_CREDENTIALS_FILE")) return is_file(*variables("AWS_SHARED_CREDENTIALS_FILE"));
  return is_set("HOME") && is_file(*variables("HOME") + "/.aws/credentials");
}

std::vector<std::string> remote_environment(const std::vector<std::string>& all) {
  std::vector<std::string> some;
  std::ranges::copy_if(all, std::back_inserter(some), concerns_remote_files);
  return some;
}

Result<dataset::Source> open_remote(const std::shared_ptr<RunContext>& context, const std::string& url, std::stop_token stop) {
  LO_TRY(dataset::check_location(url, "/datasetURI", {}, context->options.remote.policy));
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return fail_errno("socketpair", errno);
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  if (::setsockopt(ours.get(), SOL_SOCKET, SO_RCVTIMEO, &kStall, sizeof kStall) != 0) return fail_errno("setsockopt SO_RCVTIMEO", errno);
  LO_ASSIGN(auto process, RemoteProcess::start(context, url, theirs.get()));
  theirs.reset();
  auto file = std::make_unique<RemoteFile>(url, std::move(ours), std::move(process), std::move(stop));
  LO_TRY(file->begin());
  return file;
}

}  // namespace lo::run
