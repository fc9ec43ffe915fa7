// What a CSV file does not say of itself, guessed from its beginning. Pure.
#pragma once

#include <string>
#include <string_view>

namespace lo::dataset {

// A name that to_utf8 knows: "utf-16" by its byte order mark, "utf-16le" or "utf-16be" where every other byte is 0, "utf-8" for what is UTF-8,
// else "cp1252", or "latin-1" for bytes that cp1252 does not have. `sample` may end within a character.
std::string detect_encoding(std::string_view sample);

// ',' ';' tab or '|': the one that every row of the sample has equally often, outside of quotes; the comma when it is one of several, or none
// is. `sample` is UTF-8; where it is not the `whole` file its last row is left out.
char detect_delimiter(std::string_view sample, bool whole);

}  // namespace lo::dataset
