// After the machine itself went down under a running server: a disk that did not keep its word leaves results that are there, but
// are not what was written.
#pragma once

#include <filesystem>
#include <vector>

#include "catalog/catalog.h"
#include "engine/conductor.h"
#include "store/store.h"

namespace lo::serve {

// Which start of the machine a server runs in, kept in a file of the data folder: there while a server runs, gone after an orderly end.
class RunningMark {
 public:
  // `boot` names this start of the machine; empty where it is not known: then nothing is ever told.
  RunningMark(std::filesystem::path file, std::string boot) : file_(std::move(file)), boot_(std::move(boot)) {}

  static std::string this_boot();  // of Linux: a new one at each start of the machine

  // A server ran when the machine went down.
  bool machine_went_down() const;
  Status set() const;  // on disk when it returns
  void clear() const;

 private:
  std::filesystem::path file_;
  std::string boot_;
};

// Reads again every result that ended in the ten minutes before the last one did (older ones have long left the memory of any disk), and
// removes from the store what its digest refutes, so that it is never served. Gives the steps' newest revisions among them, parents
// first: they can be made again. Blocks while it reads.
Result<std::vector<catalog::Revision>> remove_damaged_results(catalog::Catalog& catalog, store::Store& store);

// Makes one of those again. Returns when the new revision is on disk, or was refused, which the log says.
void make_again(engine::Conductor& conductor, const catalog::Revision& damaged);

}  // namespace lo::serve
