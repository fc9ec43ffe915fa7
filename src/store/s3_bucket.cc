#include <arrow/buffer.h>
#include <arrow/config.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/io/file.h>
#include <arrow/util/io_util.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <mutex>
#include <regex>

#include "base/text.h"
#include "store/bucket.h"

namespace lo::store {
namespace {

namespace fs = std::filesystem;
using arrow::fs::FileSystem;
using arrow::fs::FileType;

constexpr std::int64_t kPiece = 8 << 20;

// Beside libarrow.so.N there is libarrow_s3.so.N in the same wheel.
fs::path s3_library() {
  Dl_info info{};
  ::dladdr(reinterpret_cast<const void*>(&arrow::GetBuildInfo), &info);
  fs::path arrow(info.dli_fname == nullptr ? "" : info.dli_fname);
  auto name = arrow.filename().string();
  return arrow.parent_path() / ("libarrow_s3" + name.substr(name.find('.')));
}

Status load_library() {
  static std::mutex mutex;
  static bool is_loaded = false;
  std::lock_guard lock(mutex);
  if (is_loaded) return {};
  auto loaded = arrow::fs::LoadFileSystemFactories(s3_library().c_str());
  if (!loaded.ok()) return fail(Code::unacceptable, fmt::format("--store: this program has no library for S3: {}", printable(loaded.message())));
  is_loaded = true;
  return {};
}

// AWS's words are long, and name the request by a number of its own.
std::string short_reason(const arrow::Status& status) {
  auto text = printable(status.message());
  auto from = text.find("AWS Error ");
  text = from == std::string::npos ? text : text.substr(from);
  return text.substr(0, text.find(" (Request ID"));
}

std::unexpected<Error> lost(std::string_view doing, const arrow::Status& status) {
  return fail(Error{.code = Code::unavailable, .message = fmt::format("the store (--store) cannot be asked now: {}: {}", doing, short_reason(status)), .internal = status.ToString()});
}

class S3Bucket final : public Bucket {
 public:
  S3Bucket(std::shared_ptr<FileSystem> files, std::string place) : files_(std::move(files)), place_(std::move(place)) {}

  Result<std::optional<std::int64_t>> size_of(const std::string& key) override {
    auto info = files_->GetFileInfo(path_of(key));
    if (!info.ok()) return lost("looking for a file", info.status());
    if (info->type() != FileType::File) return std::nullopt;
    return info->size();
  }

  Status put(const std::string& key, const fs::path& file) override {
    auto in = arrow::io::ReadableFile::Open(file.string());
    if (!in.ok()) return fail(Code::io, fmt::format("{} cannot be read: {}", file.string(), in.status().message()));
    auto out = files_->OpenOutputStream(path_of(key));
    if (!out.ok()) return lost("writing a file", out.status());
    auto copied = copy(**in, **out);
    if (copied.ok()) copied = (*out)->Close();
    if (copied.ok()) return {};
    (void)(*out)->Abort();
    return lost("writing a file", copied);
  }

  Status get(const std::string& key, const fs::path& file) override {
    auto in = files_->OpenInputStream(path_of(key));
    if (!in.ok() && arrow::internal::ErrnoFromStatus(in.status()) == ENOENT) return fail(Code::not_found, "the store (--store) has no such file");
    if (!in.ok()) return lost("reading a file", in.status());
    auto out = arrow::io::FileOutputStream::Open(file.string());
    if (!out.ok()) return fail(Code::io, fmt::format("{} cannot be written: {}", file.string(), out.status().message()));
    auto copied = copy(**in, **out);
    if (!copied.ok()) return lost("reading a file", copied);
    if (auto closed = (*out)->Close(); !closed.ok()) return fail(Code::io, fmt::format("{} cannot be written: {}", file.string(), closed.message()));
    return {};
  }

  Status remove(const std::string& key) override {
    auto removed = files_->DeleteFile(path_of(key));
    if (removed.ok() || arrow::internal::ErrnoFromStatus(removed) == ENOENT) return {};
    return lost("removing a file", removed);
  }

  Result<std::vector<std::string>> list(const std::string& prefix) override {
    arrow::fs::FileSelector selector;
    selector.base_dir = path_of(prefix.substr(0, prefix.size() - 1));
    selector.recursive = true;
    selector.allow_not_found = true;
    auto found = files_->GetFileInfo(selector);
    if (!found.ok()) return lost("listing files", found.status());
    std::vector<std::string> keys;
    for (const auto& info : *found)
      if (info.type() == FileType::File) keys.push_back(info.path().substr(place_.size() + 1));
    return keys;
  }

 private:
  std::string path_of(const std::string& key) const { return place_ + "/" + key; }

  static arrow::Status copy(arrow::io::InputStream& in, arrow::io::OutputStream& out) {
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(auto piece, in.Read(kPiece));
      if (piece->size() == 0) return arrow::Status::OK();
      ARROW_RETURN_NOT_OK(out.Write(piece));
    }
  }

  const std::shared_ptr<FileSystem> files_;
  const std::string place_;  // "BUCKET/PREFIX"
};

}  // namespace

std::string is_bucket_url(const std::string& text) {
  static const std::regex url("s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?");
  return std::regex_match(text, url) ? "" : "\"" + printable(text.substr(0, 80)) + "\" is not of the form s3://BUCKET/PREFIX";
}

Result<std::unique_ptr<Bucket>> open_s3_bucket(const std::string& url) {
  LO_TRY(load_library());
  auto trimmed = url.ends_with('/') ? url.substr(0, url.size() - 1) : url;
  std::string place;
  auto files = arrow::fs::FileSystemFromUri(trimmed, &place);
  if (!files.ok()) return fail(Code::unacceptable, fmt::format("--store {}: {}", printable(url), short_reason(files.status())));
  auto bucket = (*files)->GetFileInfo(place.substr(0, place.find('/')));
  if (!bucket.ok()) return fail(Code::unacceptable, fmt::format("--store {}: {}", printable(url), short_reason(bucket.status())));
  if (bucket->type() == FileType::NotFound) return fail(Code::unacceptable, fmt::format("--store {}: there is no such bucket", printable(url)));
  return std::make_unique<S3Bucket>(*std::move(files), std::move(place));
}

void finish_buckets() { arrow::fs::EnsureFinalized(); }

}  // namespace lo::store
