// What every catalog must do: typed tests, run over each implementation.
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, CatalogCommitSuite, SqliteSubject);
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, CatalogReadSuite, SqliteSubject);
// A subject holds one catalog: it has catalog(), and reopen(), which is a restart of the process on the same data.
#pragma once

#include "catalog/catalog_commit_suite.h"  // IWYU pragma: export
#include "catalog/catalog_read_suite.h"    // IWYU pragma: export
