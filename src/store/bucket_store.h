// A store whose files are in a bucket, with those that were used lately in a local folder, where they are mapped as those of a local store are. What
// is not there is read from the bucket, and held against its digest before anybody sees it.
#pragma once

#include <chrono>
#include <functional>

#include "store/bucket.h"
#include "store/store.h"

namespace lo::store {

struct BucketStoreOptions {
  LocalStoreOptions local = {};
  std::int64_t cache_bytes = std::int64_t{10} << 30;  // of the local files: those that were not used for the longest time go
  std::chrono::seconds in_use{600};                   // since its last use a local file stays in any case: a step may be about to open it
  int tries = 3;                                      // to read a file whose content is not what it was
  // Runs work that takes its time: removing what a server before has left in the bucket.
  std::function<void(std::move_only_function<void()>)> later = [](auto work) { work(); };
  std::function<bool()> is_ending = [] { return false; };  // then that work ends soon
};

// `folder` holds the local files. A result is published when the bucket has it: Code::unavailable when that cannot be asked. Objects have the keys
// "objects/<first two digits>/<digest>".
Result<std::unique_ptr<Store>> open_bucket_store(const std::filesystem::path& folder, std::unique_ptr<Bucket> bucket, BucketStoreOptions options = {});

}  // namespace lo::store
