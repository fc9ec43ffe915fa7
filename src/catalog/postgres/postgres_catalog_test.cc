#include "catalog/postgres/postgres_catalog.h"

#include "catalog/catalog_suite.h"
#include "catalog/postgres/testing/database.h"

namespace lo::catalog {
namespace {

using postgres::Database;

class PostgresSubject {
 public:
  PostgresSubject() { open(); }
  Catalog& catalog() { return *catalog_; }
  void reopen() {
    catalog_.reset();
    open();
  }

 private:
  void open() { catalog_ = open_postgres_catalog(database_.url()).value(); }

  Database database_;
  std::unique_ptr<Catalog> catalog_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, CatalogCommitSuite, PostgresSubject);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, CatalogReadSuite, PostgresSubject);

}  // namespace
}  // namespace lo::catalog
