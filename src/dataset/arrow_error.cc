#include "dataset/arrow_error.h"

#include <arrow/util/io_util.h>
#include <fmt/format.h>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>

namespace lo::dataset {
namespace {

Code code_of(const arrow::Status& status) {
  if (arrow::internal::ErrnoFromStatus(status) == ENOSPC) return Code::no_space;
  if (status.IsInvalid() || status.IsSerializationError()) return Code::corrupt;
  if (status.IsOutOfMemory()) return Code::too_large;
  if (status.IsCancelled()) return Code::cancelled;
  return Code::io;
}

// Arrow keeps what the system said apart from its message.
std::string message_of(const arrow::Status& status) {
  auto number = arrow::internal::ErrnoFromStatus(status);
  auto system = std::system_category().message(number);
  if (number == 0 || status.message().contains(system)) return status.message();
  return fmt::format("{}: {}", status.message(), system);
}

}  // namespace

Error from_arrow(const arrow::Status& status, std::string_view what) {
  return {.code = code_of(status),
          .message = fmt::format("cannot {}: {}", what, message_of(status)),
          .fields = {},
          .internal = status.ToString()};
}

Error from_exception(const std::exception& exception, std::string_view what) {
  auto code = dynamic_cast<const std::bad_alloc*>(&exception) == nullptr ? Code::corrupt : Code::too_large;
  return {.code = code, .message = fmt::format("cannot {}: {}", what, exception.what()), .fields = {}, .internal = {}};
}

}  // namespace lo::dataset
