// What can be said of a tool's request before it is accepted: modules, classes and methods that do not exist, arguments that do not bind.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/context.h"
#include "api/tool_index.h"
#include "base/mutex.h"

namespace lo::api {

// The indexes of the environments that steps run in, each read when it is first needed. Any thread.
class ToolIndexes {
 public:
  // The tool's; nullptr while there is none. Blocks the first time.
  std::shared_ptr<const ToolIndex> find(std::string_view tool);

  // One of another tool's, which knows at least what modules belong to which tool; nullptr while there is none at all.
  std::shared_ptr<const ToolIndex> find_any();

  // Where the tool's index will be. Before anything else.
  void add(std::string tool, std::filesystem::path file);

  // Modules that every tool may call besides its own. Before anything else.
  void widen(std::vector<std::string> modules) { widened_ = std::move(modules); }
  const std::vector<std::string>& widened() const { return widened_; }

 private:
  struct Entry {
    std::filesystem::path file;
    std::shared_ptr<const ToolIndex> index;
  };
  Mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_ LO_GUARDED_BY(mutex_);
  std::vector<std::string> widened_;
};

// Code::unacceptable at the member that is wrong, naming what would be right. What the index does not know passes: the step checks
// it again. Blocks (catalog reads).
Status check_call(const engine::NewStep& step, const Context& context);

}  // namespace lo::api
