#include "dataset/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <fmt/format.h>
#include <vector>

#include "dataset/shown.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

std::unexpected<Error> refuse(std::string why) { return fail(Code::unacceptable, std::move(why)); }

class ZipSource final : public ByteSource {
 public:
  explicit ZipSource(Source packed) : packed_(std::move(packed)) {}

  Result<std::size_t> read(std::span<char> some) override {
    if (!reader_) LO_TRY(open());
    if (ended_) return 0;
    auto got = archive_read_data(reader_.get(), some.data(), some.size());
    if (got > 0) return static_cast<std::size_t>(got);
    if (got < 0) return problem();
    ended_ = true;
    LO_ASSIGN(auto another, next_file());
    if (another) return refuse(fmt::format("the zip archive has more than one file: {} and {}", shown(name_), shown(*another)));
    return 0;
  }
  std::int64_t bytes_taken() const override { return packed_->bytes_taken(); }
  std::optional<std::int64_t> bytes_total() const override { return packed_->bytes_total(); }

 private:
  Status open() {
    reader_.reset(archive_read_new());
    if (!reader_ || archive_read_support_format_zip_streamable(reader_.get()) != ARCHIVE_OK ||
        archive_read_open(reader_.get(), this, nullptr, &ZipSource::on_read, nullptr) != ARCHIVE_OK)
      return reader_ ? Status(problem()) : Status(fail(Code::internal, "libarchive could not start"));
    LO_ASSIGN(auto file, next_file());
    if (!file) return refuse("the zip archive has no file");
    name_ = *std::move(file);
    if (name_ == "[Content_Types].xml" || name_ == "mimetype")
      return fail(Code::unsupported_media, "the file is a spreadsheet or another document, which is a zip archive: save it as CSV");
    return {};
  }

  // The name of the next file in the archive; nothing at its end.
  Result<std::optional<std::string>> next_file() {
    archive_entry* entry = nullptr;
    for (;;) {
      auto status = archive_read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) return std::nullopt;
      if (status < ARCHIVE_WARN) return problem();
      const char* path = archive_entry_pathname(entry);
      std::string name = path == nullptr ? "" : path;
      if (archive_entry_filetype(entry) == AE_IFDIR || name.starts_with("__MACOSX/") || name.ends_with(".DS_Store")) continue;
      if (archive_entry_is_encrypted(entry) != 0)
        return fail(Code::unsupported_media, fmt::format("{} in the zip archive is encrypted", shown(name)));
      return name;
    }
  }

  std::unexpected<Error> problem() {
    if (unread_) return std::unexpected(*std::exchange(unread_, std::nullopt));
    const char* why = archive_error_string(reader_.get());
    return refuse(fmt::format("the zip archive is damaged: {}", why == nullptr ? "it ends early" : why));
  }

  static la_ssize_t on_read(archive* reader, void* self, const void** bytes) {
    auto& source = *static_cast<ZipSource*>(self);
    auto got = source.packed_->read(source.piece_);
    *bytes = source.piece_.data();
    if (got) return static_cast<la_ssize_t>(*got);
    source.unread_ = got.error();
    archive_set_error(reader, EIO, "%s", "unread");
    return ARCHIVE_FATAL;
  }

  Source packed_;
  std::vector<char> piece_ = std::vector<char>(kPiece);
  std::optional<Error> unread_;  // what `packed_` said instead of bytes
  std::unique_ptr<archive, FreeArchive> reader_;  // goes before what it reads
  std::string name_;
  bool ended_ = false;
};

}  // namespace

Source read_zip(Source packed) { return std::make_unique<ZipSource>(std::move(packed)); }

}  // namespace lo::dataset
