// Which handler answers which request. Filled at start, then read-only: any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/message.h"

namespace lo::http {

using Handler = std::function<Awaitable<Response>(Request&)>;

struct Route {
  std::string method;   // "POST"
  std::string pattern;  // "/api/learningOrchestra/v1/dataset/csv/{name}"; a {parameter} is one whole segment
  Handler handler;
  bool streams_body = false;  // the handler reads request.stream; the size limit is the handler's
  // Of a body; another one: 415. "*" takes any, save the three that a foreign page may send without asking (text/plain and the
  // two of forms, see guard.h): those are taken only where they are named.
  std::vector<std::string> content_types = {"application/json"};
  std::string operation_id = {};  // for the OpenAPI document
  bool open = false;              // answered without a token, too
  bool anywhere = false;          // of several servers with one catalog, every one answers it by itself
};

struct Match {
  const Route* route = nullptr;
  std::map<std::string, std::string, std::less<>> parameters;
};

class Router {
 public:
  // A programmer error (throws std::logic_error) when method and pattern are taken, or a pattern is no path.
  void add(Route route);

  // `path` is the raw (still percent-encoded) path. Segments are decoded after splitting, so "%2F" never makes a segment.
  // A literal segment goes before a {parameter}; HEAD is answered by the route of GET.
  // Code::not_found; Code::not_allowed when other verbs exist for the path (`allowed` gets their list: "GET, HEAD, OPTIONS");
  // Code::malformed for what split_path (target.h) refuses: bad escapes, NUL, "." and "..", backslashes, empty segments.
  Result<Match> match(std::string_view method, std::string_view path, std::string* allowed = nullptr) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> patterns_;  // the segments of each route's pattern
};

}  // namespace lo::http
