// Files by key in a bucket elsewhere, such as Amazon's S3 or what speaks like it. Every function blocks; any thread, any number at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace lo::store {

class Bucket {
 public:
  virtual ~Bucket() = default;

  // Nothing when there is none of this key. Errors of all functions: Code::unavailable when the bucket cannot be asked now, after some tries.
  virtual Result<std::optional<std::int64_t>> size_of(const std::string& key) = 0;

  // The whole file or nothing of it becomes the key's content, in several parts where it is long.
  virtual Status put(const std::string& key, const std::filesystem::path& file) = 0;

  // Code::not_found when there is none of this key. What it writes to may be cut short: whoever knows a digest looks.
  virtual Status get(const std::string& key, const std::filesystem::path& file) = 0;

  virtual Status remove(const std::string& key) = 0;  // success also when there is none

  // All keys that begin with `prefix`, which ends with a slash.
  virtual Result<std::vector<std::string>> list(const std::string& prefix) = 0;
};

// "" when `text` is s3://BUCKET or s3://BUCKET/PREFIX, else what is wrong.
std::string is_bucket_url(const std::string& text);

// The one at s3://BUCKET/PREFIX, by Arrow's library for S3, which is loaded now; keys are below PREFIX. Credentials, region and address come from the environment, as for all of AWS's
// tools. Code::unacceptable with one line when there is no such bucket, or it is not ours to read. Blocks.
Result<std::unique_ptr<Bucket>> open_s3_bucket(const std::string& url);

// Before the process ends by itself, once all buckets are gone: Arrow's library for S3 asks for it. None can be opened afterwards.
void finish_buckets();

}  // namespace lo::store
