// Identifiers: names that people give, tokens that the server gives.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lo {

// 32 hexadecimal digits from the kernel's random source: identity of an attempt, fencing token. Never reused.
std::string make_token();

// A random UUID (version 4), e.g. for a Spark session.
std::string make_uuid();

// 1 to 128 of letters, digits, '_' and '-' (ASCII), and neither "stream" nor "clock". Code::unacceptable naming `pointer` and the value.
Status check_name(std::string_view name, std::string_view pointer);

// The candidate nearest to `word` by edit distance, or "" when none is near: for "did you mean".
template <class Range>
std::string nearest(std::string_view word, const Range& candidates);

std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Range>
std::string nearest(std::string_view word, const Range& candidates) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const auto& candidate : candidates) {
    std::string_view text(candidate);
    auto longer = std::max(text.size(), word.size());
    if (longer - std::min(text.size(), word.size()) >= best_distance) continue;  // also keeps huge words cheap
    if (auto distance = edit_distance(word, text); distance < best_distance) {
      best_distance = distance;
      best = std::string(text);
    }
  }
  return best;
}

}  // namespace lo
