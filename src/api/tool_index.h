// What the modules of a tool have to be called, as set-up wrote it down in the environment that the steps will run in
// (runtime/python/orchestra_tool_index.py tells the format). Constant once read; any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lo::api {

class ToolIndex {
 public:
  // What a callable takes, by name.
  struct Signature {
    std::vector<std::string> required, optional;
    std::string varargs;  // the name of its "*arguments", which take a list; "" when it has none
    bool takes_any = false;  // "**keywords"
  };
  using Methods = std::map<std::string, const Signature*, std::less<>>;  // nullptr: not known
  struct Callable {
    bool is_class = false;
    std::string name;                      // "sklearn.svm._classes.SVC": what typeName says of its instances
    const Signature* signature = nullptr;  // nullptr: not known
    const Methods* methods = nullptr;      // of a class
  };
  using Module = std::map<std::string, const Callable*, std::less<>>;

  // Code::not_found when there is no such file, Code::corrupt when it is no index. Blocks: some ms.
  static Result<std::unique_ptr<ToolIndex>> read(const std::filesystem::path& file);

  // The module prefixes that a service of a tool may call: the tool's own, and those that are nobody's.
  std::vector<std::string_view> allowed(std::string_view tool, std::string_view service) const;

  // Whether all public modules below the path's prefix are known: then what find_module does not find does not exist.
  bool covers(std::string_view module) const;

  // By its path, aliases followed; nullptr when it is not known.
  const Module* find_module(std::string_view path) const;
  std::vector<std::string_view> module_names() const;

 private:
  friend class ToolIndexReader;
  struct Tool {
    std::vector<std::string> allowed, covered;
  };

  std::vector<Signature> signatures_;
  std::vector<Methods> methods_;
  std::vector<Callable> callables_;
  std::map<std::string, Module, std::less<>> modules_;
  std::map<std::string, std::string, std::less<>> aliases_;
  std::map<std::string, Tool, std::less<>> tools_;
  std::map<std::string, std::vector<std::string>, std::less<>> general_;  // by service
};

// Whether `path` is `prefix` or lies below it: "sklearn.svm" below "sklearn".
bool is_below(std::string_view path, std::string_view prefix);

}  // namespace lo::api
