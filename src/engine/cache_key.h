// What a revision's result depends on, as one digest: two with the same key come out the same, unless the code draws lots. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/runner.h"

namespace lo::engine {

inline constexpr std::string_view kCacheKey = "cacheKey";  // among a revision's facts
inline constexpr std::string_view kCached = "cache";       // the same, of a result that was taken from another: {"name", "revision"}

// `cache` of a request: "use" lets its result be that of another revision with the same key, "off" (the default) does not.
// Code::unacceptable for anything else.
Result<bool> read_cache(const json::object& request);

// Whether a result depends on more than the request and the inputs: on what a URL gives, or on what there is to install.
bool looks_outside(std::string_view operation, const json::object& request);

struct Dependencies {
  const Member& member;
  const std::vector<Input>& inputs;
  WallTime clock;              // counts where the request mentions it
  std::string_view installed;  // what runs the code: server and built-in environments
  std::string_view outside;    // for what looks outside: what is known of that, such as the validators of URLs
};

// XXH3-128 in hexadecimal, of code, parameters, digests of the inputs and the rest. What names, describes or limits the step does not count.
std::string cache_key(const Dependencies& dependencies);

}  // namespace lo::engine
