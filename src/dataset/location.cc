#include "dataset/location.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dataset/shown.h"

namespace lo::dataset {
namespace {

constexpr std::string_view kS3 = "s3://";
constexpr std::string_view kHdfs = "hdfs://";
constexpr std::size_t kMostBucket = 255;
constexpr std::size_t kMostKey = 1024;  // bytes, of S3

struct Parts {
  std::string_view authority;
  std::string_view path;  // without the first slash
};

Parts parts_of(std::string_view rest) {
  auto slash = std::min(rest.find('/'), rest.size());
  return {.authority = rest.substr(0, slash), .path = rest.substr(std::min(slash + 1, rest.size()))};
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_bucket_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool climbs(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    auto end = std::min(path.find('/', begin), path.size());
    auto name = path.substr(begin, end - begin);
    if (name == "." || name == "..") return true;
    begin = end + 1;
  }
  return false;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

// Says what is wrong, or nothing.
std::string wrong_in_s3(const Parts& parts, const RemotePolicy& remote) {
  if (parts.authority.empty() || parts.authority.size() > kMostBucket || !std::ranges::all_of(parts.authority, is_bucket_character))
    return "names no bucket: s3://BUCKET/KEY";
  if (parts.path.empty() || parts.path.ends_with('/')) return "names no object: s3://BUCKET/KEY";
  if (parts.path.size() > kMostKey) return "has a key of over 1024 bytes";
  if (!remote.s3)
    return "needs credentials that the server does not have: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in its "
           "environment (and AWS_ENDPOINT_URL for a store that is not Amazon's), or make ~/.aws/credentials";
  return {};
}

std::string wrong_in_hdfs(const Parts& parts, const RemotePolicy& remote) {
  if (parts.authority.empty()) return "names no host: hdfs://HOST:PORT/PATH";
  if (parts.path.empty() || parts.path.ends_with('/')) return "names no file: hdfs://HOST:PORT/PATH";
  if (climbs(parts.path)) return "has a '.' or '..' in its path";
  auto host = lower(parts.authority);
  if (!host.contains(':')) host += ":8020";
  if (std::ranges::any_of(remote.hdfs, [&](const auto& allowed) { return lower(allowed) == host; })) return {};
  if (remote.hdfs.empty()) return fmt::format("is of a name node that the server was not told of: start it with --hdfs {}", host);
  return fmt::format("is of a name node that the server was not told of; those of --hdfs are {}", fmt::join(remote.hdfs, ", "));
}

}  // namespace

bool is_remote(std::string_view url) { return url.starts_with(kS3) || url.starts_with(kHdfs); }

Status check_location(std::string_view url, std::string_view pointer, const UrlPolicy& urls, const RemotePolicy& remote) {
  if (!is_remote(url)) return check_url(url, pointer, urls);
  bool s3 = url.starts_with(kS3);
  auto parts = parts_of(url.substr(s3 ? kS3.size() : kHdfs.size()));
  if (parts.authority.contains('@'))  // which is not shown
    return fail_field(Code::unacceptable, std::string(pointer),
                      fmt::format("the URL of {} holds a user name or password: credentials are the server's", s3 ? "S3" : "HDFS"));
  auto wrong = std::ranges::any_of(url, is_control) ? "holds a control character" : s3 ? wrong_in_s3(parts, remote) : wrong_in_hdfs(parts, remote);
  if (wrong.empty()) return {};
  return fail_field(Code::unacceptable, std::string(pointer), fmt::format("the URL {} {}", shown(url), wrong));
}

}  // namespace lo::dataset
