// The commands about what a server has: ls, get, logs, cancel, rm, export. Each prints its result to `out` and gives an error otherwise.
#pragma once

#include <cstdio>
#include <string>

#include "cli/api_client.h"

namespace lo::cli {

struct DocumentsWanted {
  std::string name;
  int limit = 20;
  int skip = 0;
  std::string query = "{}";  // MongoDB filter subset, JSON
};

Status list_steps(ApiClient& api, const std::string& service, const std::string& status, std::FILE* out);

Status list_workflows(ApiClient& api, std::FILE* out);

// The document that recreates a workflow; `format` is yaml or json.
Status export_workflow(ApiClient& api, const std::string& name, const std::string& format, std::FILE* out);

// A document per line, as JSON: metadata first.
Status print_documents(ApiClient& api, const DocumentsWanted& wanted, std::FILE* out);

// The log; with `follow` until the step has ended. On a terminal what could act on it is escaped.
Status print_log(ApiClient& api, const std::string& name, bool follow, std::FILE* out);

Status cancel_step(ApiClient& api, const std::string& name, std::FILE* out);
Status remove_step(ApiClient& api, const std::string& name, bool cascade, std::FILE* out);

}  // namespace lo::cli
