#include "dataset/ingest.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "dataset/arrow_error.h"
#include "dataset/cast.h"
#include "dataset/csv_convert.h"
#include "dataset/csv_header.h"
#include "dataset/fields.h"
#include "dataset/pipeline.h"
#include "dataset/sample.h"
#include "dataset/table_file.h"
#include "dataset/table_writer.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

std::shared_ptr<arrow::Schema> schema_of(const std::vector<std::string>& names, const std::vector<Type>& types) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (std::size_t i = 0; i < names.size(); ++i) fields.push_back(arrow::field(names[i], arrow_type(types[i])));
  return arrow::schema(std::move(fields));
}

std::unexpected<Error> fail_row(std::int64_t rows_before, const RowFault& fault) {
  return fail(Code::unacceptable, fmt::format("row {}, {}", rows_before + fault.row + 1, fault.detail));
}

// A CSV text whose header was read.
class Opened {
 public:
  explicit Opened(CsvText csv) : options_(std::move(csv.options)), blocks_(std::move(csv.text), options_.delimiter, kBlockBytes, options_.max_row_bytes) {}

  // Code::unacceptable for a header that will not do. Gives the first block of rows, which may have none.
  Result<CsvBlock> begin() {
    auto header = blocks_.first_row();
    if (looks_like_html(blocks_.beginning())) return fail(Code::unacceptable, "the file is a web page (HTML), not CSV");
    if (!header) return fail(header.error());
    if (!*header) return fail(Code::unacceptable, "the file is empty");
    if (options_.headers.empty()) blocks_.skip_first_row();
    LO_TRY(make_plan(options_.headers.empty() ? **header : options_.headers));
    LO_ASSIGN(auto first, blocks_.next(plan_.names.size()));
    return std::move(first).value_or(CsvBlock{});
  }

  CsvBlocks& blocks() { return blocks_; }
  const CsvOptions& options() const { return options_; }
  const CsvPlan& plan() const { return plan_; }

  // The types of the fields whose types nobody gave.
  void guess(const std::vector<TypeGuess>& guesses) {
    for (std::size_t i = 0; i < guesses.size(); ++i) {
      if (!plan_.guessed[i]) continue;
      plan_.types[i] = guesses[i].narrowest();
      plan_.guessed[i] = !guesses[i].is_settled();
    }
    plan_.schema = schema_of(plan_.names, plan_.types);
  }

 private:
  Status make_plan(const std::vector<std::string>& cells) {
    LO_ASSIGN(plan_.names, field_names(cells, options_));
    for (const auto& name : plan_.names) {
      auto type = options_.types.find(name);
      plan_.types.push_back(type == options_.types.end() ? Type::string : type->second);
      plan_.guessed.push_back(options_.infer && type == options_.types.end());
    }
    plan_.schema = schema_of(plan_.names, plan_.types);
    return check_types(options_.types, fields_of(*plan_.schema));
  }

  const CsvOptions options_;
  CsvPlan plan_;
  CsvBlocks blocks_;
};

// The first block, which is known already, and those that follow; up to one with a fault.
Pieces<CsvBlock> blocks_of(Opened& opened, CsvBlock first) {
  auto next = [&opened, first = std::optional(std::move(first)), ended = false]() mutable -> Result<std::optional<CsvBlock>> {
    if (ended) return std::nullopt;
    auto block = first ? Result<std::optional<CsvBlock>>(std::exchange(first, std::nullopt)) : opened.blocks().next(opened.plan().names.size());
    ended = block && *block && (*block)->fault;
    return block;
  };
  return {.what = "the ingest", .next = std::move(next), .bytes = [](const CsvBlock& block) { return block.text.size(); }};
}

using Written = std::optional<store::Manifest>;  // nothing when a guessed type did not hold

Result<Written> write(CsvText csv, const std::filesystem::path& to, const Progress& progress, std::stop_token stop) {
  Opened opened(std::move(csv));
  LO_ASSIGN(auto first, opened.begin());
  opened.guess(guess_types(first, opened.plan()));
  LO_ASSIGN(auto writer, TableWriter::open(to, opened.plan().schema));
  bool misfit = false;
  auto take = [&](const CsvBlock& block, ConvertedBlock converted) -> Status {
    if (converted.error) return fail(*std::move(converted.error));
    if (converted.fault) return fail_row(writer.rows(), *converted.fault);
    misfit = converted.misfit;
    if (misfit) return fail(Code::conflict, "a guessed type does not hold");
    LO_TRY(writer.write(*converted.batch));
    if (progress) progress({block.bytes_taken, block.bytes_total, writer.rows()});
    return {};
  };
  auto work = [&plan = opened.plan()](const CsvBlock& block) { return convert_block(block, plan); };
  auto status = Pipeline(blocks_of(opened, std::move(first)), std::move(stop), work, take).run();
  if (misfit) return std::nullopt;
  if (!status) return fail(status.error());
  return writer.finish();
}

// The types of all fields, by all values.
Result<Types> examine(CsvText csv, std::stop_token stop) {
  Opened opened(std::move(csv));
  LO_ASSIGN(auto first, opened.begin());
  const auto& plan = opened.plan();
  std::vector<TypeGuess> guesses(plan.names.size());
  std::int64_t rows = 0;
  auto take = [&](const CsvBlock& block, const std::vector<TypeGuess>& found) -> Status {
    if (block.fault) return fail_row(rows, *block.fault);
    rows += block.rows;
    for (std::size_t i = 0; i < found.size(); ++i) guesses[i].add(found[i]);
    return {};
  };
  auto work = [&plan](const CsvBlock& block) { return guess_types(block, plan); };
  LO_TRY(Pipeline(blocks_of(opened, std::move(first)), std::move(stop), work, take).run());
  auto types = opened.options().types;
  for (std::size_t i = 0; i < guesses.size(); ++i)
    if (plan.guessed[i]) types[plan.names[i]] = guesses[i].narrowest();
  return types;
}

// Most often the types of the first block hold to the end; where they do not, all values are looked at before anything is written.
Result<store::Manifest> ingest(CsvText csv, const OpenAgain& again, const std::filesystem::path& to, const Progress& progress, std::stop_token stop) {
  auto options = csv.options;
  LO_ASSIGN(auto written, write(std::move(csv), to, progress, stop));
  auto open_again = [&]() -> Result<CsvText> {
    LO_ASSIGN(auto source, again());
    return open_csv(std::move(source), options);
  };
  if (!written) {
    LO_ASSIGN(auto text, open_again());
    LO_ASSIGN(options.types, examine(std::move(text), stop));
    options.infer = false;
    LO_ASSIGN(text, open_again());
    LO_ASSIGN(written, write(std::move(text), to, progress, stop));
  }
  if (!written) return fail(Code::internal, "a type that was found by all values does not hold");
  return *std::move(written);
}

}  // namespace

Result<store::Manifest> ingest_csv(CsvText csv, const std::filesystem::path& parquet_out, const Progress& progress, std::stop_token stop,
                                   const OpenAgain& again) {
  return guarded("read the CSV", [&] { return ingest(std::move(csv), again, parquet_out, progress, std::move(stop)); });
}

}  // namespace lo::dataset
