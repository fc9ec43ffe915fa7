#include "dataset/csv_open.h"

#include "dataset/csv_detect.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kSample = std::size_t{64} << 10;

struct Sampled {
  std::string sample;
  bool whole;     // the sample is all there is
  Source source;  // with the sample in it
};

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

}  // namespace

Result<CsvText> open_csv(Source source, CsvOptions options) {
  auto text = unpack(std::move(source));
  if (options.encoding.empty()) {
    LO_ASSIGN(auto begun, look_into(std::move(text)));
    options.encoding = detect_encoding(begun.sample);
    text = std::move(begun.source);
  }
  LO_ASSIGN(text, to_utf8(std::move(text), options.encoding));
  if (options.delimiter == '\0') {
    LO_ASSIGN(auto begun, look_into(std::move(text)));
    options.delimiter = detect_delimiter(begun.sample, begun.whole);
    text = std::move(begun.source);
  }
  return CsvText{.text = std::move(text), .options = std::move(options)};
}

}  // namespace lo::dataset
