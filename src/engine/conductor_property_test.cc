// Random worlds: see world.h.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "base/testing/temporary_folder.h"
#include "catalog/fake_catalog.h"
#include "catalog/held_catalog.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "engine/world.h"

namespace lo::engine {
namespace {

struct MemoryDisk {
  using Catalog = catalog::FakeCatalog;
  std::unique_ptr<Catalog> catalog() { return std::make_unique<Catalog>(Catalog::Mode::manual, memory); }
  void write_untold(Catalog&) {}

  std::shared_ptr<catalog::Memory> memory = catalog::make_memory();
};

struct SqliteDisk {
  using Catalog = catalog::HeldCatalog;
  std::unique_ptr<Catalog> catalog() { return std::make_unique<Catalog>(catalog::open_sqlite_catalog(folder.path() / "catalog.db").value()); }
  void write_untold(Catalog& held) { held.write_untold(); }

  TemporaryFolder folder;
};

// Several tests, so that each is short under a sanitizer, too.
class EngineProperties : public testing::TestWithParam<int> {};

TEST_P(EngineProperties, HoldInRandomWorlds) {
  const bool is_long = std::getenv("ORCHESTRA_LONG") != nullptr;
  const unsigned worlds = is_long ? 500 : 15;  // NOLINT(concurrency-mt-unsafe): one thread
  const auto* given = std::getenv("ORCHESTRA_SEED");                               // NOLINT(concurrency-mt-unsafe)
  auto first = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : is_long ? std::random_device{}() : 1 + worlds * static_cast<unsigned>(GetParam());
  for (unsigned seed = first; seed != first + (given != nullptr ? 1 : worlds); ++seed) {
    SCOPED_TRACE("ORCHESTRA_SEED=" + std::to_string(seed));
    World<MemoryDisk>(seed).live();
    if (testing::Test::HasFailure()) return;
  }
}

// The same over SQLite, killed at every one of its writes in turn.
class EngineOnDisk : public testing::TestWithParam<int> {};

using Deadline = std::chrono::steady_clock::time_point;

// Every `apart`th write from the `first` on, as far as there is time.
void die_at_each_write(unsigned seed, int first, int apart, Deadline end = Deadline::max()) {
  World<SqliteDisk> undisturbed(seed);
  undisturbed.live();
  for (int write = first; write <= undisturbed.writes(); write += apart)
    for (bool written : {false, true}) {
      if (std::chrono::steady_clock::now() > end) return;
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", killed " << (written ? "after" : "before") << " write " << write);
      World<SqliteDisk>(seed, {.write = write, .written = written}).live();
      if (testing::Test::HasFailure()) return;
    }
}

// Some of the writes of one world; with ORCHESTRA_LONG all writes of as many worlds as there is time for.
TEST_P(EngineOnDisk, SurvivesADeathAtEachWrite) {
  constexpr int kApart = 6;
  constexpr std::chrono::seconds kLong{60};
  if (std::getenv("ORCHESTRA_LONG") == nullptr) return die_at_each_write(1000U + static_cast<unsigned>(GetParam()), 1 + GetParam(), kApart);  // NOLINT(concurrency-mt-unsafe): one thread
  std::random_device random;
  for (auto end = std::chrono::steady_clock::now() + kLong; std::chrono::steady_clock::now() < end && !HasFailure();)
    die_at_each_write(random(), 1, 1, end);
}

INSTANTIATE_TEST_SUITE_P(Six, EngineOnDisk, testing::Range(0, 6));

INSTANTIATE_TEST_SUITE_P(Twenty, EngineProperties, testing::Range(0, 20));

}  // namespace
}  // namespace lo::engine
