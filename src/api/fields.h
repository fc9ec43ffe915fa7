// Reads a request's members one by one and gathers everything that is wrong with them, so that a person gets all errors at once.
//   Fields fields(body);
//   auto name = fields.name("outputDatasetName");
//   auto names = fields.texts("names");
//   LO_TRY(fields.finish());
// A getter gives an empty value for a wrong member; finish() tells. One thread.
#pragma once

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lo::api {

class Fields {
 public:
  enum class Of { step, something_else };

  explicit Fields(const json::object& body, Of of = Of::step) : body_(body), of_(of) {}

  std::string name(std::string_view key);                          // required: base/id.h check_name
  std::optional<std::string> optional_name(std::string_view key);
  std::string text(std::string_view key);                          // required, not empty
  std::optional<std::string> optional_text(std::string_view key);
  std::vector<std::string> texts(std::string_view key);            // required: a list of texts, at least one
  json::object object(std::string_view key);                       // required
  json::object optional_object(std::string_view key);              // {} when missing or null
  bool optional_flag(std::string_view key);                        // false when missing or null

  bool has(std::string_view key) const;  // and is not null
  void accept(std::string_view key);     // known here, read elsewhere
  void refuse(std::string_view key, std::string why);
  void refuse(const Error& error);       // found elsewhere

  // Success, or Code::unacceptable with all errors. A member that no getter named is one of them; the nearest known is named.
  // retry, timeout, resources, schedule, cache, autoUpdate, environment, labels, which every request for a step may have, are checked here.
  Status finish();

 private:
  const json::value* find(std::string_view key);
  void check_unknown();
  void check_common();

  const json::object& body_;
  const Of of_;
  std::set<std::string, std::less<>> known_;
  std::vector<FieldError> errors_;
};

}  // namespace lo::api
