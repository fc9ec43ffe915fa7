#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <algorithm>
#include <cstring>
#include <vector>

#include "dataset/arrow_error.h"
#include "dataset/source.h"
#include "dataset/zip.h"

namespace lo::dataset {
namespace {

using arrow::util::Codec;
using arrow::util::Decompressor;

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::size_t kMagicBytes = 4;

enum class Packing { none, gzip, zstd, zip };

Packing packing_of(std::string_view start) {
  if (start.starts_with("\x1f\x8b")) return Packing::gzip;
  if (start.starts_with("\x28\xb5\x2f\xfd")) return Packing::zstd;
  if (start.starts_with("PK\x03\x04") || start.starts_with("PK\x05\x06")) return Packing::zip;
  return Packing::none;
}

const std::uint8_t* bytes_of(const char* text) { return reinterpret_cast<const std::uint8_t*>(text); }

class UnpackSource final : public ByteSource {
 public:
  UnpackSource(Source packed, const UnpackLimits& limits) : packed_(std::move(packed)), limits_(limits) {}

  Result<std::size_t> read(std::span<char> some) override {
    if (!opened_) LO_TRY(open());
    auto got = decompressor_ ? inflate(some) : pass_on(some);
    if (!got) return got;
    unpacked_ += static_cast<std::int64_t>(*got);
    LO_TRY(check_limits());
    return got;
  }
  std::int64_t bytes_taken() const override { return packed_->bytes_taken(); }
  std::optional<std::int64_t> bytes_total() const override { return packed_->bytes_total(); }

 private:
  std::string_view waiting() const { return std::string_view(input_).substr(begin_); }

  Status open() {
    opened_ = true;
    while (input_.size() < kMagicBytes && !ended_) LO_TRY(fill());
    packing_ = packing_of(input_);
    if (packing_ == Packing::none) return {};
    if (packing_ == Packing::zip) {
      packed_ = read_zip(read_again(std::exchange(input_, {}), std::move(packed_)));
      return {};
    }
    LO_ARROW_ASSIGN(codec_, Codec::Create(packing_ == Packing::gzip ? arrow::Compression::GZIP : arrow::Compression::ZSTD),
                    "unpack the file");
    LO_ARROW_ASSIGN(decompressor_, codec_->MakeDecompressor(), "unpack the file");
    return {};
  }

  // Appends a piece of packed bytes to what is waiting.
  Status fill() {
    input_.erase(0, std::exchange(begin_, 0));
    auto had = input_.size();
    input_.resize(had + kPiece);
    auto got = packed_->read({input_.data() + had, kPiece});
    input_.resize(had + got.value_or(0));
    if (!got) return fail(got.error());
    ended_ = *got == 0;
    return {};
  }

  Result<std::size_t> pass_on(std::span<char> some) {
    if (waiting().empty()) return packed_->read(some);
    auto size = std::min(some.size(), waiting().size());
    std::memcpy(some.data(), waiting().data(), size);
    begin_ += size;
    return size;
  }

  Result<std::size_t> inflate(std::span<char> some) {
    while (true) {
      if (waiting().empty() && !ended_) LO_TRY(fill());
      if (waiting().empty()) return at_end();
      if (decompressor_->IsFinished()) LO_ARROW_TRY(decompressor_->Reset(), "unpack the file");
      LO_ASSIGN(auto wrote, step(some));
      if (wrote > 0) return wrote;
    }
  }

  Result<std::size_t> step(std::span<char> some) {
    auto result =
        decompressor_->Decompress(static_cast<std::int64_t>(waiting().size()), bytes_of(waiting().data()),
                                  static_cast<std::int64_t>(some.size()), reinterpret_cast<std::uint8_t*>(some.data()));
    if (!result.ok()) return damaged(result.status().message());
    begin_ += static_cast<std::size_t>(result->bytes_read);
    if (result->bytes_read > 0 || result->bytes_written > 0) return static_cast<std::size_t>(result->bytes_written);
    if (ended_) return damaged("it ends early");
    LO_TRY(fill());
    return 0;
  }

  Result<std::size_t> at_end() {
    if (decompressor_->IsFinished()) return 0;
    return damaged("it ends early");
  }

  std::unexpected<Error> damaged(std::string_view why) const {
    return fail(Code::unacceptable, fmt::format("the {} file is damaged after {} unpacked bytes: {}",
                                                packing_ == Packing::gzip ? "gzip" : "zstd", unpacked_, why));
  }

  Status check_limits() const {
    if (unpacked_ > limits_.max_bytes)
      return fail(Code::too_large, fmt::format("the file has more than {} bytes", limits_.max_bytes));
    auto taken = std::max<std::int64_t>(packed_->bytes_taken(), 1);
    if (packing_ != Packing::none && unpacked_ > limits_.ratio_from &&
        static_cast<double>(unpacked_) / static_cast<double>(taken) > limits_.max_ratio)
      return fail(Code::too_large,
                  fmt::format("the packed file grows more than {:.0f} times when it is unpacked ({} bytes gave {})",
                              limits_.max_ratio, taken, unpacked_));
    return {};
  }

  Source packed_;  // of a zip archive what is in it
  const UnpackLimits limits_;
  std::string input_;  // packed bytes; those before begin_ are used
  std::size_t begin_ = 0;
  bool opened_ = false;
  bool ended_ = false;
  Packing packing_ = Packing::none;
  std::unique_ptr<Codec> codec_;
  std::shared_ptr<Decompressor> decompressor_;
  std::int64_t unpacked_ = 0;
};

}  // namespace

Source unpack(Source packed, const UnpackLimits& limits) { return std::make_unique<UnpackSource>(std::move(packed), limits); }

}  // namespace lo::dataset
