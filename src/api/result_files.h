// Results as files for people: pictures, and every result in a format that other programs read.
#pragma once

#include "api/verbs.h"

namespace lo::api {

// The last good result, or that of the revision that ?revision= names.
struct FoundResult {
  const catalog::Revision* revision = nullptr;
  store::Manifest manifest;
};

// Code::not_found where there is none, or none yet.
Result<FoundResult> wanted_result(const StepRecord& record, const http::Request& request);

// That error as an answer: a 404 that may be another answer soon has Retry-After.
http::Response not_yet(const Error& error, const StepRecord& record, const http::Request& request);

// GET explore/<tool>/{name}: the picture itself. Before there is one, 404 with Retry-After.
Answer picture(const Context& context, const Service& service, std::string name, const http::Request& request);

// GET /step/{name}/artifact?format=&revision=: the last good result, or the revision's, as a file. What lies in the store as it is wanted is
// sent from there; all else is written by a worker first (operation internal/export), since the server never loads a result.
Answer artifact(const Context& context, std::string name, const http::Request& request);

}  // namespace lo::api
