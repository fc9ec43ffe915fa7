#include <fmt/format.h>
#include <fmt/ranges.h>
#include <array>
#include <optional>

#include "base/id.h"
#include "dataset/python_literal.h"
#include "dataset/query.h"
#include "dataset/query_tree.h"
#include "dataset/shown.h"

namespace lo::dataset {
namespace {

constexpr std::array<std::string_view, 15> kOperators{"$eq",     "$ne",  "$gt", "$gte", "$lt",  "$lte",   "$in",     "$nin",
                                                      "$exists", "$and", "$or", "$nor", "$not", "$regex", "$options"};

using Parsed = Result<ConditionPtr>;

std::unexpected<Error> refuse(std::string detail) { return fail_field(Code::unacceptable, "query", std::move(detail)); }

std::unexpected<Error> unknown_operator(std::string_view name) {
  auto near = nearest(name, kOperators);
  auto hint = near.empty() ? fmt::format("known are {}", fmt::join(kOperators, " ")) : fmt::format("did you mean {}?", near);
  return refuse(fmt::format("the operator {} is not known here: {}", shown(name), hint));
}

Status check_depth(const json::value& value, std::size_t depth) {
  if (depth > kMaxQueryDepth) return refuse(fmt::format("the query is nested deeper than {}", kMaxQueryDepth));
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) LO_TRY(check_depth(member.value(), depth + 1));
  }
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) LO_TRY(check_depth(element, depth + 1));
  }
  return {};
}

ConditionPtr negate(ConditionPtr condition) { return make_condition(Not{std::move(condition)}); }

Parsed negated(Parsed condition) {
  if (condition) condition = negate(*std::move(condition));
  return condition;
}

ConditionPtr all_of(std::vector<ConditionPtr> conditions) {
  return conditions.size() == 1 ? conditions.front() : make_condition(All{std::move(conditions)});
}

std::optional<Comparison> comparison_of(std::string_view name) {
  if (name == "$eq") return Comparison::equal;
  if (name == "$gt") return Comparison::greater;
  if (name == "$gte") return Comparison::greater_or_equal;
  if (name == "$lt") return Comparison::less;
  if (name == "$lte") return Comparison::less_or_equal;
  return std::nullopt;
}

bool is_operators(const json::value& value) {
  const auto* object = value.if_object();
  return object != nullptr && !object->empty() && object->begin()->key().starts_with('$');
}

Parsed parse_condition(const json::object& filter);
Parsed parse_operators(const std::string& path, const json::object& operators);

Parsed parse_in(const std::string& path, std::string_view name, const json::value& operand) {
  const auto* list = operand.if_array();
  if (list == nullptr) return refuse(fmt::format("{} of '{}' takes a list", name, path));
  for (const auto& value : *list)
    if (is_operators(value)) return refuse(fmt::format("{} of '{}' takes values, not operators", name, path));
  return make_condition(In{path, {list->begin(), list->end()}});
}

Parsed parse_compare(const std::string& path, std::string_view name, Comparison comparison, const json::value& operand) {
  if (comparison != Comparison::equal && operand.is_structured())
    return refuse(fmt::format("{} of '{}' takes a number, a text, a boolean or null", name, path));
  return make_condition(Compare{path, comparison, operand});
}

Parsed parse_exists(const std::string& path, const json::value& operand) {
  bool is_false = operand.is_null() || operand == json::value(false) || operand == json::value(0);
  auto exists = make_condition(Exists{path});
  return is_false ? negate(exists) : exists;
}

Parsed parse_regex(const std::string& path, const json::object& operators) {
  const auto* pattern = operators.at("$regex").if_string();
  if (pattern == nullptr) return refuse(fmt::format("$regex of '{}' takes a text", path));
  auto options = string_or(operators, "$options");
  if ((options != "" && options != "i") || (operators.contains("$options") && !operators.at("$options").is_string()))
    return refuse(fmt::format("$options of '{}' takes \"i\" or \"\", not {}", path, json::serialize(operators.at("$options"))));
  RE2::Options settings(RE2::Quiet);
  settings.set_case_sensitive(options != "i");
  auto compiled = std::make_shared<const RE2>(re2::StringPiece(pattern->data(), pattern->size()), settings);
  if (!compiled->ok()) return refuse(fmt::format("$regex of '{}', {}: {}", path, shown(*pattern), compiled->error()));
  return make_condition(Regex{path, std::move(compiled)});
}

Parsed parse_not(const std::string& path, const json::value& operand) {
  if (!is_operators(operand)) return refuse(fmt::format("$not of '{}' takes an operator such as {{\"$gt\": 3}}", path));
  LO_ASSIGN(auto condition, parse_operators(path, operand.get_object()));
  return negate(std::move(condition));
}

Parsed parse_operator(const std::string& path, std::string_view name, const json::object& operators) {
  const auto& operand = operators.at(name);
  if (auto comparison = comparison_of(name)) return parse_compare(path, name, *comparison, operand);
  if (name == "$ne") return negate(make_condition(Compare{path, Comparison::equal, operand}));
  if (name == "$in") return parse_in(path, name, operand);
  if (name == "$nin") return negated(parse_in(path, name, operand));
  if (name == "$exists") return parse_exists(path, operand);
  if (name == "$not") return parse_not(path, operand);
  if (name == "$regex") return parse_regex(path, operators);
  return unknown_operator(name);
}

Parsed parse_operators(const std::string& path, const json::object& operators) {
  std::vector<ConditionPtr> conditions;
  for (const auto& member : operators) {
    std::string_view name = member.key();
    if (!name.starts_with('$')) return refuse(fmt::format("'{}' mixes operators and the member {}", path, shown(name)));
    if (name == "$options" && operators.contains("$regex")) continue;
    LO_ASSIGN(auto condition, parse_operator(path, name, operators));
    conditions.push_back(std::move(condition));
  }
  return all_of(std::move(conditions));
}

Result<std::vector<ConditionPtr>> parse_list(std::string_view name, const json::value& operand) {
  const auto* list = operand.if_array();
  if (list == nullptr || list->empty()) return refuse(fmt::format("{} takes a list of conditions that is not empty", name));
  std::vector<ConditionPtr> conditions;
  for (const auto& element : *list) {
    if (!element.is_object()) return refuse(fmt::format("{} takes conditions, not {}", name, json::serialize(element)));
    LO_ASSIGN(auto condition, parse_condition(element.get_object()));
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

Parsed parse_logical(std::string_view name, const json::value& operand) {
  if (name != "$and" && name != "$or" && name != "$nor") return unknown_operator(name);
  LO_ASSIGN(auto conditions, parse_list(name, operand));
  if (name == "$and") return all_of(std::move(conditions));
  auto any = make_condition(Any{std::move(conditions)});
  return name == "$or" ? any : negate(any);
}

Parsed parse_condition(const json::object& filter) {
  std::vector<ConditionPtr> conditions;
  for (const auto& member : filter) {
    std::string name(member.key());
    const auto& value = member.value();
    auto condition = name.starts_with('$') ? parse_logical(name, value)
                     : is_operators(value) ? parse_operators(name, value.get_object())
                                           : Parsed(make_condition(Compare{name, Comparison::equal, value}));
    if (!condition) return condition;
    conditions.push_back(*std::move(condition));
  }
  return all_of(std::move(conditions));
}

Result<json::value> parse_text(std::string_view text) {
  auto value = parse_json(text);
  if (value) return value;
  LO_ASSIGN(auto translated, python_to_json(text));
  auto again = parse_json(translated);
  if (again) return again;
  return fail(Code::malformed,
              fmt::format("the query {} is neither JSON nor a Python dict: {}", shown(text), value.error().message));
}

}  // namespace

Result<Query> parse_query(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Query();
  LO_ASSIGN(auto value, parse_text(text));
  if (!value.is_object())
    return refuse(fmt::format("the query is an object such as {{\"field\": value}}, not {}", shown(text)));
  LO_TRY(check_depth(value, 0));
  LO_ASSIGN(auto root, parse_condition(value.get_object()));
  return Query(std::move(root));
}

}  // namespace lo::dataset
