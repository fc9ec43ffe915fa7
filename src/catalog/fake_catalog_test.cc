#include "catalog/fake_catalog.h"

#include "catalog/catalog_suite.h"

namespace lo::catalog {
namespace {

class FakeSubject {
 public:
  Catalog& catalog() { return *catalog_; }
  void reopen() {
    catalog_.reset();
    catalog_ = std::make_unique<FakeCatalog>(FakeCatalog::Mode::immediate, memory_);
  }

 private:
  std::shared_ptr<Memory> memory_ = make_memory();
  std::unique_ptr<FakeCatalog> catalog_ = std::make_unique<FakeCatalog>(FakeCatalog::Mode::immediate, memory_);
};

INSTANTIATE_TYPED_TEST_SUITE_P(Fake, CatalogCommitSuite, FakeSubject);
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, CatalogReadSuite, FakeSubject);

Batch adding(FakeCatalog& catalog, const std::string& name) {
  return {AddStep{make_step(catalog.next_step_id(), name)}, AddEvent{make_event(name, "accepted")}};
}

TEST(FakeCatalogTest, ManualCommitsWaitForFlush) {
  FakeCatalog catalog(FakeCatalog::Mode::manual);
  std::vector<std::string> told;
  catalog.on_events([&](std::span<const Event> events) { told.push_back("events " + std::to_string(events.size())); });
  for (const auto* name : {"a", "b", "c"}) catalog.commit(adding(catalog, name), [&](Status) { told.emplace_back("done"); });
  EXPECT_EQ(catalog.waiting(), 3U);
  EXPECT_FALSE(catalog.find_step("a").value());
  EXPECT_EQ(catalog.flush(2), 2U);
  EXPECT_THAT(told, ElementsAre("events 2", "done", "done"));
  EXPECT_TRUE(catalog.find_step("b").value());
  EXPECT_FALSE(catalog.find_step("c").value());
  EXPECT_EQ(catalog.waiting(), 1U);
}

TEST(FakeCatalogTest, FlushAllAlsoDoesWhatDoneCommits) {
  FakeCatalog catalog(FakeCatalog::Mode::manual);
  catalog.commit(adding(catalog, "a"), [&](Status) { catalog.commit(adding(catalog, "b"), {}); });
  EXPECT_EQ(catalog.flush(), 1U);
  EXPECT_FALSE(catalog.find_step("b").value());
  catalog.flush_all();
  EXPECT_TRUE(catalog.find_step("b").value());
}

TEST(FakeCatalogTest, WhatWasNotFlushedIsLostInARestart) {
  auto memory = make_memory();
  {
    FakeCatalog catalog(FakeCatalog::Mode::manual, memory);
    catalog.commit(adding(catalog, "kept"), {});
    catalog.flush();
    catalog.commit(adding(catalog, "lost"), {});
  }
  FakeCatalog catalog(FakeCatalog::Mode::manual, memory);
  catalog.flush_all();
  EXPECT_TRUE(catalog.find_step("kept").value());
  EXPECT_FALSE(catalog.find_step("lost").value());
}

TEST(FakeCatalogTest, InjectedFailuresRefuseTheNextCommits) {
  FakeCatalog catalog;
  catalog.fail_next({.code = Code::no_space, .message = "full"}, 2);
  EXPECT_EQ(commit(catalog, adding(catalog, "a")).error().code, Code::no_space);
  EXPECT_EQ(commit(catalog, adding(catalog, "b")).error().message, "full");
  EXPECT_TRUE(commit(catalog, adding(catalog, "c")));
  EXPECT_EQ(catalog.all_steps().value().size(), 1U);
  EXPECT_EQ(catalog.last_event().value(), 1);
}

TEST(FakeCatalogTest, CommitWithinDoneIsDoneAfterIt) {
  FakeCatalog catalog;
  std::vector<int> order;
  catalog.commit(adding(catalog, "a"), [&](Status) {
    catalog.commit(adding(catalog, "b"), [&](Status) { order.push_back(2); });
    order.push_back(1);
  });
  EXPECT_THAT(order, ElementsAre(1, 2));
}

}  // namespace
}  // namespace lo::catalog
