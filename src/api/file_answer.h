// A stored file as an answer.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "api/context.h"
#include "http/message.h"

namespace lo::api {

struct FileAnswer {
  std::filesystem::path path;
  std::string content_type;
  std::string file_name;  // "" shows it in place; otherwise it is saved under this name
  std::string digest;     // its entity tag
  std::shared_ptr<void> keep = {};  // lives until the last byte is sent
};

// 200 with the file, read on the pool piece by piece as the client takes it; 304 when If-None-Match names its digest. The file is open
// when this returns, so that deleting the step does no harm. Code::io. On the handler's strand.
Awaitable<Result<http::Response>> answer_with_file(const Context& context, const http::Request& request, FileAnswer file);

}  // namespace lo::api
