#include "serve/repair.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/id.h"
#include "base/testing/temporary_folder.h"
#include "catalog/fake_catalog.h"

namespace lo::serve {
namespace {

using catalog::Revision;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

class RepairTest : public testing::Test {
 protected:
  RepairTest() : store_(*store::open_local_store(temporary_.path() / "store")) {}

  // A finished step whose result is a file of the store.
  void add(catalog::StepId id, int revision, std::chrono::minutes age) {
    auto content = "content of " + std::to_string(id) + " " + std::to_string(revision);
    auto staging = *store_->stage(make_token());
    std::ofstream(staging.path() / "content") << content;
    auto manifest = *store_->publish(std::move(staging), {.kind = store::Kind::blob, .parts = {{.name = "content"}}});
    store_->unpin(manifest);
    digests_[{id, revision}] = manifest.parts[0].digest;

    catalog::Batch batch;
    auto name = "step" + std::to_string(id);
    if (revision == 1) batch.emplace_back(catalog::AddStep{{.id = id, .name = name, .service = "dataset/csv"}});
    Revision record{.key = {.step = id, .revision = revision}, .name = name, .operation = "dataset/csv", .job = make_token()};
    record.state = State::finished;
    record.ended = WallTime{} + std::chrono::hours(1) - age;
    record.result = store::to_json(manifest);
    batch.emplace_back(catalog::AddRevision{std::move(record)});
    Status committed = fail(Code::internal, "not called");
    catalog_.commit(std::move(batch), [&](Status status) { committed = std::move(status); });
    ASSERT_TRUE(committed) << committed.error().message;
  }

  std::filesystem::path object(catalog::StepId id, int revision = 1) const {
    const auto& digest = digests_.at({id, revision});
    return folder_ / "store" / "objects" / digest.substr(0, 2) / digest;
  }
  void damage(catalog::StepId id, int revision = 1) {
    std::filesystem::permissions(object(id, revision), std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
    std::ofstream(object(id, revision), std::ios::in | std::ios::out) << "C";  // the same size
  }
  std::vector<std::string> repaired() {
    std::vector<std::string> names;
    auto damaged = remove_damaged_results(catalog_, *store_);
    EXPECT_TRUE(damaged);
    for (const auto& revision : *damaged) names.push_back(revision.name);
    return names;
  }

  TemporaryFolder temporary_;
  std::filesystem::path folder_ = temporary_.path();
  catalog::FakeCatalog catalog_{catalog::FakeCatalog::Mode::immediate};
  std::unique_ptr<store::Store> store_;
  std::map<std::pair<catalog::StepId, int>, std::string> digests_;
};

TEST_F(RepairTest, SoundResultsStay) {
  add(1, 1, std::chrono::minutes(0));
  EXPECT_THAT(repaired(), IsEmpty());
  EXPECT_TRUE(std::filesystem::exists(object(1)));
}

TEST_F(RepairTest, DamagedAndLostOnesAreNamedParentsFirstAndRemoved) {
  add(1, 1, std::chrono::minutes(0));
  add(2, 1, std::chrono::minutes(5));
  add(3, 1, std::chrono::minutes(7));
  damage(1);
  std::filesystem::remove(object(2));
  EXPECT_THAT(repaired(), ElementsAre("step2", "step1"));
  EXPECT_FALSE(std::filesystem::exists(object(1)));
  EXPECT_TRUE(std::filesystem::exists(object(3)));
}

TEST_F(RepairTest, WhatIsOldIsNotReadAgain) {
  add(1, 1, std::chrono::minutes(11));
  add(2, 1, std::chrono::minutes(0));
  damage(1);
  EXPECT_THAT(repaired(), IsEmpty());
}

TEST_F(RepairTest, AnOlderRevisionIsRemovedButNotMadeAgain) {
  add(1, 1, std::chrono::minutes(1));
  add(1, 2, std::chrono::minutes(0));
  damage(1, 1);
  EXPECT_THAT(repaired(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(object(1, 1)));
}

TEST_F(RepairTest, TheMarkTellsAnotherStartOfTheMachine) {
  RunningMark before(folder_ / "running", "boot one");
  RunningMark after(folder_ / "running", "boot two");
  EXPECT_FALSE(after.machine_went_down());
  ASSERT_TRUE(before.set());
  EXPECT_FALSE(before.machine_went_down());  // a server that was killed
  EXPECT_TRUE(after.machine_went_down());
  EXPECT_FALSE(RunningMark(folder_ / "running", "").machine_went_down());
  before.clear();
  EXPECT_FALSE(after.machine_went_down());
  EXPECT_FALSE(RunningMark::this_boot().empty());
}

}  // namespace
}  // namespace lo::serve
