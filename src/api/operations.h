// What the OpenAPI document says of each operation that the router cannot know.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lo::api {

// What is particular to an operation.
struct Operation {
  std::string summary;
  json::array parameters;
  json::object body;           // schema of a JSON body
  json::object content = {};   // other kinds of body
  std::vector<unsigned> answers{200};
  std::vector<unsigned> problems{};
  std::vector<std::string> answer_types{"application/json"};
  json::object answer = {};                  // schema of what is answered when all is well
  std::string_view subject = "Name";         // schema of {name} in the path
  bool once = false;                         // takes an Idempotency-Key
  bool waits = false;                        // takes Prefer: wait
  bool on_condition = false;                 // takes If-Match
  bool tagged = false;                       // answers with an ETag
};

// By the router's operation_id.
std::map<std::string, Operation> operations();

}  // namespace lo::api
