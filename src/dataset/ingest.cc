#include "dataset/ingest.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/future.h>
#include <arrow/util/thread_pool.h>
#include <fmt/format.h>
#include <algorithm>
#include <deque>

#include "dataset/arrow_error.h"
#include "dataset/cast.h"
#include "dataset/csv_blocks.h"
#include "dataset/csv_header.h"
#include "dataset/csv_parse.h"
#include "dataset/fields.h"
#include "dataset/table_file.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kBlocksAhead = 4;                     // parsed while the first of them is written …
constexpr std::size_t kBytesAhead = std::size_t{16} << 20;  // … fewer where rows are very long

bool looks_like_html(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  std::string start(text.substr(0, 14));
  std::ranges::transform(start, start.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

std::shared_ptr<arrow::Schema> schema_of(const std::vector<std::string>& names, const std::vector<Type>& types) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (std::size_t i = 0; i < names.size(); ++i) fields.push_back(arrow::field(names[i], arrow_type(types[i])));
  return arrow::schema(std::move(fields));
}

// One run: blocks are read here, parsed on Arrow's CPU threads, and written here in order.
class Ingest {
 public:
  Ingest(Source text, const CsvOptions& options, const Progress& progress, std::stop_token stop)
      : options_(options),
        progress_(progress),
        stop_(std::move(stop)),
        parse_options_(parse_options(options.delimiter)),
        blocks_(std::move(text), parse_options_, kBlockBytes, options.max_row_bytes) {}

  Result<store::Manifest> run(const std::filesystem::path& to) {
    LO_ASSIGN(auto first, begin());
    LO_ASSIGN(auto writer, TableWriter::open(to, plan_->schema));
    if (!first.text.empty()) LO_TRY(submit(std::move(first)));
    while (true) {
      if (stop_.stop_requested()) return cancelled();
      LO_ASSIGN(auto block, blocks_.next());
      if (!block) break;
      LO_TRY(submit(*std::move(block)));
      while (is_far_ahead()) LO_TRY(write_next(writer));
    }
    while (!parsing_.empty()) LO_TRY(write_next(writer));
    return writer.finish();
  }

  // What infer found; fields that stay strings are left out.
  Types inferred() const {
    Types types;
    for (std::size_t i = 0; i < guesses_.size(); ++i)
      if (auto type = narrowest(guesses_[i]); type != Type::string && !options_.types.contains(plan_->names[i]))
        types[plan_->names[i]] = type;
    return types;
  }

 private:
  struct Parsing {
    arrow::Future<ParsedBlock> parsed;
    std::size_t bytes;
  };

  static std::unexpected<Error> cancelled() { return fail(Code::cancelled, "the ingest was cancelled"); }

  // Makes the plan from the header. Gives the rows that come after it in the same block.
  Result<CsvBlock> begin() {
    while (true) {
      if (stop_.stop_requested()) return cancelled();
      LO_ASSIGN(auto block, blocks_.next());
      if (!block) return fail(Code::unacceptable, "the file is empty");
      if (looks_like_html(block->text)) return fail(Code::unacceptable, "the file is a web page (HTML), not CSV");
      if (!options_.headers.empty()) return begin_with(options_.headers, *std::move(block), 0);
      if (block->fault != CsvBlock::Fault::none) return fail_row(parse_block(*block, header_plan()).fault.value());
      LO_ASSIGN(auto row, first_row(*block, parse_options_));
      if (row) return begin_with(row->cells, *std::move(block), row->bytes);
    }
  }

  Result<CsvBlock> begin_with(const std::vector<std::string>& cells, CsvBlock block, std::size_t header_bytes) {
    LO_ASSIGN(auto names, field_names(cells, options_));
    std::vector<Type> types;
    for (const auto& name : names) {
      auto type = options_.types.find(name);
      types.push_back(type == options_.types.end() ? Type::string : type->second);
    }
    auto plan = std::make_shared<CsvPlan>(header_plan());
    plan->schema = schema_of(names, types);
    plan->names = std::move(names);
    plan->types = std::move(types);
    plan->infer = options_.infer;
    LO_TRY(check_types(options_.types, fields_of(*plan->schema)));
    plan_ = std::move(plan);
    block.text.erase(0, header_bytes);
    return block;
  }

  CsvPlan header_plan() const {
    CsvPlan plan;
    plan.parse = parse_options_;
    plan.max_row_bytes = options_.max_row_bytes;
    return plan;
  }

  bool is_far_ahead() const { return parsing_.size() >= kBlocksAhead || bytes_ahead_ >= kBytesAhead; }

  Status submit(CsvBlock block) {
    auto bytes = block.text.size();
    auto parse = [block = std::move(block), plan = plan_] { return parse_block(block, *plan); };
    LO_ARROW_ASSIGN(auto parsed, arrow::internal::GetCpuThreadPool()->Submit(std::move(parse)), "read the CSV");
    parsing_.push_back({std::move(parsed), bytes});
    bytes_ahead_ += bytes;
    return {};
  }

  Status write_next(TableWriter& writer) {
    if (stop_.stop_requested()) return cancelled();
    auto next = std::move(parsing_.front());
    parsing_.pop_front();
    bytes_ahead_ -= next.bytes;
    LO_ARROW_ASSIGN(auto block, next.parsed.MoveResult(), "read the CSV");
    if (block.error) return fail(*std::move(block.error));
    if (block.fault) return fail_row(*block.fault);
    LO_TRY(writer.write(*block.batch));
    rows_ = writer.rows();
    add_guesses(block.guesses);
    if (progress_) progress_({blocks_.source().bytes_taken(), blocks_.source().bytes_total(), rows_});
    return {};
  }

  void add_guesses(const std::vector<TypeSet>& guesses) {
    if (guesses_.empty()) guesses_ = guesses;
    for (std::size_t i = 0; i < guesses.size(); ++i) guesses_[i] = merge(guesses_[i], guesses[i]);
  }

  std::unexpected<Error> fail_row(const RowFault& fault) const {
    return fail(Code::unacceptable, fmt::format("row {}, {}", rows_ + fault.row + 1, fault.detail));
  }

  const CsvOptions& options_;
  const Progress& progress_;
  const std::stop_token stop_;
  const arrow::csv::ParseOptions parse_options_;
  CsvBlocks blocks_;
  std::shared_ptr<const CsvPlan> plan_;
  std::deque<Parsing> parsing_;
  std::size_t bytes_ahead_ = 0;
  std::int64_t rows_ = 0;
  std::vector<TypeSet> guesses_;
};

// Removes a file with its owner.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The types are known at the end of the file alone, so the texts are written first and converted then.
Result<store::Manifest> ingest_inferred(Ingest& ingest, const std::filesystem::path& to, std::stop_token stop) {
  TemporaryFile texts(to.string() + ".texts");
  LO_TRY(ingest.run(texts.path()));
  return cast(texts.path(), ingest.inferred(), to, std::move(stop));
}

}  // namespace

Result<store::Manifest> ingest_csv(CsvText csv, const std::filesystem::path& parquet_out, const Progress& progress, std::stop_token stop) {
  return guarded("read the CSV", [&]() -> Result<store::Manifest> {
    Ingest ingest(std::move(csv.text), csv.options, progress, stop);
    if (csv.options.infer) return ingest_inferred(ingest, parquet_out, stop);
    return ingest.run(parquet_out);
  });
}

}  // namespace lo::dataset
