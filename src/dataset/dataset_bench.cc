// How fast a generated CSV file of 100 MB becomes a table, and how long a page, a projection, a conversion, a query and a
// stream of it take.
#include <benchmark/benchmark.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <random>

#include "dataset/cast.h"
#include "dataset/ingest.h"
#include "dataset/page.h"
#include "dataset/project.h"
#include "dataset/query.h"
#include "dataset/row_stream.h"

namespace lo::dataset {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBytes = 100'000'000;

// Twelve columns: numbers, words, a text with commas, mostly empty cells.
std::string line_of(std::int64_t row, std::mt19937& random) {
  static constexpr std::array<const char*, 5> kWords{"male", "female", "Southampton", "Cherbourg", "Queenstown"};
  auto number = [&] { return std::to_string(random() % 1'000'000); };
  std::string line =
      std::to_string(row) + "," + number() + "," + std::to_string(random() % 90) + "." + std::to_string(random() % 10);
  line += std::string(",") + kWords[random() % 5] + "," + kWords[random() % 2] + ",\"Name, Mr. " + number() + "\"," +
          (random() % 5 == 0 ? "C85" : "");
  return line + "," + number() + ",true," + number() + ".25,2026-01-31," + kWords[random() % 5] + "\n";
}

// The generated files, made once and removed at the end.
class Files {
 public:
  Files() : folder_(fs::temp_directory_path() / ("dataset-bench-" + std::to_string(::getpid()))) {
    fs::create_directory(folder_);
    std::ofstream csv(folder_ / "rows.csv", std::ios::binary);
    csv << "id,a,age,port,sex,name,cabin,b,flag,fare,day,word\n";
    std::mt19937 random(1);
    for (rows_ = 0; csv.tellp() < kBytes; ++rows_) csv << line_of(rows_ + 1, random);
    csv.close();
    ingest_csv(open_csv(open_file(csv_path()).value(), {}).value(), parquet_path()).value();
    ingest_csv(open_csv(open_file(csv_path()).value(), {.infer = true}).value(), typed_path(), {}, {}, [&] { return open_file(csv_path()); }).value();
  }
  ~Files() { fs::remove_all(folder_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  fs::path csv_path() const { return folder_ / "rows.csv"; }
  fs::path parquet_path() const { return folder_ / "rows.parquet"; }
  fs::path typed_path() const { return folder_ / "typed.parquet"; }
  fs::path output() const {
    fs::remove(folder_ / "out.parquet");
    return folder_ / "out.parquet";
  }
  std::int64_t rows() const { return rows_; }

  static Files& shared() {
    static Files files;
    return files;
  }

 private:
  fs::path folder_;
  std::int64_t rows_ = 0;
};

void ingest(benchmark::State& state, const CsvOptions& options) {
  auto& files = Files::shared();
  for (auto _ : state) {
    ingest_csv(open_csv(open_file(files.csv_path()).value(), options).value(), files.output(), {}, {}, [&] { return open_file(files.csv_path()); })
        .value();
  }
  state.SetBytesProcessed(state.iterations() * kBytes);
}

void page(benchmark::State& state) {
  auto& files = Files::shared();
  std::mt19937_64 random(1);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        read_page(files.parquet_path(), static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(files.rows())), 20)
            .value());
}

void projection(benchmark::State& state) {
  auto& files = Files::shared();
  std::vector<std::string> names{"id", "name", "fare"};
  for (auto _ : state) project(files.parquet_path(), names, files.output()).value();
}

void conversion(benchmark::State& state) {
  auto& files = Files::shared();
  Types types{{"id", Type::integer}, {"a", Type::number}, {"fare", Type::number}, {"age", Type::number}};
  for (auto _ : state) cast(files.parquet_path(), types, files.output()).value();
}

void query(benchmark::State& state, const char* text) {
  auto& files = Files::shared();
  auto parsed = parse_query(text).value();
  for (auto _ : state) benchmark::DoNotOptimize(find(files.parquet_path(), parsed, {{"_id", 0}}, 0, 20).value());
}

void stream(benchmark::State& state, RowFormat format) {
  std::int64_t bytes = 0;
  for (auto _ : state) {
    auto rows = stream_rows(Files::shared().typed_path(), {}, {}, format).value();
    for (auto piece = rows->next().value(); piece; piece = rows->next().value()) bytes += std::ssize(*piece);
  }
  state.SetBytesProcessed(bytes);
}

BENCHMARK_CAPTURE(ingest, strings, CsvOptions{})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(ingest, infer, CsvOptions{.infer = true})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(projection)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(conversion)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(stream, csv, RowFormat::csv)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(stream, ndjson, RowFormat::ndjson)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(stream, arrow, RowFormat::arrow)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(query, by_id, R"({"_id": 500000})")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(query, whole_scan, R"({"name": {"$regex": "^nobody"}})")->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace lo::dataset
