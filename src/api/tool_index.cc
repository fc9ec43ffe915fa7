#include "api/tool_index.h"

#include <algorithm>
#include <boost/json/value_to.hpp>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "base/json.h"

namespace lo::api {
namespace {

using Texts = std::vector<std::string>;

Texts texts_of(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found == nullptr ? Texts{} : json::value_to<Texts>(*found);
}

// A place in a list; nullptr for null.
template <class Entry>
const Entry* at(const std::vector<Entry>& entries, const json::value& place) {
  return place.is_null() ? nullptr : &entries.at(place.to_number<std::size_t>());
}

bool is_private(std::string_view path) {
  return path.starts_with('_') || path.contains("._") || is_below(path, "keras.src");
}

}  // namespace

// Fills the lists in the order in which they refer to each other. Throws what Boost.JSON throws for another form.
class ToolIndexReader {
 public:
  explicit ToolIndexReader(ToolIndex& index) : index_(index) {}

  void read(const json::object& whole) {
    for (const auto& entry : whole.at("signatures").as_array()) read_signature(entry.as_object());
    for (const auto& entry : whole.at("methods").as_array()) read_methods(entry.as_object());
    for (const auto& entry : whole.at("callables").as_array()) read_callable(entry.as_object());
    for (const auto& [path, names] : whole.at("modules").as_object()) read_module(path, names.as_object());
    for (const auto& [from, to] : whole.at("aliases").as_object()) index_.aliases_.emplace(from, to.as_string());
    for (const auto& [service, prefixes] : whole.at("general").as_object())
      index_.general_.emplace(service, json::value_to<Texts>(prefixes));
    for (const auto& [tool, entry] : whole.at("tools").as_object())
      index_.tools_.emplace(tool, ToolIndex::Tool{.allowed = texts_of(entry.as_object(), "allowed"),
                                                  .covered = texts_of(entry.as_object(), "covered")});
  }

 private:
  void read_signature(const json::object& entry) {
    index_.signatures_.push_back({.required = texts_of(entry, "required"),
                                  .optional = texts_of(entry, "optional"),
                                  .varargs = string_or(entry, "varargs"),
                                  .takes_any = entry.contains("varkw")});
  }

  void read_methods(const json::object& entry) {
    ToolIndex::Methods methods;
    for (const auto& [name, signature] : entry) methods.emplace(name, at(index_.signatures_, signature));
    index_.methods_.push_back(std::move(methods));
  }

  void read_callable(const json::object& entry) {
    ToolIndex::Callable callable;
    callable.is_class = string_or(entry, "kind") == "class";
    callable.name = string_or(entry, "name");
    callable.signature = at(index_.signatures_, entry.at("signature"));
    if (const auto* methods = entry.if_contains("methods")) callable.methods = at(index_.methods_, *methods);
    index_.callables_.push_back(std::move(callable));
  }

  void read_module(std::string_view path, const json::object& names) {
    auto& module = index_.modules_[std::string(path)];
    for (const auto& [name, callable] : names) module.emplace(name, at(index_.callables_, callable));
  }

  ToolIndex& index_;
};

bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '.');
}

Result<std::unique_ptr<ToolIndex>> ToolIndex::read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(Code::not_found, fmt::format("there is no index of tools at {}", file.string()));
  boost::system::error_code error;
  auto whole = json::parse(std::string(std::istreambuf_iterator<char>(in), {}), error);
  auto index = std::make_unique<ToolIndex>();
  try {
    if (error || whole.at("v") != 1) return fail(Code::corrupt, fmt::format("{} is no index of tools", file.string()));
    ToolIndexReader(*index).read(whole.as_object());
  } catch (const std::exception& exception) {
    return fail(Code::corrupt, fmt::format("{} is no index of tools: {}", file.string(), exception.what()));
  }
  return index;
}

std::vector<std::string_view> ToolIndex::allowed(std::string_view tool, std::string_view service) const {
  std::vector<std::string_view> prefixes;
  if (auto own = tools_.find(tool); own != tools_.end()) prefixes.assign(own->second.allowed.begin(), own->second.allowed.end());
  if (auto more = general_.find(service); more != general_.end())
    for (const auto& prefix : more->second)
      if (std::ranges::find(prefixes, prefix) == prefixes.end()) prefixes.emplace_back(prefix);
  return prefixes;
}

bool ToolIndex::covers(std::string_view module) const {
  if (is_private(module)) return false;
  return std::ranges::any_of(tools_, [&](const auto& tool) {
    return std::ranges::any_of(tool.second.covered, [&](const auto& prefix) { return is_below(module, prefix); });
  });
}

const ToolIndex::Module* ToolIndex::find_module(std::string_view path) const {
  if (auto found = modules_.find(path); found != modules_.end()) return &found->second;
  for (const auto& [from, to] : aliases_)
    if (is_below(path, from))
      if (auto found = modules_.find(to + std::string(path.substr(from.size()))); found != modules_.end()) return &found->second;
  return nullptr;
}

std::vector<std::string_view> ToolIndex::module_names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, module] : modules_) names.emplace_back(name);
  return names;
}

}  // namespace lo::api
