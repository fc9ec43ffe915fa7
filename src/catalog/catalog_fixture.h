// A catalog under test and what the tests ask of it: see catalog_suite.h.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/named_thread.h"
#include "catalog/catalog.h"
#include "catalog/testing.h"

namespace lo::catalog {

template <class Subject>
class CatalogFixture : public ::testing::Test {
 protected:
  Catalog& catalog() { return subject_.catalog(); }

  // Adds a step with one revision in `state`.
  RevisionKey add(const std::string& name, State state = State::queued, const std::string& service = "function/python",
                  json::object labels = {}) {
    auto step = make_step(catalog().next_step_id(), name);
    step.service = service;
    step.labels = std::move(labels);
    auto revision = make_revision({step.id, 1}, state);
    EXPECT_TRUE(commit(catalog(), {AddStep{step}, AddRevision{revision}}));
    return revision.key;
  }

  std::vector<std::string> listed(const StepFilter& filter) {
    std::vector<std::string> names;
    auto steps = catalog().list_steps(filter).value();
    for (const auto& step : steps) names.push_back(step.name);
    return names;
  }

  std::vector<std::string> events(std::int64_t after, const EventFilter& filter = {}, int limit = 100) {
    std::vector<std::string> types;
    auto found = catalog().events_after(after, filter, limit).value();
    for (const auto& event : found) types.push_back(event.type);
    return types;
  }

  Subject subject_;
};

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

}  // namespace lo::catalog
