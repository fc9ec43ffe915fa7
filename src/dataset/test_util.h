// What the tests of this folder share.
#pragma once

#include <gtest/gtest.h>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/id.h"
#include "dataset/ingest.h"
#include "dataset/page.h"

namespace lo::dataset {

// A folder of its own for each test.
class FolderTest : public ::testing::Test {
 protected:
  FolderTest() : folder_(std::filesystem::temp_directory_path() / ("lo-dataset-" + make_token())) {
    std::filesystem::create_directory(folder_);
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }

  std::filesystem::path write(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

  // A file that does not exist yet.
  std::filesystem::path fresh() { return path("table" + std::to_string(++tables_) + ".parquet"); }

  static Result<store::Manifest> ingest(const std::string& csv, const CsvOptions& options, const std::filesystem::path& to) {
    LO_ASSIGN(auto text, open_csv(open_text(csv), options));
    return ingest_csv(std::move(text), to, {}, {}, [&csv] { return open_text(csv); });
  }

  // The text as a table; fails the test when it does not ingest.
  std::filesystem::path table(std::string csv, const CsvOptions& options = {}) {
    auto to = fresh();
    auto manifest = ingest(std::move(csv), options, to);
    EXPECT_TRUE(manifest) << manifest.error().message;
    return to;
  }

  // All rows, as JSON text without spaces.
  static std::string rows_of(const std::filesystem::path& parquet) {
    return json::serialize(read_page(parquet, 0, 1'000'000).value());
  }

  std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++count;
    return count;
  }

  std::filesystem::path folder_;
  int tables_ = 0;
};

}  // namespace lo::dataset
