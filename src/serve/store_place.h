// Where a server's results are: in its data folder, or in a folder elsewhere, such as a mount that another machine can take over. A store elsewhere
// says whose it is, because a server with another catalog would take everything in it for garbage.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "store/bucket.h"

namespace lo::serve {

// "" when `text` is a folder, file:///… or s3://…, else what is wrong.
std::string is_store(const std::string& text);

// Whether --store names a bucket.
bool is_bucket(const std::string& chosen);

// The results of `data` are in this bucket, of which `data` has a folder of those that were used lately: gives that folder. Notes and refuses as take_store().
// Blocks as long as the bucket takes.
Result<std::filesystem::path> take_bucket(const std::filesystem::path& data, const std::string& chosen, store::Bucket& bucket);

// The folder that --store names: a whole path.
std::filesystem::path store_place(const std::string& chosen);

// The folder of the results of `data`, whose catalog is open. `chosen` is what --store says, "" for the data folder's own. Notes in both that they
// belong together: on disk when it returns. Code::conflict with one line that names --store when they do not, or results lie elsewhere already.
Result<std::filesystem::path> take_store(const std::filesystem::path& data, const std::string& chosen);

// Code::unacceptable when the results of the folder are in a bucket, for what can only work with files.
Status check_store_is_a_folder(const std::filesystem::path& data);

// Where the results of a data folder lie that no server has just now.
std::filesystem::path store_of(const std::filesystem::path& data);

// The catalog of `data` is becoming the one with this id ("": the file in the folder): a store elsewhere is its, too. On disk when it returns.
Status hand_over_store(const std::filesystem::path& data, const std::string& catalog);

}  // namespace lo::serve
