#include "dataset/arrow_error.h"

#include <arrow/util/io_util.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace lo::dataset {
namespace {

TEST(ArrowError, SaysWhatTheSystemSaid) {
  auto full = from_arrow(arrow::internal::IOErrorFromErrno(ENOSPC, "Error writing bytes to file"), "write the table");
  EXPECT_EQ(full.code, Code::no_space);
  EXPECT_EQ(full.message, "cannot write the table: Error writing bytes to file: No space left on device");
  auto denied = from_arrow(arrow::internal::IOErrorFromErrno(EACCES, "Failed to open 'x'"), "open the table");
  EXPECT_EQ(denied.code, Code::io);
  EXPECT_EQ(denied.message, "cannot open the table: Failed to open 'x': Permission denied");
  EXPECT_EQ(from_arrow(arrow::Status::Invalid("bad"), "read the table").message, "cannot read the table: bad");
  EXPECT_EQ(from_arrow(arrow::Status::Invalid("bad"), "read the table").code, Code::corrupt);
}

}  // namespace
}  // namespace lo::dataset
