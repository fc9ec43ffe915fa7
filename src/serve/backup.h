// Backups of a data folder, whether a server holds it or not, and data folders made of them. Catalog and store fit together: the catalog
// is copied first, as it is at one moment, then every object that this copy refers to. Objects never change, but may go with their step
// meanwhile: then the catalog is copied anew, and what is missing of it.
//
// A backup into the folder of an older one copies what is not there yet. The older one stays whole until the new one is, in one instant:
// objects are only added until then, and removed afterwards. (The logs of steps that both have are the newer ones already.)
//
// Not in a backup: checkpoints of steps that have not ended, temporary files, logs of the server's own helpers.
// Blocks on the disk, for long.
#pragma once

#include <filesystem>
#include <functional>

#include "base/error.h"

namespace lo::serve {

struct BackupProgress {
  std::size_t done = 0;  // objects
  std::size_t all = 0;
  std::int64_t bytes = 0;
};

struct BackupOptions {
  std::filesystem::path backup;
  std::filesystem::path data;
  std::function<void(const BackupProgress&)> progress = [](const BackupProgress&) {};  // before each object
};

struct BackupSummary {
  std::size_t steps = 0;
  std::size_t objects = 0;
  std::size_t copied = 0;  // of the objects
  std::int64_t bytes = 0;  // of all objects
};

// On disk when it returns. Code::unacceptable when the catalog is in a PostgreSQL, Code::not_found when there is none in the data folder; Code::conflict when the backup's folder is in
// use or holds something else; Code::corrupt, naming the steps, when an object is damaged or missing; Code::busy when steps are deleted
// faster than they are copied. After an error an older backup in the folder is what it was; what was copied is not copied again.
Result<BackupSummary> make_backup(const BackupOptions& options);

// Makes the data folder, which is missing or empty. On disk when it returns; after an error nothing is left of it. Code::conflict when
// there is something in the folder or a server holds it; Code::not_found when the backup is not whole; Code::unavailable when it is of a
// newer program; Code::corrupt, naming the steps, when it is damaged.
Result<BackupSummary> restore_backup(const BackupOptions& options);

// A restore into this folder was killed: it can be done again, but no server can have the folder until then.
bool is_half_restored(const std::filesystem::path& data);

}  // namespace lo::serve
