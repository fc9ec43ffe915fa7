// HTTP through libcurl: the one file that knows it. Several transfers go side by side on one thread, with one pool of
// connections.
//
// Threads: all of one client on one thread. Waits block it, and end with Code::cancelled as soon as `interrupt_fd` is readable.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lo::cli {

struct HttpRequest {
  std::string method = "GET";
  std::string path;  // with query, escaped; begins with '/'
  std::string body = {};
  std::string content_type = {};                    // of body or file; "" when there is none
  std::optional<std::filesystem::path> file = {};   // is sent instead of `body`, piece by piece
  std::vector<std::string> headers = {};            // "Name: value"
  std::function<void(std::string_view)> sink = {};  // takes the pieces of a 2xx answer's body instead of HttpAnswer::body
  std::chrono::seconds silence{60};                 // the longest time without a byte in either direction; 0: any
};

struct HttpAnswer {
  long status = 0;
  std::string content_type;
  std::string body;
  bool ok() const { return status >= 200 && status < 300; }
};

class HttpClient {
 public:
  // `base_url`: "http://127.0.0.1:8000", without a slash at the end. interrupt_fd: -1 for none; outlives the client. `token`: sent with each request,
  // unless it is empty; it goes to `base_url` alone, because no redirect is followed. `ca`: PEM file of the authorities that may have signed the server's
  // certificate; "": those that this machine trusts.
  HttpClient(std::string base_url, int interrupt_fd, std::string token = {}, std::string ca = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The whole answer, whatever its status. Code::unavailable when nobody answers or the connection breaks: it is not known then
  // whether the request arrived. Code::io when the file cannot be read.
  Result<HttpAnswer> send(HttpRequest request);

  // A transfer in the background; it goes on whenever the client waits. Dropping it closes it.
  class Transfer {
   public:
    virtual ~Transfer() = default;
    virtual const Result<HttpAnswer>* ended() const = 0;  // nullptr while it runs
    virtual bool answers() const = 0;                     // a 2xx header has come
  };
  std::unique_ptr<Transfer> start(HttpRequest request);

  // Lets all transfers go on until one of them moves, or for `timeout`.
  Status wait(std::chrono::milliseconds timeout);

  const std::string& base_url() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Escapes all but letters, digits and "-._~": for a segment of a path or a value of a query.
std::string url_escaped(std::string_view text);

}  // namespace lo::cli
