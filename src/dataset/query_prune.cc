#include "dataset/query_prune.h"

#include <algorithm>

namespace lo::dataset {
namespace {

bool is_comparable(const json::value& a, const json::value& b) {
  return (a.is_number() && b.is_number()) || (a.is_string() && b.is_string());
}

// Whether a value between the bounds can compare so with the operand. Null is no value between them.
bool may_hold(Comparison comparison, const Bounds& bounds, const json::value& operand) {
  if (operand.is_null()) return true;
  if (!is_comparable(bounds.least, operand)) return false;  // of another type: never
  switch (comparison) {
    case Comparison::equal: return order(bounds.least, operand) <= 0 && order(bounds.greatest, operand) >= 0;
    case Comparison::greater: return order(bounds.greatest, operand) > 0;
    case Comparison::greater_or_equal: return order(bounds.greatest, operand) >= 0;
    case Comparison::less: return order(bounds.least, operand) < 0;
    case Comparison::less_or_equal: return order(bounds.least, operand) <= 0;
  }
  return true;
}

class Pruner {
 public:
  explicit Pruner(const BoundsOf& bounds_of) : bounds_of_(bounds_of) {}

  bool operator()(const All& all) const {
    return std::ranges::all_of(all.of, [this](const auto& each) { return may_match(*each, bounds_of_); });
  }
  bool operator()(const Any& any) const {
    return std::ranges::any_of(any.of, [this](const auto& each) { return may_match(*each, bounds_of_); });
  }
  bool operator()(const Compare& compare) const {
    auto bounds = bounds_of_(compare.path);
    return !bounds || may_hold(compare.comparison, *bounds, compare.operand);
  }
  bool operator()(const In& in) const {
    auto bounds = bounds_of_(in.path);
    return !bounds || std::ranges::any_of(in.operands, [&](const auto& operand) { return may_hold(Comparison::equal, *bounds, operand); });
  }
  bool operator()(const Not&) const { return true; }
  bool operator()(const Exists&) const { return true; }
  bool operator()(const Regex&) const { return true; }

 private:
  const BoundsOf& bounds_of_;
};

}  // namespace

bool may_match(const Condition& condition, const BoundsOf& bounds_of) { return std::visit(Pruner(bounds_of), condition.node()); }

}  // namespace lo::dataset
