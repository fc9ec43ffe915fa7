#include "dataset/sample.h"

#include <algorithm>

namespace lo::dataset {
namespace {

constexpr std::size_t kSample = std::size_t{64} << 10;

}  // namespace

Result<Sampled> look_into(Source source) {
  std::string sample(kSample, '\0');
  std::size_t have = 0;
  for (bool ended = false; have < kSample && !ended;) {
    LO_ASSIGN(auto got, source->read({sample.data() + have, kSample - have}));
    ended = got == 0;
    have += got;
  }
  sample.resize(have);
  auto again = read_again(sample, std::move(source));
  return Sampled{.sample = std::move(sample), .whole = have < kSample, .source = std::move(again)};
}

bool looks_like_html(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  std::string start(text.substr(0, 14));
  std::ranges::transform(start, start.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

}  // namespace lo::dataset
