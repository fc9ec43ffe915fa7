// What a workflow may say about each service: how its step is named, which members it takes and which of them refer to
// other steps. One table; the server remains the judge of values.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lo::workflow {

struct Service {
  std::string name;                     // "transform/projection"
  std::string_view name_key;                 // the member that names what it makes; "" for transform/dataType
  std::vector<std::string_view> required;    // besides name_key
  std::vector<std::string_view> optional;    // besides the members every service takes
  std::vector<std::string_view> references;  // members whose text is the name of a step
  std::vector<std::string_view> parameters;  // members whose strings may hold "$name", at any depth
  std::string_view code;                     // the member that may name a .py file; ""
  json::object defaults;                     // what a left-out member means
  std::string_view file = "";                // the member that may name a file instead of a URL: it is uploaded; ""
  std::string_view file_type = "";           // as this Content-Type
};

inline constexpr std::string_view kDatasetCsv = "dataset/csv";
inline constexpr std::string_view kDataType = "transform/dataType";
inline constexpr std::string_view kUpload = "upload";
inline constexpr std::string_view kEnvironment = "environment";
inline constexpr std::string_view kBuilder = "builder/sparkml";

std::span<const Service> services();

// nullptr when there is no such service.
const Service* find_service(std::string_view name);

// Every member that a step of `service` may have, `service` itself included, in the order to write them.
std::vector<std::string_view> members_of(const Service& service);

}  // namespace lo::workflow
