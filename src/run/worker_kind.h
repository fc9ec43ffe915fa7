// Which fork server a job is forked from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/runner.h"

namespace lo::run {

// The fork servers by the libraries that they have loaded.
enum class WorkerKind { bare, scientific, spark, tensorflow, sql };

std::string_view to_string(WorkerKind kind);

// Whether Python code imports one of the libraries that the scientific fork server has loaded (or one that imports them). Reads the
// text only: a wrong guess costs time, never a result, since every kind can import everything.
bool imports_scientific(std::string_view code);

// spark for the builder's operations; sql for queries of databases; tensorflow where the tool is, or the request's code, "#" expressions or an input's class need it;
// scientific where the request's code or "#" expressions use such libraries or an input is a
// table, a model or an object that is more than a plain number or text; else bare.
WorkerKind choose_kind(const engine::JobRequest& job);

// The digest of the environment that the job's request names, which is one of its inputs.
std::optional<std::string> environment_of(const engine::JobRequest& job);

}  // namespace lo::run
