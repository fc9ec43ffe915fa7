// What a result consists of: its kind, its files by digest, and what is known of it without opening them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace lo::store {

enum class Kind {
  none,    // nothing but the fact that it ran
  table,   // part "rows.parquet"; of plain numbers "rows.arrow"
  object,  // part "object.pickle", and "buffers.bin" when it has out-of-band buffers
  model,   // a table of predictions ("rows.parquet") and the fitted model ("model.zip")
  blob,    // one file as it came: "content"
  documents,    // a list of JSON objects: "documents.json"
  environment,  // packages that steps run with: "environment.json"; typeName is the digest that names its folder
};

std::string_view to_string(Kind kind);

// One file of a result. Small ones live in the manifest itself (`inline_data`, at most 64 kB for all parts together), the
// rest in the store under their digest.
struct Part {
  std::string name;         // "rows.parquet"
  std::string digest = {};  // XXH3-128 of the content, 32 hexadecimal digits
  std::int64_t bytes = 0;
  std::optional<std::string> inline_data = {};
};

struct Field {
  std::string name;
  std::string type;  // "string", "number", "integer", "boolean", "timestamp", "list", "other"
  bool operator==(const Field&) const = default;
};

struct Manifest {
  Kind kind = Kind::none;
  std::string type_name =
      {};  // of an object: "sklearn.linear_model._logistic.LogisticRegression"; of a table "" or the frame's class
  std::vector<Part> parts = {};
  std::vector<Field> fields = {};         // of a table
  std::optional<std::int64_t> rows = {};  // of a table

  const Part* part(std::string_view name) const;
  std::int64_t bytes() const;  // of all parts
  std::string digest() const;  // of the whole: over kind and the parts' names and digests
  const Part* rows_part() const;  // "rows.parquet" or "rows.arrow"
  bool is_inline() const;      // it needs no file of the store
  // It has rows: a table, predictions beside a model, trials beside a search.
  bool is_table() const { return kind == Kind::table || kind == Kind::model || rows_part() != nullptr; }
};

// The part that a request's `upload: {digest, bytes}` stands for.
Part uploaded_part(const json::object& upload);

// The content of an inline part as JSON has it: base64.
std::string part_content(const Part& part);

// inline_data travels as base64 in JSON: {kind, typeName, parts: [{name, digest, bytes, inline?}], fields: [{name, type}],
// rows}.
json::object to_json(const Manifest& manifest);
Result<Manifest> manifest_from_json(const json::object& object);

}  // namespace lo::store
