#include "dataset/csv_open.h"

#include "dataset/csv_detect.h"
#include "dataset/sample.h"

namespace lo::dataset {

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
