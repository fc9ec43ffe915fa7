#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iconv.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/id.h"
#include "dataset/source.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;

struct Encoding {
  std::string_view name;
  const char* iconv_name;  // nullptr: nothing to do
};

constexpr std::array<Encoding, 12> kEncodings{{{"utf-8", nullptr},
                                               {"utf8", nullptr},
                                               {"ascii", nullptr},
                                               {"latin-1", "ISO-8859-1"},
                                               {"latin1", "ISO-8859-1"},
                                               {"iso-8859-1", "ISO-8859-1"},
                                               {"iso-8859-15", "ISO-8859-15"},
                                               {"cp1252", "CP1252"},
                                               {"windows-1252", "CP1252"},
                                               {"utf-16", "UTF-16"},  // by its byte order mark, little-endian without one
                                               {"utf-16le", "UTF-16LE"},
                                               {"utf-16be", "UTF-16BE"}}};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

const Encoding* find_encoding(std::string_view name) {
  auto found = std::ranges::find(kEncodings, lower(name), &Encoding::name);
  return found == kEncodings.end() ? nullptr : &*found;
}

class Converter {
 public:
  explicit Converter(const char* from) : handle_(::iconv_open("UTF-8", from)) {}
  ~Converter() {
    if (valid()) ::iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  // iconv's failure value is (iconv_t)-1.
  bool valid() const { return reinterpret_cast<std::intptr_t>(handle_) != -1; }

  struct Step {
    std::size_t used = 0;
    std::size_t wrote = 0;
    int error = 0;  // 0, E2BIG (more room is needed), EINVAL (cut in the middle of a character), EILSEQ
  };
  Step convert(std::string_view in, std::span<char> out) {
    char* from = const_cast<char*>(in.data());  // NOLINT: iconv takes char** and does not write there
    char* to = out.data();
    std::size_t in_left = in.size();
    std::size_t out_left = out.size();
    auto result = ::iconv(handle_, &from, &in_left, &to, &out_left);
    return {in.size() - in_left, out.size() - out_left, result == static_cast<std::size_t>(-1) ? errno : 0};
  }

 private:
  iconv_t handle_;
};

// The first bytes of a text tell its encoding by their byte order mark, whatever was asked for.
class Utf8Source final : public ByteSource {
 public:
  Utf8Source(Source text, Encoding encoding) : text_(std::move(text)), encoding_(encoding) {}

  Result<std::size_t> read(std::span<char> some) override {
    if (!opened_) LO_TRY(open());
    return converter_ ? convert(some) : pass_on(some);
  }
  std::int64_t bytes_taken() const override { return text_->bytes_taken(); }
  std::optional<std::int64_t> bytes_total() const override { return text_->bytes_total(); }

 private:
  static constexpr std::size_t kMostOfACharacter = 4;

  std::string_view waiting() const { return std::string_view(input_).substr(begin_); }

  Status open() {
    opened_ = true;
    while (input_.size() < 3 && !ended_) LO_TRY(fill());
    bool utf16_mark = input_.starts_with("\xff\xfe") || input_.starts_with("\xfe\xff");
    if (encoding_.iconv_name == nullptr && utf16_mark) encoding_ = *find_encoding("utf-16");
    if (encoding_.iconv_name == nullptr && input_.starts_with("\xef\xbb\xbf")) begin_ = 3;
    if (encoding_.iconv_name == nullptr) return {};
    converter_.emplace(encoding_.iconv_name);
    if (!converter_->valid()) return fail(Code::internal, fmt::format("iconv does not know {}", encoding_.iconv_name));
    return {};
  }

  Status fill() {
    input_.erase(0, std::exchange(begin_, 0));
    auto had = input_.size();
    input_.resize(had + kPiece);
    auto got = text_->read({input_.data() + had, kPiece});
    input_.resize(had + got.value_or(0));
    if (!got) return fail(got.error());
    ended_ = *got == 0;
    return {};
  }

  Result<std::size_t> pass_on(std::span<char> some) {
    if (waiting().empty()) return text_->read(some);
    auto size = std::min(some.size(), waiting().size());
    std::memcpy(some.data(), waiting().data(), size);
    begin_ += size;
    return size;
  }

  Result<std::size_t> convert(std::span<char> some) {
    while (true) {
      if (some.size() < kMostOfACharacter) return fail(Code::internal, "too little room for a character");
      if (waiting().empty() && !ended_) LO_TRY(fill());
      if (waiting().empty()) return 0;
      auto step = converter_->convert(waiting(), some);
      begin_ += step.used;
      offset_ += static_cast<std::int64_t>(step.used);
      if (step.wrote > 0) return step.wrote;
      if (step.error == EILSEQ || (step.error == EINVAL && ended_)) return wrong_byte();
      if (step.error == EINVAL) LO_TRY(fill());
    }
  }

  std::unexpected<Error> wrong_byte() const {
    return fail(Code::unacceptable, fmt::format("byte {} of the file (0x{:02x}) is not {}: give the right `encoding`",
                                                offset_ + 1, static_cast<unsigned char>(waiting().front()), encoding_.name));
  }

  Source text_;
  Encoding encoding_;
  std::optional<Converter> converter_;
  std::string input_;
  std::size_t begin_ = 0;
  bool opened_ = false;
  bool ended_ = false;
  std::int64_t offset_ = 0;  // of the first waiting byte
};

}  // namespace

Result<Source> to_utf8(Source text, std::string_view encoding) {
  LO_TRY(check_encoding(encoding, "/encoding"));
  return std::make_unique<Utf8Source>(std::move(text), *find_encoding(encoding));
}

Status check_encoding(std::string_view encoding, std::string_view pointer) {
  if (find_encoding(encoding) != nullptr) return {};
  std::vector<std::string_view> names;
  for (const auto& known : kEncodings) names.push_back(known.name);
  auto near = nearest(encoding, names);
  auto hint = near.empty() ? fmt::format("known are {}", fmt::join(names, ", ")) : fmt::format("did you mean '{}'?", near);
  return fail_field(Code::unacceptable, std::string(pointer), fmt::format("'{}' is not a known encoding: {}", encoding, hint));
}

}  // namespace lo::dataset
