// Paths and queries from outside: no input crashes, and no segment that comes out can leave its folder.
#include <cstdlib>
#include <string_view>

#include "http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto target = lo::http::split_target(text);
  if (!target) return 0;
  auto segments = lo::http::split_path(target->path);
  if (segments)
    for (const auto& segment : *segments)
      if (segment.empty() || segment == "." || segment == ".." ||
          segment.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos)
        std::abort();
  auto query = lo::http::parse_query(target->query);
  if (query)
    for (const auto& [name, value] : *query)
      if (name.contains('\0') || value.contains('\0')) std::abort();
  return 0;
}
