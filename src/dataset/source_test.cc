#include "dataset/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <arrow/util/compression.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Everything that `source` gives, taken `piece` bytes at a time.
Result<std::string> drain(ByteSource& source, std::size_t piece) {
  std::string all;
  std::string some(piece, '\0');
  while (true) {
    auto got = source.read(some);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return all;
    all.append(some, 0, *got);
  }
}

std::string pack(const std::string& text, arrow::Compression::type type) {
  auto codec = arrow::util::Codec::Create(type).ValueOrDie();
  auto bytes = [](const std::string& string) { return reinterpret_cast<const std::uint8_t*>(string.data()); };
  auto size = static_cast<std::int64_t>(text.size());
  std::string packed(static_cast<std::size_t>(codec->MaxCompressedLen(size, bytes(text))), '\0');
  auto used = codec->Compress(size, bytes(text), static_cast<std::int64_t>(packed.size()),
                              reinterpret_cast<std::uint8_t*>(packed.data()));
  packed.resize(static_cast<std::size_t>(used.ValueOrDie()));
  return packed;
}

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i * 7919) + "\n";
  return text;
}

Result<std::string> unpacked(std::string packed, std::size_t piece = 1000, const UnpackLimits& limits = {}) {
  return drain(*unpack(open_text(std::move(packed)), limits), piece);
}

constexpr auto kGzip = arrow::Compression::GZIP;
constexpr auto kZstd = arrow::Compression::ZSTD;

TEST(Unpack, ByContent) {
  auto text = text_of(1 << 20);
  for (std::size_t piece : {1u, 4096u, 5'000'000u}) {
    if (piece == 1) text.resize(3000);
    EXPECT_EQ(unpacked(text, piece), text);
    EXPECT_EQ(unpacked(pack(text, kGzip), piece), text);
    EXPECT_EQ(unpacked(pack(text, kZstd), piece), text);
    if (piece == 1) text = text_of(1 << 20);
  }
  for (std::string tiny : {"", "a", "\x1f", "PK", "\x28\xb5"}) EXPECT_EQ(unpacked(tiny), tiny);
}

TEST(Unpack, SeveralMembersAreOneText) {
  for (auto type : {kGzip, kZstd}) EXPECT_EQ(unpacked(pack("a,b\n", type) + pack("1,2\n", type)), "a,b\n1,2\n");
}

TEST(Unpack, DamageIsSaid) {
  for (auto type : {kGzip, kZstd}) {
    auto packed = pack(text_of(2 << 20), type);
    auto early = unpacked(packed.substr(0, packed.size() / 2));
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, Code::unacceptable);
    EXPECT_THAT(early.error().message, HasSubstr("ends early"));
    if (type == kZstd) continue;  // written without a checksum
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
    EXPECT_FALSE(unpacked(packed));
  }
}

using Files = std::vector<std::pair<std::string, std::string>>;

// A zip archive of these, of which names that end in "/" are folders.
std::string zip_of(const Files& files, const char* options = "") {
  std::string packed(1 << 20, '\0');
  std::size_t used = 0;
  auto* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_set_options(writer, options);
  archive_write_set_passphrase(writer, "secret");
  archive_write_open_memory(writer, packed.data(), packed.size(), &used);
  for (const auto& [name, content] : files) {
    auto* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, name.ends_with('/') ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_write_header(writer, entry);
    archive_write_data(writer, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  packed.resize(used);
  return packed;
}

TEST(Unpack, TheOneFileOfAZipArchive) {
  auto text = text_of(1 << 19);
  for (std::size_t piece : {7u, 4096u, 5'000'000u}) EXPECT_EQ(unpacked(zip_of({{"a.csv", text}}), piece), text);
  EXPECT_EQ(unpacked(zip_of({{"a.csv", text}}, "zip:compression=store")), text);
  EXPECT_EQ(unpacked(zip_of({{"a.csv", text}}, "zip:zip64")), text);
  EXPECT_EQ(unpacked(zip_of({{"data/", ""}, {"data/a.csv", "a\n1\n"}, {"__MACOSX/data/._a.csv", "junk"}, {"data/.DS_Store", "junk"}})), "a\n1\n");
}

TEST(Unpack, OtherZipArchivesAreRefused) {
  auto refusal = [](const Files& files, const char* options = "") { return unpacked(zip_of(files, options)).error(); };
  EXPECT_EQ(refusal({{"a.csv", "a\n1\n"}, {"b.csv", "b\n2\n"}}).message, "the zip archive has more than one file: 'a.csv' and 'b.csv'");
  EXPECT_EQ(refusal({{"folder/", ""}}).message, "the zip archive has no file");
  EXPECT_EQ(refusal({}).code, Code::unacceptable);
  EXPECT_EQ(refusal({{"[Content_Types].xml", "<x/>"}, {"xl/sheet1.xml", "<x/>"}}).code, Code::unsupported_media);
  EXPECT_THAT(refusal({{"a.csv", "a\n1\n"}}, "zip:encryption=aes256").message, HasSubstr("'a.csv' in the zip archive is encrypted"));
}

TEST(Unpack, DamageOfAZipArchiveIsSaid) {
  auto whole = zip_of({{"a.csv", text_of(1 << 19)}});
  auto early = unpacked(whole.substr(0, whole.size() / 2)).error();
  EXPECT_EQ(early.code, Code::unacceptable);
  EXPECT_THAT(early.message, HasSubstr("the zip archive is damaged"));
  auto damaged = whole;
  damaged[whole.size() / 2] = static_cast<char>(damaged[whole.size() / 2] ^ 0x55);
  EXPECT_THAT(unpacked(damaged).error().message, HasSubstr("the zip archive is damaged"));
  auto stored = zip_of({{"a.csv", text_of(1 << 19)}}, "zip:compression=store");
  stored[stored.size() / 2] = static_cast<char>(stored[stored.size() / 2] ^ 0x55);
  EXPECT_THAT(unpacked(stored).error().message, HasSubstr("the zip archive is damaged"));  // by its checksum
  EXPECT_FALSE(unpacked(std::string("PK\x03\x04") + "rest"));
}

TEST(Unpack, BombsAreRefused) {
  UnpackLimits limits{.max_bytes = 64 << 20, .max_ratio = 100, .ratio_from = 1 << 20};
  for (const auto& packed : {pack(std::string(8 << 20, '0'), kGzip), pack(std::string(8 << 20, '0'), kZstd), zip_of({{"a.csv", std::string(8 << 20, '0')}})}) {
    auto bomb = unpacked(packed, 65536, limits);
    ASSERT_FALSE(bomb);
    EXPECT_EQ(bomb.error().code, Code::too_large);
    EXPECT_THAT(bomb.error().message, HasSubstr("100 times"));
  }
  EXPECT_TRUE(unpacked(pack(std::string(900'000, '0'), kGzip), 65536, limits));  // small enough to be let through
  limits = {.max_bytes = 1000};
  EXPECT_EQ(unpacked(text_of(2000), 100, limits).error().code, Code::too_large);
  EXPECT_EQ(unpacked(pack(text_of(2000), kZstd), 100, limits).error().code, Code::too_large);
}

Result<std::string> decoded(std::string text, std::string_view encoding, std::size_t piece = 7) {
  auto source = to_utf8(open_text(std::move(text)), encoding);
  if (!source) return std::unexpected(source.error());
  return drain(**source, piece);
}

TEST(Encoding, ByName) {
  EXPECT_EQ(decoded("Jos\xe9", "latin-1"), "José");
  EXPECT_EQ(decoded("Jos\xe9", "ISO-8859-1"), "José");
  EXPECT_EQ(decoded("\x80uro", "cp1252"), "€uro");
  EXPECT_EQ(decoded("José", "utf-8"), "José");
  EXPECT_EQ(decoded(std::string("\xff\xfe"
                                "a\0\x3d\xd8\x00\xde",
                                8),
                    "utf-16", 4),
            "a\xf0\x9f\x98\x80");  // beyond the first plane
  EXPECT_EQ(decoded(std::string("\xfe\xff\0a", 4), "utf-8"), "a");
  EXPECT_EQ(decoded("\xef\xbb\xbfx", "utf-8", 1), "x");
  EXPECT_EQ(decoded("", "utf-16"), "");
}

TEST(Encoding, LongTextsInPieces) {
  std::string latin(1'000'000, '\xe9');
  std::string utf8;
  for (int i = 0; i < 1'000'000; ++i) utf8 += "é";
  EXPECT_EQ(decoded(latin, "latin-1", 4099), utf8);
}

TEST(Encoding, WrongBytesAreNamed) {
  EXPECT_THAT(decoded("ab\x81", "cp1252").error().message, AllOf(HasSubstr("byte 3"), HasSubstr("0x81"), HasSubstr("cp1252")));
  EXPECT_THAT(decoded("abc", "utf-16le").error().message, HasSubstr("byte 3"));
  auto unknown = decoded("a", "latin-9").error();
  EXPECT_EQ(unknown.code, Code::unacceptable);
  EXPECT_EQ(unknown.fields.at(0).pointer, "/encoding");
}

class File : public FolderTest {};

TEST_F(File, OnlyRegularFiles) {
  auto file = write("x.csv", "abc");
  auto source = open_file(file).value();
  EXPECT_EQ(source->bytes_total(), 3);
  EXPECT_EQ(drain(*source, 2), "abc");
  EXPECT_EQ(source->bytes_taken(), 3);
  std::filesystem::create_symlink(file, path("link"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  for (std::string name : {"link", "fifo", "."}) EXPECT_FALSE(open_file(path(name))) << name;
  EXPECT_EQ(open_file(path("missing")).error().code, Code::not_found);
}

TEST_F(File, ASourceThatIsKeptCanBeReadAgain) {
  std::string text(300'000, 'x');
  text += "end";
  auto kept = keep_copy(open_text(text), path("copy"));
  std::array<char, 10> first{};
  ASSERT_EQ(kept.source->read(first), 10u);
  EXPECT_EQ(kept.source->bytes_total(), static_cast<std::int64_t>(text.size()));
  EXPECT_EQ(drain(*kept.again().value(), 1 << 16), text);  // also what nobody has read yet
  EXPECT_EQ(drain(*kept.again().value(), 1 << 16), text);
  EXPECT_EQ(kept.source->read(first), 0u);
}

TEST_F(File, WhatCannotBeKeptIsAnError) {
  auto kept = keep_copy(open_text("abc"), path("missing") / "copy");
  std::array<char, 10> some{};
  EXPECT_FALSE(kept.source->read(some));
  EXPECT_FALSE(keep_copy(open_text("abc"), write("taken", "mine")).again());
  auto empty = keep_copy(open_text(""), path("empty"));
  EXPECT_EQ(drain(*empty.again().value(), 10), "");
}

}  // namespace
}  // namespace lo::dataset
