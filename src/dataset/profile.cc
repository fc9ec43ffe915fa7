#include "dataset/profile.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>

#include "dataset/arrow_error.h"
#include "dataset/field_profile.h"
#include "dataset/group_ranges.h"
#include "dataset/table_cache.h"
#include "dataset/table_file.h"

namespace lo::dataset {
namespace {

constexpr std::string_view kWhat = "the profile";

struct Piece {
  int field;
  GroupRange groups;
};

// Of each of the fields all ranges of groups, one field after the other.
Pieces<Piece> pieces_of(std::vector<int> fields, int groups) {
  auto next = [fields = std::move(fields), groups, at = std::size_t{0}, ranges = group_ranges(groups, "")]() mutable -> Result<std::optional<Piece>> {
    while (at < fields.size()) {
      LO_ASSIGN(auto range, ranges.next());
      if (range) return Piece{fields[at], *range};
      ++at;
      ranges = group_ranges(groups, "");
    }
    return std::nullopt;
  };
  return {.what = std::string(kWhat), .next = std::move(next), .bytes = [](const Piece&) { return std::size_t{0}; }};
}

using Documents = std::map<int, std::shared_ptr<const json::object>>;  // by field

class Profiler {
 public:
  Profiler(std::filesystem::path path, const TableReader& table, TableCache& known) : path_(std::move(path)), table_(table), known_(known) {}

  Result<Documents> run(const std::vector<int>& fields, std::stop_token stop) const {
    Documents documents;
    for (auto field : fields) documents[field] = tell(field, FieldProfile(type_of(field)));  // of a table without rows
    std::optional<FieldProfile> whole;
    auto take = [&](const Piece& piece, const Result<Part>& part) -> Status {
      if (!part) return fail(part.error());
      if (piece.groups.begin == 0) whole.emplace(type_of(piece.field));
      whole->merge(std::move(**part));
      if (piece.groups.end == table_.groups()) documents[piece.field] = tell(piece.field, *whole);
      return {};
    };
    auto work = [this](const Piece& piece) { return guarded("read the table", [&] { return look_at(piece); }); };
    LO_TRY(Pipeline(pieces_of(fields, table_.groups()), std::move(stop), work, take).run());
    return documents;
  }

 private:
  using Part = std::shared_ptr<FieldProfile>;

  std::shared_ptr<arrow::DataType> type_of(int field) const { return table_.schema()->field(field)->type(); }

  std::shared_ptr<const json::object> tell(int field, const FieldProfile& found) const {
    return std::make_shared<const json::object>(found.document(table_.schema()->field(field)->name()));
  }

  Result<Part> look_at(const Piece& piece) const {
    LO_ASSIGN(auto reader, TableReader::open(path_, &known_));
    auto part = std::make_shared<FieldProfile>(type_of(piece.field));
    for (int group = piece.groups.begin; group < piece.groups.end; ++group) LO_TRY(look_at(reader, group, piece.field, *part));
    return part;
  }

  static Status look_at(TableReader& reader, int group, int field, FieldProfile& part) {
    if (part.knows_values()) {
      LO_ASSIGN(auto counts, reader.count_listed(group, field));
      if (counts) {
        part.add(*counts);
        return {};
      }
    }
    LO_ASSIGN(auto batch, reader.read(group, std::vector<int>{field}));
    return part.add(batch->column(0));
  }

  const std::filesystem::path path_;
  const TableReader& table_;
  TableCache& known_;
};

std::string key_of(const std::filesystem::path& table, int field) { return fmt::format("{}:{}", table.string(), field); }

std::size_t weight_of(const json::object& document) {
  constexpr std::size_t kInMemory = 4;  // bytes for each of its text
  return kInMemory * write_json(document).size();
}

// Those of `fields` that are kept.
Documents kept(ProfileCache* cache, const std::filesystem::path& table, const std::vector<int>& fields) {
  Documents documents;
  if (cache == nullptr) return documents;
  for (auto field : fields)
    if (auto known = cache->fields.find(key_of(table, field))) documents[field] = *std::move(known);
  return documents;
}

std::vector<int> all_fields(const TableReader& table) {
  std::vector<int> all(static_cast<std::size_t>(table.schema()->num_fields()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

Result<json::object> profile(const std::filesystem::path& table, const std::vector<std::string>& names, std::stop_token stop, ProfileCache* cache) {
  TableCache known(0);  // what the file says of itself, for the readers that work side by side
  LO_ASSIGN(auto reader, TableReader::open(table, &known));
  LO_ASSIGN(auto named, reader.indexes_of(names, "fields"));
  auto fields = named ? *std::move(named) : all_fields(reader);
  auto documents = kept(cache, table, fields);
  std::vector<int> unknown;
  std::ranges::copy_if(fields, std::back_inserter(unknown), [&](int field) { return !documents.contains(field); });
  LO_ASSIGN(auto found, Profiler(table, reader, known).run(unknown, std::move(stop)));
  for (auto& [field, document] : found) {
    if (cache != nullptr) cache->fields.put(key_of(table, field), document, weight_of(*document));
    documents[field] = std::move(document);
  }
  json::array shown;
  for (auto field : fields) shown.push_back(*documents[field]);
  return json::object{{"rows", reader.rows()}, {"fields", std::move(shown)}};
}

}  // namespace lo::dataset
