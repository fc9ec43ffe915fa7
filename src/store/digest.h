// XXH3-128 (https://github.com/Cyan4973/xxHash) as 32 hexadecimal digits: finds damage, does not withstand forgery.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct XXH3_state_s;

namespace lo::store {

// Takes a content piece by piece, so that its size does not matter.
class Digester {
 public:
  Digester();
  void add(std::string_view piece);
  std::string digest() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

std::string digest_of(std::string_view content);

// Reads `fd` from where it stands to its end. `what` names it in errors.
Result<std::string> digest_of_file(int fd, std::string_view what);

bool is_digest(std::string_view text);

}  // namespace lo::store
