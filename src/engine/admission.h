// Which of the jobs that are ready may start: what each wants of the machine, and whose turn it is. Pure.
//
// Turns go to the owner who holds the smallest share of the machine (the largest of his shares of cpu, memory and GPUs), among equals to who
// was served longest ago; an owner's own jobs start in their order. A job that does not fit keeps later ones from what it is short of, so
// that none is starved; those that need nothing of it may pass.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace lo::engine {

struct Resources {
  double cpu = 0;             // cores
  std::int64_t memory = 0;    // bytes
  int gpu = 0;                // whole devices
};

// A job that may start, and the devices that are its own until it is released.
struct Grant {
  std::string job;
  std::vector<int> gpus;  // from 0
};

class Admission {
 public:
  explicit Admission(Resources capacity);

  // At the end of the owner's queue. Of cpu and memory it gets at most what there is: then it runs alone.
  void push(const std::string& job, const std::string& owner, Resources wanted);
  void withdraw(const std::string& job);  // from the queue; nothing when it is not there

  std::optional<Grant> take();
  void release(const std::string& job);  // what take() gave

  struct Standing {
    int place = 1;                         // 1 is next, were nothing short
    std::vector<std::string> short_of;     // "cpu", "memory", "gpu": less is free now than the job wants
  };
  std::optional<Standing> standing(const std::string& job) const;

  std::size_t queued() const { return queued_.size(); }
  std::size_t running() const { return held_.size(); }
  const Resources& used() const { return used_; }

 private:
  // Jobs of one owner that want the same kinds of resources.
  struct Lane {
    std::string owner;
    bool memory = false, gpu = false;
    auto operator<=>(const Lane&) const = default;
  };
  struct Queued {
    std::string job;
    Resources wanted;
  };
  using Jobs = std::map<std::uint64_t, Queued>;  // by turn: in the order in which they came
  struct Place {
    Lane lane;
    std::uint64_t turn = 0;
  };
  struct Held {
    std::string owner;
    Resources resources;
    std::vector<int> gpus;
  };
  struct Owner {
    Resources used;
    std::uint64_t served = 0;  // when last
    int jobs = 0;              // queued and running
  };

  double share(const Resources& used) const;
  std::vector<std::string> short_of(const Resources& wanted) const;
  std::vector<const Lane*> lanes_in_order() const;
  Grant grant(const Lane& lane);
  void leave(const std::string& owner);
  int place_of(const Place& wanted) const;

  Resources capacity_;
  Resources used_;
  std::map<Lane, Jobs> lanes_;
  std::map<std::string, Place> queued_;
  std::map<std::string, Held> held_;
  std::map<std::string, Owner> owners_;
  std::set<int> free_gpus_;
  std::uint64_t turn_ = 0;
  std::uint64_t served_ = 0;
};

}  // namespace lo::engine
