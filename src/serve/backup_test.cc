#include <sys/stat.h>

#include "serve/backup_fixture.h"

namespace lo::serve {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

TEST_F(BackupTest, EverythingComesBack) {
  auto one = add("one", "content of one");
  auto two = add("two", std::string(3'000'000, 'x'));
  write(data_ / log_of("one"), "printed");
  auto made = back_up();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->steps, 2U);
  EXPECT_EQ(made->objects, 2U);
  EXPECT_EQ(made->copied, 2U);
  EXPECT_EQ(made->bytes, 3'000'014);
  auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->bytes, 3'000'014);
  EXPECT_THAT(restored_steps(), ElementsAre("one", "two"));
  EXPECT_EQ(read(store::object_path(restored_ / "store", one)), "content of one");
  EXPECT_EQ(read(store::object_path(restored_ / "store", two)), std::string(3'000'000, 'x'));
  EXPECT_EQ(read(restored_ / log_of("one")), "printed");
  EXPECT_FALSE(fs::exists(restored_ / ".restoring"));
  EXPECT_FALSE(fs::exists(backup_ / "making"));
}

TEST_F(BackupTest, FilesKeepTheirPermissionsAndNobodyElseMayReadThem) {
  auto digest = add("one", "content");
  ASSERT_TRUE(back_up());
  ASSERT_TRUE(restore());
  struct stat info {};
  ASSERT_EQ(::stat(store::object_path(restored_ / "store", digest).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0400U);
  for (const auto& folder : {backup_, restored_, restored_ / "store" / "objects"}) {
    ASSERT_EQ(::stat(folder.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U) << folder;
  }
}

TEST_F(BackupTest, TheSecondCopiesWhatIsNewAndRemovesWhatIsGone) {
  auto old = add("old", "old");
  auto stays = add("stays", "stays");
  write(data_ / log_of("old"), "old");
  write(data_ / log_of("stays"), "first");
  auto old_log = log_of("old");
  ASSERT_TRUE(back_up());
  remove("old");
  auto fresh = add("fresh", "fresh");
  write(data_ / log_of("stays"), "first and second");
  auto before = fs::last_write_time(in_backup(stays));
  auto made = back_up();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->copied, 1U);
  EXPECT_EQ(made->objects, 2U);
  EXPECT_EQ(fs::last_write_time(in_backup(stays)), before);
  EXPECT_FALSE(fs::exists(in_backup(old)));
  EXPECT_FALSE(fs::exists(backup_ / old_log.parent_path()));
  EXPECT_TRUE(fs::exists(in_backup(fresh)));
  EXPECT_EQ(read(backup_ / log_of("stays")), "first and second");
  ASSERT_TRUE(restore());
  EXPECT_THAT(restored_steps(), UnorderedElementsAre("stays", "fresh"));
}

TEST_F(BackupTest, AStepDeletedMeanwhileIsNotInIt) {
  add("stays", "stays");
  add("goes", "goes");
  auto goes = true;
  auto made = back_up([&](const auto&) {
    if (std::exchange(goes, false)) remove("goes");
  });
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->objects, 1U);
  ASSERT_TRUE(restore());
  EXPECT_THAT(restored_steps(), ElementsAre("stays"));
}

TEST_F(BackupTest, WhenStepsAlwaysGoItGivesUpInTheEnd) {
  auto number = 0;
  add("step0", "content 0");
  auto made = back_up([&](const auto&) {
    remove("step" + std::to_string(number));
    ++number;
    add("step" + std::to_string(number), "content " + std::to_string(number));
  });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::busy);
  EXPECT_THAT(restore_error(), HasSubstr("no whole backup"));
}

TEST_F(BackupTest, WhatIsMissingOrDamagedInTheDataFolderIsNamedAndTheOlderBackupStays) {
  add("sound", "sound");
  ASSERT_TRUE(back_up());
  auto digest = add("unlucky", "content");
  damage(in_data(digest));
  EXPECT_THAT(backup_error(), AllOf(HasSubstr("\"unlucky\""), HasSubstr("damaged"), Not(HasSubstr("sound"))));
  fs::remove(in_data(digest));
  EXPECT_THAT(backup_error(), AllOf(HasSubstr("\"unlucky\""), HasSubstr("missing"), Not(HasSubstr("sound"))));
  ASSERT_TRUE(restore());
  EXPECT_THAT(restored_steps(), ElementsAre("sound"));
}

TEST_F(BackupTest, AKilledOneLeavesTheOlderWholeAndTheNextOneClearsUp) {
  add("first", "first");
  ASSERT_TRUE(back_up());
  auto digest = add("second", "second");
  struct Killed {};
  EXPECT_THROW((void)back_up([&](const auto& progress) { if (progress.done == 1) throw Killed(); }), Killed);
  write(backup_ / "making" / "half", "half");
  write(backup_ / "catalog-old.sqlite", "half");
  ASSERT_TRUE(restore());
  EXPECT_THAT(restored_steps(), ElementsAre("first"));
  fs::remove_all(restored_);
  ASSERT_TRUE(back_up());
  EXPECT_FALSE(fs::exists(backup_ / "making"));
  EXPECT_FALSE(fs::exists(backup_ / "catalog-old.sqlite"));
  ASSERT_TRUE(restore());
  EXPECT_THAT(restored_steps(), ElementsAre("first", "second"));
}

TEST_F(BackupTest, EnvironmentsAreCopiedAsTheyAre) {
  std::string digest(32, 'e');
  auto environment = data_ / "environments" / digest;
  write(environment / "bin" / "tool", "#!");
  fs::permissions(environment / "bin" / "tool", fs::perms::owner_all);
  fs::create_symlink("/no/such/python", environment / "bin" / "python");
  write(environment / "lib" / "module.py", "x = 1");
  fs::last_write_time(environment / "lib" / "module.py", fs::file_time_type::clock::now() - std::chrono::hours(100));
  write(data_ / "environments" / ".making-half" / "file", "half");
  add("packages", "content", {{"environmentDigest", digest}});
  ASSERT_TRUE(back_up());
  EXPECT_FALSE(fs::exists(backup_ / "environments" / ".making-half"));
  ASSERT_TRUE(restore());
  auto copy = restored_ / "environments" / digest;
  EXPECT_EQ(fs::read_symlink(copy / "bin" / "python"), "/no/such/python");
  EXPECT_EQ(fs::status(copy / "bin" / "tool").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::last_write_time(copy / "lib" / "module.py"), fs::last_write_time(environment / "lib" / "module.py"));
}

TEST_F(BackupTest, AFolderOfSomethingElseIsRefused) {
  add("one", "content");
  write(backup_ / "precious", "precious");
  EXPECT_THAT(backup_error(), HasSubstr("something else"));
  EXPECT_FALSE(fs::exists(backup_ / "backup.lock"));
}

TEST_F(BackupTest, TwoAtOnceAreRefused) {
  add("one", "content");
  std::string second;
  ASSERT_TRUE(back_up([&](const auto&) { second = backup_error(); }));
  EXPECT_THAT(second, HasSubstr("another process"));
}

TEST_F(BackupTest, WithoutACatalogThereIsNothingToBackUp) {
  auto made = make_backup({.backup = backup_, .data = folder_ / "nowhere"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::not_found);
  EXPECT_FALSE(fs::exists(backup_));
}

}  // namespace
}  // namespace lo::serve
