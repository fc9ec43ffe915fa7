#include "serve/store_place.h"

#include <fmt/format.h>

#include "base/data_folder.h"
#include "base/id.h"
#include "serve/backup_files.h"
#include "serve/catalog_place.h"

namespace lo::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScheme = "file://";
constexpr const char* kOwnerKey = "catalog";  // in a bucket: what owner_note() is in a folder

fs::path own_store(const fs::path& data) { return data / "store"; }
fs::path lately_used(const fs::path& data) { return data / "store-cache"; }  // of results that are in a bucket
fs::path place_note(const fs::path& data) { return data / "store.place"; }      // where the store is, when it is elsewhere
fs::path id_note(const fs::path& data) { return data / "catalog.id"; }          // of the catalog in the folder, once somebody had to know it
fs::path owner_note(const fs::path& store) { return store / "catalog"; }        // the id of the catalog that the store belongs to

Status write_note(const fs::path& path, const std::string& text) {
  if (first_line(path) == text) return {};
  LO_TRY(write_whole_file(path, text + "\n"));
  return sync_disk_of(path.parent_path());
}

// What tells the folder's catalog from every other one.
Result<std::string> catalog_id(const fs::path& data, const std::string& noted) {
  if (!noted.empty()) return noted;
  if (auto id = first_line(id_note(data)); !id.empty()) return id;
  auto id = make_token();
  LO_TRY(write_note(id_note(data), id));
  return id;
}

bool has_results(const fs::path& store) {
  std::error_code error;
  for (fs::directory_iterator it(store / "objects", error), end; !error && it != end; it.increment(error))
    if (!fs::is_empty(it->path(), error)) return true;
  return false;
}

Result<fs::path> take_own(const fs::path& data) {
  auto elsewhere = first_line(place_note(data));
  if (elsewhere.empty()) return own_store(data);
  return fail(Code::conflict, fmt::format("the results of {} are in {}: give --store {}", data.string(), elsewhere, elsewhere));
}

Status check_own_is_empty(const fs::path& data, const std::string& chosen) {
  if (!has_results(own_store(data))) return {};
  return fail(Code::conflict, fmt::format("{0} holds results: move it to {1} first, or start without --store", own_store(data).string(), chosen));
}

Status check_mine(const fs::path& data, const fs::path& store, const std::string& id) {
  auto owner = first_line(owner_note(store));
  if (!owner.empty() && owner != id)
    return fail(Code::conflict, fmt::format("the store {} (--store) belongs to another catalog than that of {}", store.string(), data.string()));
  return check_own_is_empty(data, store.string());
}

// The note of whose a bucket is goes there and back by a file.
Result<std::string> read_owner(const fs::path& data, store::Bucket& bucket) {
  LO_ASSIGN(auto there, bucket.size_of(kOwnerKey));
  if (!there) return "";
  auto file = data / "store.owner";
  LO_TRY(bucket.get(kOwnerKey, file));
  auto owner = first_line(file);
  std::error_code ignored;
  fs::remove(file, ignored);
  return owner;
}

Status write_owner(const fs::path& data, store::Bucket& bucket, const std::string& id) {
  auto file = data / "store.owner";
  LO_TRY(write_whole_file(file, id + "\n"));
  auto put = bucket.put(kOwnerKey, file);
  std::error_code ignored;
  fs::remove(file, ignored);
  return put;
}

Status make_folder(const fs::path& store) {
  std::error_code error;
  fs::create_directories(store, error);
  if (error) return fail_errno(fmt::format("the folder {} (--store) cannot be made", store.string()), error.value());
  return {};
}

}  // namespace

std::string is_store(const std::string& text) {
  if (is_bucket(text)) return store::is_bucket_url(text);
  auto path = text.starts_with(kScheme) ? text.substr(kScheme.size()) : text;
  if (!path.contains("://") && (path == text || path.starts_with('/'))) return "";
  return "\"" + text.substr(0, 80) + "\" is neither a folder nor file:///FOLDER nor s3://BUCKET/PREFIX";
}

bool is_bucket(const std::string& chosen) { return chosen.starts_with("s3://"); }

fs::path store_place(const std::string& chosen) {
  return fs::absolute(chosen.starts_with(kScheme) ? chosen.substr(kScheme.size()) : chosen).lexically_normal();
}

Result<fs::path> take_store(const fs::path& data, const std::string& chosen) {
  if (chosen.empty()) return take_own(data);
  auto store = store_place(chosen);
  LO_TRY(make_folder(store));
  LO_ASSIGN(auto id, catalog_id(data, noted_catalog(data)));
  LO_TRY(check_mine(data, store, id));
  LO_TRY(write_note(owner_note(store), id));
  LO_TRY(write_note(place_note(data), store.string()));
  return store;
}

Result<fs::path> take_bucket(const fs::path& data, const std::string& chosen, store::Bucket& bucket) {
  LO_ASSIGN(auto id, catalog_id(data, noted_catalog(data)));
  LO_TRY(check_own_is_empty(data, chosen));
  LO_ASSIGN(auto owner, read_owner(data, bucket));
  if (!owner.empty() && owner != id)
    return fail(Code::conflict, fmt::format("the store {} (--store) belongs to another catalog than that of {}", chosen, data.string()));
  if (owner.empty()) LO_TRY(write_owner(data, bucket, id));
  LO_TRY(write_note(place_note(data), chosen));
  return lately_used(data);
}

fs::path store_of(const fs::path& data) {
  auto elsewhere = first_line(place_note(data));
  return elsewhere.empty() ? own_store(data) : fs::path(elsewhere);
}

Status check_store_is_a_folder(const fs::path& data) {
  auto elsewhere = first_line(place_note(data));
  if (!is_bucket(elsewhere)) return {};
  return fail(Code::unacceptable, fmt::format("the results of {} are in a bucket, {}, which this command cannot copy: back that up by its own means", data.string(), elsewhere));
}

Status hand_over_store(const fs::path& data, const std::string& catalog) {
  auto elsewhere = first_line(place_note(data));
  if (elsewhere.empty()) return {};
  LO_ASSIGN(auto id, catalog_id(data, catalog));
  if (!is_bucket(elsewhere)) return write_note(owner_note(elsewhere), id);
  LO_ASSIGN(auto bucket, store::open_s3_bucket(elsewhere));
  return write_owner(data, *bucket, id);
}

}  // namespace lo::serve
