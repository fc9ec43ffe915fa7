// Bytes that are pulled: a file, a download, and what unpacks or recodes another source. Memory stays bounded, because
// nothing is read before it is asked for.
//
// Threads: one at a time; read() blocks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"

namespace lo::dataset {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // At most `some.size()` (> 0) bytes into `some`; 0 at the end.
  virtual Result<std::size_t> read(std::span<char> some) = 0;

  // For progress: bytes taken so far from where the data comes (still packed), and all there are, where that is known.
  virtual std::int64_t bytes_taken() const = 0;
  virtual std::optional<std::int64_t> bytes_total() const = 0;
};

using Source = std::unique_ptr<ByteSource>;

// A regular file, opened without following a link. Code::io or Code::not_found naming the path.
Result<Source> open_file(const std::filesystem::path& path);

// A text in memory.
Source open_text(std::string text);

// `begun`, which was read from `rest` before, then what is left in it.
Source read_again(std::string begun, Source rest);

// A source, and its bytes from the start once more, at any time and as often as wanted; one of them at a time.
struct Repeatable {
  Source source;
  std::function<Result<Source>()> again;
};

// For a source that gives its bytes but once: what is read is kept in `copy`, a file that does not exist yet. again() reads what is left first.
// The file stays. Code::no_space when the disk is full.
Repeatable keep_copy(Source source, const std::filesystem::path& copy);

struct UnpackLimits {
  std::int64_t max_bytes = std::int64_t{1} << 40;     // unpacked: Code::too_large above
  double max_ratio = 300;                             // unpacked to packed: Code::too_large above …
  std::int64_t ratio_from = std::int64_t{256} << 20;  // … once that many bytes were unpacked
};

// What `packed` holds, unpacked when its first bytes are those of gzip or zstd (several members in a row are one text) or zip (one file, see
// zip.h), as it is otherwise; max_bytes holds for all. A packed file that ends early or is damaged: Code::unacceptable.
Source unpack(Source packed, const UnpackLimits& limits = {});

// Text in `encoding` ("utf-8", "latin-1", "cp1252", "utf-16", …) as UTF-8. A byte order mark is
// dropped, and one of UTF-16 wins over "utf-8". Code::unacceptable naming the byte for what does not decode; text said to be
// UTF-8 is passed on unchecked.
Result<Source> to_utf8(Source text, std::string_view encoding);

// Code::unacceptable at `pointer`, naming the encoding and the nearest known one.
Status check_encoding(std::string_view encoding, std::string_view pointer);

}  // namespace lo::dataset
