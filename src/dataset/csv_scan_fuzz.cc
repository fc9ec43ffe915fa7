// Any text: its cells are those that a parser finds that goes character by character.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "dataset/csv_scan.h"
#include "dataset/naive_csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lo::dataset;
  if (size == 0) return 0;
  std::size_t columns = 1 + data[0] % 4;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto expected = NaiveCsv::parse(text);
  auto ragged = std::ranges::find_if(expected, [&](const auto& row) { return row.size() != columns; });
  auto found = scan_csv(text, ',', columns);
  if (found.ragged.has_value() != (ragged != expected.end()) || found.rows != ragged - expected.begin()) std::abort();
  for (std::size_t i = 0; i < found.cells.size(); ++i)
    if (cell_text(text, found.cells[i]) != expected[i / columns][i % columns]) std::abort();
  return 0;
}
