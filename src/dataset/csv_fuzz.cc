// Any bytes as a CSV file, packed or not: an error or a table whose pages can be read, never a crash. The first byte chooses the options.
#include <unistd.h>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "dataset/ingest.h"
#include "dataset/page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lo::dataset;
  if (size == 0) return 0;
  constexpr std::array<const char*, 4> kEncodings{"utf-8", "latin-1", "cp1252", "utf-16"};
  CsvOptions options{.infer = (data[0] & 1) != 0, .encoding = kEncodings[(data[0] >> 1) & 3]};
  if ((data[0] & 8) != 0) options.headers = {"a", "b"};
  if ((data[0] & 16) != 0) options.delimiter = ';';
  if ((data[0] & 32) != 0) options.encoding.clear();
  options.max_row_bytes = 4096;
  auto file = std::filesystem::temp_directory_path() / ("csv-fuzz-" + std::to_string(::getpid()) + ".parquet");
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto csv = open_csv(open_text(text), options);
  if (!csv) return 0;
  auto manifest = ingest_csv(*std::move(csv), file, {}, {}, [&text] { return open_text(text); });
  if (!manifest && std::filesystem::exists(file)) std::abort();
  if (manifest) {
    auto page = read_page(file, 0, 10'000);
    if (!page || static_cast<std::int64_t>(page->size()) != std::min<std::int64_t>(*manifest->rows, 10'000)) std::abort();
    std::filesystem::remove(file);
  }
  return 0;
}
