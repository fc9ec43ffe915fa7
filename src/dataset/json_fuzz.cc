// Any bytes as a JSON file, packed or not: an error or a table whose pages can be read, never a crash. The first byte chooses the options.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "dataset/json_ingest.h"
#include "dataset/page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lo::dataset;
  if (size == 0) return 0;
  JsonOptions options{.encoding = (data[0] & 1) != 0 ? "latin-1" : ""};
  options.max_row_bytes = 4096;
  if ((data[0] & 6) != 0) options.types["a"] = static_cast<Type>((data[0] >> 1) & 3);
  auto file = std::filesystem::temp_directory_path() / ("json-fuzz-" + std::to_string(::getpid()) + ".parquet");
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto opened = open_json(open_text(text), options);
  if (!opened) return 0;
  auto manifest = ingest_json(*std::move(opened), file, {}, {}, [&text] { return open_text(text); });
  if (!manifest && std::filesystem::exists(file)) std::abort();
  if (manifest) {
    auto page = read_page(file, 0, 10'000);
    if (!page || static_cast<std::int64_t>(page->size()) != std::min<std::int64_t>(*manifest->rows, 10'000)) std::abort();
    std::filesystem::remove(file);
  }
  return 0;
}
