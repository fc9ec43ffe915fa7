// The end of a text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace lo::cli {

// Each of the last `count` lines with two spaces before it, no line feed after the last. "" for an empty text.
std::string last_lines(std::string_view text, int count);

// Of what a file holds from `begin` (bytes) on; of a large file only the end is read. "" when it cannot be read.
std::string last_lines(const std::filesystem::path& file, std::int64_t begin, int count);

}  // namespace lo::cli
