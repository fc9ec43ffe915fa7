#include "base/data_folder.h"
#include "serve/backup_fixture.h"

namespace lo::serve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using RestoreTest = BackupTest;

TEST_F(RestoreTest, ADamagedBackupIsNamedAndLeavesNothing) {
  auto one = add("one", "content of one");
  auto two = add("two", "content of two");
  add("three", "content of three");
  ASSERT_TRUE(back_up());
  damage(in_backup(one));
  fs::remove(in_backup(two));
  EXPECT_THAT(restore_error(), AllOf(HasSubstr("\"one\", \"two\""), Not(HasSubstr("three"))));
  EXPECT_FALSE(fs::exists(restored_));
  fs::create_directory(restored_);
  EXPECT_THAT(restore_error(), HasSubstr("\"one\""));
  EXPECT_TRUE(fs::is_empty(restored_));
}

TEST_F(RestoreTest, ADamagedCatalogIsFound) {
  add("one", "content");
  ASSERT_TRUE(back_up());
  for (const auto& entry : fs::directory_iterator(backup_))
    if (entry.path().extension() == ".sqlite") damage(entry.path());
  EXPECT_THAT(restore_error(), HasSubstr("catalog"));
  EXPECT_FALSE(fs::exists(restored_));
}

TEST_F(RestoreTest, AnIncompleteOrNewerBackupIsRefused) {
  add("one", "content");
  ASSERT_TRUE(back_up());
  auto record = read(backup_ / "backup.json");
  fs::remove(backup_ / "backup.json");
  EXPECT_THAT(restore_error(), HasSubstr("no whole backup"));
  for (std::string key : {"\"version\":", "\"schema\":"}) {
    auto newer = record;
    newer.insert(newer.find(key) + key.size(), "9");
    write(backup_ / "backup.json", newer);
    EXPECT_THAT(restore_error(), HasSubstr("use the newer program")) << newer;
  }
  write(backup_ / "backup.json", record.substr(0, record.size() / 2));
  EXPECT_THAT(restore_error(), HasSubstr("damaged"));
  EXPECT_FALSE(fs::exists(restored_));
}

TEST_F(RestoreTest, ADataFolderInUseOrWithAnythingInItIsRefused) {
  add("one", "content");
  ASSERT_TRUE(back_up());
  write(restored_ / "precious", "precious");
  EXPECT_THAT(restore_error(), HasSubstr("not empty"));
  EXPECT_THAT(std::distance(fs::directory_iterator(restored_), fs::directory_iterator()), 1);
  fs::remove(restored_ / "precious");
  {
    auto held = DataFolder::hold(restored_);
    EXPECT_THAT(restore_error(), HasSubstr("held by"));
  }
}

TEST_F(RestoreTest, OneThatWasKilledIsDoneAgain) {
  add("one", "content");
  ASSERT_TRUE(back_up());
  write(restored_ / ".restoring" / "half", "of a restore that was killed");
  write(restored_ / "store" / "half", "moved into place already");
  EXPECT_TRUE(is_half_restored(restored_));
  EXPECT_EQ(restore_error(), "no error");
  EXPECT_FALSE(is_half_restored(restored_));
  EXPECT_FALSE(fs::exists(restored_ / "store" / "half"));
}

TEST_F(RestoreTest, WithoutABackupThereIsNothingToRestore) {
  EXPECT_THAT(restore_error(), HasSubstr("there is no backup"));
  EXPECT_FALSE(fs::exists(restored_));
}

}  // namespace
}  // namespace lo::serve
