#include <algorithm>
#include <charconv>
#include <compare>
#include <limits>
#include <type_traits>

#include "dataset/query.h"
#include "dataset/query_tree.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

bool equal(const json::value& a, const json::value& b);

bool equal(const json::array& a, const json::array& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return equal(x, y); });
}

// As in MongoDB, the order of members counts.
bool equal(const json::object& a, const json::object& b) {
  return std::ranges::equal(a, b,
                            [](const auto& x, const auto& y) { return x.key() == y.key() && equal(x.value(), y.value()); });
}

bool equal(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return number_of(a) == number_of(b);
  if (a.is_array() && b.is_array()) return equal(a.get_array(), b.get_array());
  if (a.is_object() && b.is_object()) return equal(a.get_object(), b.get_object());
  return a.kind() == b.kind() && a == b;
}

bool holds(Comparison comparison, const json::value& value, const json::value& operand) {
  switch (comparison) {
    case Comparison::equal: return equal(value, operand);
    case Comparison::greater: return order(value, operand) > 0;
    case Comparison::greater_or_equal: return order(value, operand) >= 0;
    case Comparison::less: return order(value, operand) < 0;
    case Comparison::less_or_equal: return order(value, operand) <= 0;
  }
  std::unreachable();
}

std::optional<std::size_t> index_of(std::string_view text) {
  std::size_t index = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

// What a path leads to in a document. Through an array it leads to each element's.
class Walk {
 public:
  explicit Walk(std::string_view path) : path_(path) {}

  // Whether `test` holds for one of the values; a missing one is given as nullptr where no value is found at all.
  template <class Test>
  bool any(const json::object& document, Test test) const {
    bool found = false;
    bool held = visit(document, path_, [&](const json::value& value) {
      found = true;
      return test(&value) || any_element(value, test);
    });
    return held || (!found && test(nullptr));
  }

 private:
  template <class Test>
  static bool any_element(const json::value& value, Test& test) {
    const auto* array = value.if_array();
    return array != nullptr && std::ranges::any_of(*array, [&](const json::value& element) { return test(&element); });
  }

  template <class Visit>
  static bool visit(const json::object& object, std::string_view path, const Visit& visitor) {
    if (const auto* value = object.if_contains(path); value != nullptr && visitor(*value))
      return true;  // also a name with dots
    auto dot = path.find('.');
    if (dot == std::string_view::npos) return false;
    const auto* value = object.if_contains(path.substr(0, dot));
    return value != nullptr && visit_below(*value, path.substr(dot + 1), visitor);
  }

  template <class Visit>
  static bool visit_below(const json::value& value, std::string_view path, const Visit& visitor) {
    if (const auto* object = value.if_object()) return visit(*object, path, visitor);
    const auto* array = value.if_array();
    if (array == nullptr) return false;
    auto dot = path.find('.');
    if (auto index = index_of(path.substr(0, dot)); index && *index < array->size()) {
      const auto& element = (*array)[*index];
      if (dot == std::string_view::npos ? visitor(element) : visit_below(element, path.substr(dot + 1), visitor)) return true;
    }
    return std::ranges::any_of(
        *array, [&](const json::value& element) { return element.is_object() && visit(element.get_object(), path, visitor); });
  }

  std::string_view path_;
};

class Matcher {
 public:
  explicit Matcher(const json::object& document) : document_(document) {}

  bool operator()(const All& all) const {
    return std::ranges::all_of(all.of, [&](const auto& condition) { return condition->matches(document_); });
  }
  bool operator()(const Any& any) const {
    return std::ranges::any_of(any.of, [&](const auto& condition) { return condition->matches(document_); });
  }
  bool operator()(const Not& negated) const { return !negated.of->matches(document_); }
  bool operator()(const Compare& compare) const {
    static const json::value missing = nullptr;
    return Walk(compare.path).any(document_, [&](const json::value* value) {
      return holds(compare.comparison, value == nullptr ? missing : *value, compare.operand);
    });
  }
  bool operator()(const In& in) const {
    return std::ranges::any_of(
        in.operands, [&](const json::value& operand) { return (*this)(Compare{in.path, Comparison::equal, operand}); });
  }
  bool operator()(const Exists& exists) const {
    return Walk(exists.path).any(document_, [](const json::value* value) { return value != nullptr; });
  }
  bool operator()(const Regex& regex) const {
    return Walk(regex.path).any(document_, [&](const json::value* value) {
      const auto* text = value == nullptr ? nullptr : value->if_string();
      return text != nullptr && RE2::PartialMatch(re2::StringPiece(text->data(), text->size()), *regex.pattern);
    });
  }

 private:
  const json::object& document_;
};

IdRange range_of(Comparison comparison, std::int64_t id) {
  switch (comparison) {
    case Comparison::equal: return {id, id};
    case Comparison::greater: return {id == kMost ? id : id + 1, kMost};
    case Comparison::greater_or_equal: return {id, kMost};
    case Comparison::less: return {0, id - 1};
    case Comparison::less_or_equal: return {0, id};
  }
  std::unreachable();
}

IdRange range_of(const Compare& compare) {
  const auto* id = compare.operand.if_int64();
  return compare.path == "_id" && id != nullptr && *id >= 0 ? range_of(compare.comparison, *id) : IdRange{0, kMost};
}

IdRange range_of(const All& all) {
  IdRange range{0, kMost};
  for (const auto& condition : all.of) {
    auto one = id_range(*condition);
    range = {std::max(range.low, one.low), std::min(range.high, one.high)};
  }
  return range;
}

void fields_of(const ConditionPtr& condition, std::vector<std::string>& fields) { collect_fields(*condition, fields); }

}  // namespace

// x86-64's long double has 64 bits of mantissa: every integer and double is exact in it.
static_assert(std::numeric_limits<long double>::digits >= 64);

long double number_of(const json::value& value) {
  if (const auto* integer = value.if_int64()) return static_cast<long double>(*integer);
  if (const auto* natural = value.if_uint64()) return static_cast<long double>(*natural);
  return static_cast<long double>(value.get_double());
}

std::partial_ordering order(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return number_of(a) <=> number_of(b);
  if (a.is_string() && b.is_string()) return std::string_view(a.get_string()) <=> std::string_view(b.get_string());
  if (a.is_bool() && b.is_bool()) return a.get_bool() <=> b.get_bool();
  if (a.is_null() && b.is_null()) return std::partial_ordering::equivalent;
  return std::partial_ordering::unordered;
}

bool Condition::matches(const json::object& document) const { return std::visit(Matcher(document), node_); }

IdRange id_range(const Condition& condition) {
  if (const auto* compare = std::get_if<Compare>(&condition.node())) return range_of(*compare);
  if (const auto* all = std::get_if<All>(&condition.node())) return range_of(*all);
  return {0, kMost};
}

void collect_fields(const Condition& condition, std::vector<std::string>& fields) {
  std::visit(
      [&](const auto& node) {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, All> || std::is_same_v<Node, Any>) {
          for (const auto& one : node.of) fields_of(one, fields);
        } else if constexpr (std::is_same_v<Node, Not>) {
          fields_of(node.of, fields);
        } else {
          fields.push_back(node.path);  // a name may have dots
          fields.push_back(node.path.substr(0, node.path.find('.')));
        }
      },
      condition.node());
}

Query::Query() : root_(make_condition(All{})) {}
Query::Query(std::shared_ptr<const Condition> root) : root_(std::move(root)) {}

bool Query::matches(const json::object& document) const { return root_->matches(document); }

bool Query::matches_all() const {
  const auto* all = std::get_if<All>(&root_->node());
  return all != nullptr && all->of.empty();
}

}  // namespace lo::dataset
