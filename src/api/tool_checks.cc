#include "api/tool_checks.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "api/service.h"
#include "base/id.h"
#include "base/log.h"

namespace lo::api {
namespace {

using Callable = ToolIndex::Callable;
using Signature = ToolIndex::Signature;

constexpr std::size_t kShown = 140;   // characters of what somebody sent
constexpr std::size_t kListed = 20;

std::string in_quotes(std::string_view text) { return fmt::format("'{}'", text.substr(0, kShown)); }

// "did you mean 'fit'?", or what there is.
std::string instead(std::string_view word, const std::vector<std::string_view>& known) {
  if (auto near = nearest(word, known); !near.empty()) return fmt::format("did you mean '{}'?", near);
  if (known.empty()) return "there is none";
  auto listed = std::min(known.size(), kListed);
  auto more = known.size() > listed ? fmt::format(" and {} more", known.size() - listed) : "";
  return fmt::format("there are {}{}", fmt::join(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(listed), ", "), more);
}

template <class Map>
std::vector<std::string_view> keys_of(const Map& map) {
  std::vector<std::string_view> keys;
  for (const auto& entry : map) keys.emplace_back(entry.first);
  return keys;
}

std::vector<std::string_view> parameters_of(const Signature& signature) {
  std::vector<std::string_view> names(signature.required.begin(), signature.required.end());
  names.insert(names.end(), signature.optional.begin(), signature.optional.end());
  if (!signature.varargs.empty()) names.emplace_back(signature.varargs);
  return names;
}

// --- Arguments ---

Status check_known(const Signature& signature, const json::object& given, const std::string& name, std::string_view field) {
  auto known = parameters_of(signature);
  for (const auto& argument : given) {
    std::string_view key = argument.key();
    if (signature.takes_any || std::ranges::find(known, key) != known.end()) continue;
    return fail_field(Code::unacceptable, fmt::format("/{}/{}", field, key.substr(0, kShown)),
                      fmt::format("{} has no parameter {}: {}", name, in_quotes(key), instead(key, known)));
  }
  return {};
}

Status check_complete(const Signature& signature, const json::object& given, const std::string& name, std::string_view field) {
  for (const auto& required : signature.required)
    if (!given.contains(required))
      return fail_field(Code::unacceptable, fmt::format("/{}", field), fmt::format("{} needs '{}', which is not given", name, required));
  return {};
}

// Whether the arguments bind; a signature that is not known binds everything.
Status check_arguments(const Signature* signature, const json::object& given, const std::string& name, std::string_view field) {
  if (signature == nullptr) return {};
  LO_TRY(check_known(*signature, given, name, field));
  return check_complete(*signature, given, name, field);
}

Status check_method(const Callable& callable, const std::string& method, const json::object& request, const std::string& name) {
  if (callable.methods == nullptr) return {};
  auto found = callable.methods->find(method);
  if (found == callable.methods->end())
    return fail_field(Code::unacceptable, "/method",
                      fmt::format("{} has no method {}: {}", name, in_quotes(method), instead(method, keys_of(*callable.methods))));
  return check_arguments(found->second, object_or_empty(request, "methodParameters"), name + "." + method, "methodParameters");
}

// A tool, and what is known of it.
struct Tool {
  std::string_view name;
  const ToolIndex& index;
  const std::vector<std::string>& widened;  // modules that this server's tools may call, too
};

// --- The class form ---

// Nothing where the index knows too little to say.
Result<const Callable*> find_callable(const Tool& tool, std::string_view service, const json::object& request) {
  const auto& index = tool.index;
  auto path = string_or(request, "modulePath");
  auto allowed = index.allowed(tool.name, service);
  allowed.insert(allowed.end(), tool.widened.begin(), tool.widened.end());
  if (std::ranges::none_of(allowed, [&](auto prefix) { return is_below(path, prefix); }))
    return fail_field(Code::unacceptable, "/modulePath",
                      fmt::format("{} does not belong to {}: its modules are {}", in_quotes(path), tool.name, fmt::join(allowed, ", ")));
  const auto* module = index.find_module(path);
  if (module == nullptr && index.covers(path))
    return fail_field(Code::unacceptable, "/modulePath",
                      fmt::format("there is no module {}: {}", in_quotes(path), instead(path, index.module_names())));
  if (module == nullptr) return nullptr;
  auto name = string_or(request, "class");
  auto found = module->find(name);
  if (found == module->end() && index.covers(path))
    return fail_field(Code::unacceptable, "/class",
                      fmt::format("module '{}' has no {}: {}", path, in_quotes(name), instead(name, keys_of(*module))));
  return found == module->end() ? nullptr : found->second;
}

Status check_class_form(const Tool& tool, std::string_view service, const json::object& request) {
  LO_ASSIGN(const auto* callable, find_callable(tool, service, request));
  if (callable == nullptr) return {};
  auto name = string_or(request, "class");
  auto given = object_or_empty(request, "classParameters");
  if (auto method = string_or(request, "method"); !method.empty()) {
    // A method of the class itself needs no instance, hence no arguments of one.
    if (request.contains("classParameters")) LO_TRY(check_arguments(callable->signature, given, name, "classParameters"));
    return callable->is_class ? check_method(*callable, method, request, name) : Status{};
  }
  auto field = request.contains("methodParameters") ? "methodParameters" : "classParameters";
  for (const auto& argument : object_or_empty(request, "methodParameters")) given[argument.key()] = argument.value();
  return check_arguments(callable->signature, given, name, field);
}

// --- The instance form ---

// The class of what a step of the line gives, as far as it can be known now: a model's from its request, a trained one's from the model it
// was made from.
Result<const Callable*> class_of(const Tool& tool, const std::string& reference, const Context& context, int depth = 0) {
  constexpr int kDeepest = 16;
  LO_ASSIGN(auto revision, bound_revision(context, reference));
  if (!revision || depth > kDeepest) return nullptr;
  if (revision->operation.starts_with("model/") && revision->request.contains("modulePath")) {
    auto callable = find_callable(tool, "model", revision->request);
    return callable && *callable != nullptr && (*callable)->is_class ? *callable : nullptr;
  }
  const auto* line = revision->request.if_contains("line");
  if (!revision->operation.starts_with("train/") || line == nullptr || line->as_array().empty()) return nullptr;
  return class_of(tool, std::string(line->as_array().front().as_string()), context, depth + 1);
}

// Only where every step of the line is a model of the same known class or was trained from one: then it is clear which one has the method.
Status check_instance_form(const Tool& tool, const json::object& request, const Context& context) {
  std::set<const Callable*> classes;
  for (const auto& name : request.at("line").as_array()) {
    LO_ASSIGN(const auto* one, class_of(tool, std::string(name.as_string()), context));
    classes.insert(one);
  }
  if (classes.size() != 1 || *classes.begin() == nullptr) return {};
  const auto& callable = **classes.begin();
  auto name = callable.name.substr(callable.name.rfind('.') + 1);
  return check_method(callable, string_or(request, "method"), request, name);
}

}  // namespace

void ToolIndexes::add(std::string tool, std::filesystem::path file) {
  MutexLock lock(mutex_);
  entries_[std::move(tool)].file = std::move(file);
}

std::shared_ptr<const ToolIndex> ToolIndexes::find(std::string_view tool) {
  MutexLock lock(mutex_);
  auto entry = entries_.find(tool);
  if (entry == entries_.end()) return nullptr;
  if (entry->second.index) return entry->second.index;
  auto read = ToolIndex::read(entry->second.file);
  if (read) return entry->second.index = *std::move(read);
  if (read.error().code != Code::not_found) log::warn("api: {}", read.error().message);
  return nullptr;
}

// Every index knows what modules belong to each tool.
std::shared_ptr<const ToolIndex> ToolIndexes::find_any() {
  for (auto tool : {"scikitlearn", "tensorflow"})
    if (auto index = find(tool)) return index;
  return nullptr;
}

Status check_call(const engine::NewStep& step, const Context& context) {
  auto slash = step.service.find('/');
  auto service = std::string_view(step.service).substr(0, slash);
  auto name = std::string_view(step.service).substr(slash + 1);
  auto index = context.tools == nullptr ? nullptr : context.tools->find(name);
  if (!index && context.tools != nullptr) index = context.tools->find_any();
  if (!index || step.request.contains("environment")) return {};  // which may have other modules and versions
  Tool tool{.name = name, .index = *index, .widened = context.tools->widened()};
  if (step.request.contains("modulePath")) return check_class_form(tool, service, step.request);
  if (step.request.contains("line") && step.request.contains("method")) return check_instance_form(tool, step.request, context);
  return {};
}

}  // namespace lo::api
