// How a text begins, before it is read as what it claims to be.
#pragma once

#include <string>
#include <string_view>

#include "dataset/source.h"

namespace lo::dataset {

struct Sampled {
  std::string sample;
  bool whole;     // the sample is all there is
  Source source;  // with the sample in it
};

// The first 64 kB of `source`. What reading gives is passed on. Blocks.
Result<Sampled> look_into(Source source);

// Whether a text begins as a web page does.
bool looks_like_html(std::string_view text);

}  // namespace lo::dataset
