#include "run/output_pump.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>

#include "base/log.h"

namespace lo::run {
namespace {

constexpr int kPipeBytes = 1 << 20;  // the most that an unprivileged process gets by default: fewer wake-ups for much output

}  // namespace

Result<OutputPipe> make_output_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("pipe", errno);
  OutputPipe pipe{.ours = UniqueFd(ends[0]), .theirs = UniqueFd(ends[1])};
  ::fcntl(pipe.ours.get(), F_SETPIPE_SZ, kPipeBytes);  // a smaller one will do too
  if (::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno("fcntl O_NONBLOCK", errno);
  return pipe;
}

OutputPump::OutputPump(std::shared_ptr<RunContext> context, UniqueFd pipe, std::unique_ptr<LogWriter> log,
                       std::function<void()> grown, std::function<void()> done)
    : context_(std::move(context)),
      pipe_(context_->strand, pipe.release()),
      log_(std::move(log)),
      grown_(std::move(grown)),
      patience_(context_->strand),
      done_(std::move(done)) {}

void OutputPump::start() { await_output(); }

void OutputPump::abandon() {
  done_ = nullptr;
  end();
}

void OutputPump::finish(std::chrono::milliseconds patience) {
  if (ended_) return;
  patience_.expires_after(patience);
  patience_.async_wait([weak = weak_from_this()](auto error) {
    if (auto self = weak.lock(); self && !error) self->end();
  });
}

void OutputPump::await_output() {
  pipe_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](auto error) {
    if (!error) self->drain();
  });
}

// Takes what the pipe holds, then has it written before the next is taken: the pipe holds back a step that is faster than the disk.
void OutputPump::drain() {
  if (ended_) return;
  int waiting = 0;
  if (::ioctl(pipe_.native_handle(), FIONREAD, &waiting) != 0 || waiting == 0) waiting = 1;  // its end, most likely
  if (buffer_.size() < static_cast<std::size_t>(waiting)) buffer_.resize(static_cast<std::size_t>(waiting));
  auto bytes = ::read(pipe_.native_handle(), buffer_.data(), buffer_.size());
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return await_output();
  if (bytes <= 0) return end();
  busy_ = true;
  ends_.append(std::span(buffer_).first(static_cast<std::size_t>(bytes)));
  auto write = [file = log_, buffer = std::move(buffer_), bytes]() mutable {
    if (auto status = file->append(std::span(buffer).first(static_cast<std::size_t>(bytes))); !status)
      log::error("run: {}", status.error().message);
    return std::move(buffer);
  };
  context_->on_pool(std::move(write), [self = shared_from_this()](std::vector<char> buffer) { self->written(std::move(buffer)); });
}

void OutputPump::written(std::vector<char> buffer) {
  buffer_ = std::move(buffer);
  busy_ = false;
  grown_();
  if (ended_) return complete();
  drain();
}

void OutputPump::end() {
  if (ended_) return;
  ended_ = true;
  patience_.cancel();
  boost::system::error_code ignored;
  pipe_.close(ignored);
  if (!busy_) complete();
}

void OutputPump::complete() {
  if (!done_) return;
  auto done = std::exchange(done_, nullptr);
  if (ends_.bytes() == 0) return done();  // there is no log
  busy_ = true;
  auto finish = [file = log_] {
    auto status = file->finish();
    if (!status) log::error("run: {}", status.error().message);
    return status.has_value();
  };
  context_->on_pool(std::move(finish), [self = shared_from_this(), done = std::move(done)](bool) {
    self->busy_ = false;
    self->grown_();
    done();
  });
}

}  // namespace lo::run
