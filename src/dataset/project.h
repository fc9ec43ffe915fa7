// transform/projection: some fields of a table as a table of their own.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "store/manifest.h"

namespace lo::dataset {

// All `names` are fields, none twice, at least one. Code::unacceptable at "/names/<i>", naming the nearest field.
Status check_projection(std::span<const std::string> names, std::span<const store::Field> fields);

// Copies the columns `names`, in that order, row group by row group; nothing is parsed again. `to` must not exist; it is
// removed on error. Gives a draft for store::publish. Errors of check_projection; Code::cancelled, Code::no_space,
// Code::corrupt. Blocks.
Result<store::Manifest> project(const std::filesystem::path& from, std::span<const std::string> names,
                                const std::filesystem::path& to, std::stop_token stop = {});

}  // namespace lo::dataset
