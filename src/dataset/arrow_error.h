// The border to Arrow: its Status and the exceptions of Parquet as our errors.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <exception>
#include <string_view>

#include "base/error.h"

namespace lo::dataset {

// `what` says what was tried, e.g. "read rows.parquet". A full disk is Code::no_space, bad data Code::corrupt, the rest
// Code::io.
Error from_arrow(const arrow::Status& status, std::string_view what);

// Runs `work`, a function giving a Result, and turns what it throws into an error.
template <class Work>
auto guarded(std::string_view what, Work&& work) -> decltype(work());

Error from_exception(const std::exception& exception, std::string_view what);

template <class Work>
auto guarded(std::string_view what, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& exception) {
    return fail(from_exception(exception, what));
  }
}

}  // namespace lo::dataset

// As LO_TRY and LO_ASSIGN, of arrow::Status and arrow::Result.
#define LO_ARROW_TRY(expression, what)                                 \
  do {                                                                 \
    if (auto lo_arrow_status = (expression); !lo_arrow_status.ok())    \
      return lo::fail(lo::dataset::from_arrow(lo_arrow_status, what)); \
  } while (false)

#define LO_ARROW_ASSIGN_INNER(temporary, variable, expression, what)                       \
  auto temporary = (expression);                                                           \
  if (!temporary.ok()) return lo::fail(lo::dataset::from_arrow(temporary.status(), what)); \
  variable = *std::move(temporary)
#define LO_ARROW_ASSIGN(variable, expression, what) \
  LO_ARROW_ASSIGN_INNER(LO_CONCAT(lo_arrow_, __LINE__), variable, expression, what)
