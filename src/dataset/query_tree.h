// The tree of a query.
#pragma once

#include <re2/re2.h>
#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"

namespace lo::dataset {

class Condition;
using ConditionPtr = std::shared_ptr<const Condition>;

// Rows by number, from `low` to `high`, both included: what a condition can match at most.
struct IdRange {
  std::int64_t low;
  std::int64_t high;
};

struct All {
  std::vector<ConditionPtr> of;  // none: matches everything
};
struct Any {
  std::vector<ConditionPtr> of;
};
struct Not {
  ConditionPtr of;
};

enum class Comparison { equal, greater, greater_or_equal, less, less_or_equal };

// One condition on one field.
struct Compare {
  std::string path;
  Comparison comparison;
  json::value operand;
};
struct In {
  std::string path;
  std::vector<json::value> operands;
};
struct Exists {
  std::string path;
};
struct Regex {
  std::string path;
  std::shared_ptr<const RE2> pattern;
};

class Condition {
 public:
  using Node = std::variant<All, Any, Not, Compare, In, Exists, Regex>;
  explicit Condition(Node node) : node_(std::move(node)) {}

  bool matches(const json::object& document) const;
  const Node& node() const { return node_; }

 private:
  Node node_;
};

template <class T>
ConditionPtr make_condition(T node) {
  return std::make_shared<Condition>(Condition::Node(std::move(node)));
}

// Exact: long double has the 64 bits of every integer and of every double.
long double number_of(const json::value& number);

// Of two numbers, texts, booleans or nulls; unordered when they are of different types, or of one without order.
std::partial_ordering order(const json::value& a, const json::value& b);

// The names of the (top-level) fields that the condition looks at.
void collect_fields(const Condition& condition, std::vector<std::string>& fields);

IdRange id_range(const Condition& condition);

}  // namespace lo::dataset
