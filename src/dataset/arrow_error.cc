#include "dataset/arrow_error.h"

#include <arrow/util/io_util.h>
#include <fmt/format.h>
#include <cerrno>
#include <new>

namespace lo::dataset {
namespace {

Code code_of(const arrow::Status& status) {
  if (arrow::internal::ErrnoFromStatus(status) == ENOSPC) return Code::no_space;
  if (status.IsInvalid() || status.IsSerializationError()) return Code::corrupt;
  if (status.IsOutOfMemory()) return Code::too_large;
  if (status.IsCancelled()) return Code::cancelled;
  return Code::io;
}

}  // namespace

Error from_arrow(const arrow::Status& status, std::string_view what) {
  return {.code = code_of(status),
          .message = fmt::format("cannot {}: {}", what, status.message()),
          .fields = {},
          .internal = status.ToString()};
}

Error from_exception(const std::exception& exception, std::string_view what) {
  auto code = dynamic_cast<const std::bad_alloc*>(&exception) == nullptr ? Code::corrupt : Code::too_large;
  return {.code = code, .message = fmt::format("cannot {}: {}", what, exception.what()), .fields = {}, .internal = {}};
}

}  // namespace lo::dataset
