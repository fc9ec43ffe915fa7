#include "base/named_thread.h"

#include <pthread.h>

#include <utility>

namespace lo {

NamedThread::NamedThread(const std::string& name, std::move_only_function<void()> body) : thread_(std::move(body)) {
  constexpr std::size_t kLongest = 15;  // the kernel refuses longer ones
  ::pthread_setname_np(thread_.native_handle(), name.substr(0, kLongest).c_str());
}

}  // namespace lo
