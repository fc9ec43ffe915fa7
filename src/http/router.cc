#include "http/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "http/target.h"

namespace lo::http {
namespace {

using Segments = std::vector<std::string>;

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

std::string parameter_name(std::string_view segment) { return std::string(segment.substr(1, segment.size() - 2)); }

bool fits(const Segments& pattern, const Segments& path) {
  return std::ranges::equal(pattern, path,
                            [](const auto& part, const auto& segment) { return is_parameter(part) || part == segment; });
}

// Of two patterns that fit one path: whether `a` has a literal where they first differ.
bool more_literal(const Segments& a, const Segments& b) {
  auto [at, other] =
      std::ranges::mismatch(a, b, [](const auto& x, const auto& y) { return is_parameter(x) == is_parameter(y); });
  return at != a.end() && !is_parameter(*at);
}

// Patterns that differ only in the names of their parameters fit the same paths.
bool same_shape(const Segments& a, const Segments& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x == y || (is_parameter(x) && is_parameter(y)); });
}

std::string allow_list(std::set<std::string> methods) {
  if (methods.contains("GET")) methods.insert("HEAD");
  methods.insert("OPTIONS");
  return fmt::format("{}", fmt::join(methods, ", "));
}

}  // namespace

void Router::add(Route route) {
  auto segments = split_path(route.pattern);
  if (!segments) throw std::logic_error(fmt::format("bad pattern {}: {}", route.pattern, segments.error().message));
  for (std::size_t i = 0; i < routes_.size(); ++i)
    if (routes_[i].method == route.method && same_shape(patterns_[i], *segments))
      throw std::logic_error(fmt::format("two routes for {} {}", route.method, route.pattern));
  routes_.push_back(std::move(route));
  patterns_.push_back(*std::move(segments));
}

Result<Match> Router::match(std::string_view method, std::string_view path, std::string* allowed) const {
  LO_ASSIGN(auto segments, split_path(path));
  const Segments* best = nullptr;
  Match match;
  std::set<std::string> methods;
  auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (!fits(patterns_[i], segments)) continue;
    methods.insert(routes_[i].method);
    if (routes_[i].method != wanted || (best != nullptr && !more_literal(patterns_[i], *best))) continue;
    best = &patterns_[i];
    match.route = &routes_[i];
  }
  if (methods.empty()) return fail(Code::not_found, fmt::format("there is nothing at {}", path));
  if (allowed != nullptr) *allowed = allow_list(std::move(methods));
  if (best == nullptr) return fail(Code::not_allowed, fmt::format("{} is not possible at {}", method, path));
  for (std::size_t i = 0; i < best->size(); ++i)
    if (is_parameter((*best)[i])) match.parameters.emplace(parameter_name((*best)[i]), std::move(segments[i]));
  return match;
}

}  // namespace lo::http
