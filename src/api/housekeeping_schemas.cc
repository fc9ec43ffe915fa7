#include "api/housekeeping_schemas.h"

#include "api/openapi_parts.h"

namespace lo::api {
namespace {

json::object count_schema() { return {{"type", "integer"}, {"minimum", 0}}; }

json::object files_schema() {
  return {{"type", "object"}, {"required", json::array{"count", "bytes"}}, {"properties", {{"count", count_schema()}, {"bytes", count_schema()}}}};
}

}  // namespace

json::object swept_schema() {
  json::object result{{"type", "object"},
                      {"required", json::array{"dryRun", "revisions", "objects", "logs", "events", "bytes"}},
                      {"properties",
                       {{"dryRun", {{"type", "boolean"}}},
                        {"revisions", {{"type", "array"}, {"items", {{"type", "string"}, {"description", "name@revision"}}}}},
                        {"objects", files_schema()},
                        {"logs", files_schema()},
                        {"events", count_schema()},
                        {"bytes", {{"type", "integer"}, {"minimum", 0}, {"description", "of objects and logs"}}}}}};
  return {{"type", "object"}, {"required", json::array{"result"}}, {"properties", {{"result", std::move(result)}}}};
}

json::object usage_schema() {
  json::object row{{"type", "object"},
                   {"required", json::array{"value", "steps", "revisions", "attempts", "cpuSeconds", "peakMemory", "bytes"}},
                   {"properties",
                    {{"value", {{"type", json::array{"string", "null"}}, {"description", "of the label; null for steps without it"}}},
                     {"steps", count_schema()},
                     {"revisions", count_schema()},
                     {"attempts", count_schema()},
                     {"cpuSeconds", {{"type", "number"}, {"minimum", 0}, {"description", "of all attempts"}}},
                     {"peakMemory", {{"type", "integer"}, {"description", "bytes, of the largest attempt"}}},
                     {"bytes", {{"type", "integer"}, {"description", "of results and uploads; what is shared counts once"}}}}}};
  return {{"type", "object"},
          {"required", json::array{"result", "label"}},
          {"properties", {{"label", text_schema()}, {"result", {{"type", "array"}, {"items", std::move(row)}}}}}};
}

}  // namespace lo::api
