#include "base/id.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/text.h"

namespace lo {
namespace {

std::array<std::uint8_t, 16> random_bytes() {
  std::array<std::uint8_t, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("the kernel gave no random bytes");
  return bytes;
}

std::string hex(const std::array<std::uint8_t, 16>& bytes) {
  std::string text;
  for (auto byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::string make_token() { return hex(random_bytes()); }

std::string make_uuid() {
  auto bytes = random_bytes();
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);  // variant of RFC 9562
  auto text = hex(bytes);
  for (auto at : {20, 16, 12, 8}) text.insert(static_cast<std::size_t>(at), "-");
  return text;
}

Status check_name(std::string_view name, std::string_view pointer) {
  constexpr std::size_t kLongest = 128;
  auto refuse = [&](std::string_view why) {
    return fail_field(Code::unacceptable, std::string(pointer), fmt::format("the name \"{}\" {}", printable(name), why));
  };
  if (name.empty()) return refuse("is empty");
  if (!std::ranges::all_of(name, is_name_char)) return refuse("may hold only letters, digits, '_' and '-'");
  if (name.size() > kLongest) return refuse(fmt::format("has {} characters, at most {} are allowed", name.size(), kLongest));
  if (name == "stream" || name == "clock") return refuse("is reserved");
  return {};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace lo
