#include "store/digest.h"

#include <unistd.h>
#include <xxhash.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <new>

#include <fmt/format.h>

namespace lo::store {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

}  // namespace

void Digester::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

Digester::Digester() : state_(XXH3_createState()) {
  if (!state_) throw std::bad_alloc();
  XXH3_128bits_reset(state_.get());
}

void Digester::add(std::string_view piece) { XXH3_128bits_update(state_.get(), piece.data(), piece.size()); }

std::string Digester::digest() const {
  auto hash = XXH3_128bits_digest(state_.get());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string digest_of(std::string_view content) {
  Digester digester;
  digester.add(content);
  return digester.digest();
}

Result<std::string> digest_of_file(int fd, std::string_view what) {
  Digester digester;
  auto piece = std::make_unique_for_overwrite<char[]>(kPiece);  // filling it would take longer than a small file
  while (true) {
    auto got = ::read(fd, piece.get(), kPiece);
    if (got == 0) return digester.digest();
    if (got > 0) digester.add({piece.get(), static_cast<std::size_t>(got)});
    if (got < 0 && errno != EINTR) return fail_errno(fmt::format("cannot read {}", what), errno);
  }
}

bool is_digest(std::string_view text) {
  return text.size() == 32 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace lo::store
