// The engine's memory of names: which steps there are, their revisions and states, who was made from whom. Pure: no I/O, no threads.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/records.h"

namespace lo::engine {

using catalog::RevisionKey;
using catalog::StepId;

// What is remembered of a revision, ended or not.
struct Brief {
  std::string operation;
  std::vector<catalog::Parent> parents;
  State state = State::waiting;
  Reason reason = Reason::none;
  std::string digest = {};                       // of a finished one's result
  std::string cache_key = {};                    // of a finished one
  std::optional<WallTime> scheduled_for = {};
  bool auto_update = false;                      // as its request says
  WallTime ended = {};
};

// Which superseded revisions are kept. A limit that is missing keeps all.
struct Retention {
  std::optional<int> revisions = {};        // this many of each step, the newest
  std::optional<WallTime> ended_since = {}; // those that ended later
};

// What the registry looks at of a revision that has ended.
extern const catalog::Outline kRemembered;

struct Entry {
  catalog::Step step;
  std::map<int, Brief> revisions;
  std::set<StepId> used_by;  // steps with a revision made from one of these
  bool leaving = false;      // its removal is being committed

  int newest() const { return revisions.empty() ? 0 : revisions.rbegin()->first; }
  std::optional<int> newest_usable() const;    // that has not failed and was not cancelled
  std::optional<int> newest_finished() const;
  bool busy() const;                           // some revision has not ended
  int newest_own() const;                      // that its service made, and no dataType

  // What a revision was made from; of one that was typed in place, what the result that it types was made from.
  const std::vector<catalog::Parent>& inputs_of(int revision) const;
};

// "titanic@2" is the name "titanic" and revision 2; without "@" no revision. Code::unacceptable when the revision is no number.
struct Reference {
  std::string name;
  std::optional<int> revision;
};
Result<Reference> parse_reference(std::string_view text, std::string_view pointer);

class Registry {
 public:
  // The steps of its parents must have been added before a revision, or be gone for good.
  void add_step(catalog::Step step);
  void add_revision(const catalog::Revision& revision);
  void set_state(RevisionKey key, State state, Reason reason);
  void set_facts(RevisionKey key, const json::object& facts);  // of one that has finished, after set_ended
  void set_ended(RevisionKey key, WallTime at);
  void set_parents(RevisionKey key, std::vector<catalog::Parent> parents);
  void remove_revision(RevisionKey key);
  void restore_revision(RevisionKey key, Brief brief);  // as remove_revision found it; nothing when its step is gone
  void remove_step(StepId id);
  void set_leaving(StepId id, bool leaving);

  const Entry* find(std::string_view name) const;  // nullptr when unknown; a leaving one is found
  const Entry* find(StepId id) const;
  const Brief* find(RevisionKey key) const;
  std::string name_of(RevisionKey key) const;      // "" when it is gone

  // Binds a reference as it stands now: the newest revision that has not failed or been cancelled, or the one named.
  // Code::unacceptable with `pointer` when the name is unknown (the nearest is named), leaving, or has no usable revision.
  // `despite_failure`: where no revision is usable, the newest one.
  Result<catalog::Parent> bind(std::string_view text, std::string_view pointer, bool despite_failure = false) const;

  // The newest finished revision with this cache key.
  std::optional<RevisionKey> cached(const std::string& cache_key) const;

  // Every step made from `id`, directly or not, nearest first; `id` itself is not among them.
  std::vector<StepId> descendants(StepId id) const;

  // The same with every step after those that its newest revision was made from.
  std::vector<StepId> descendants_in_order(StepId id) const;

  // Steps whose newest revision failed because an input did, and that are made from `id`: nearest first.
  std::vector<StepId> failed_by_upstream(StepId id) const;

  // Why the step's newest result no longer is what it would be if it were made now: "made from titanic@1, the newest is 2", or the same of
  // something that it was made from. An input that was made again and came out the same makes nothing stale.
  std::optional<std::string> stale_because(StepId id) const;

  // Steps that are behind and ask to be made again then (autoUpdate): all, or of `id` and what was made from it.
  std::vector<StepId> auto_updated() const;
  std::vector<StepId> auto_updated(StepId id) const;

  // Revisions beyond either limit that can go: not the newest of a step, its newest result, the newest that its own service made and what
  // amended that, one that has not ended, or one that a revision that stays was made from.
  std::vector<RevisionKey> superseded(const Retention& keep) const;

  // By name, what the newest revision of `id` was made from, with the newest usable revision of that.
  std::vector<std::pair<std::string, int>> newest_parents(StepId id) const;

  // Every step that `id` was made from, directly or not, by newest revisions; nearest first, `id` itself is not among them.
  std::vector<StepId> ancestors(StepId id) const;

 private:
  std::set<RevisionKey> beyond(const Entry& entry, const Retention& keep) const;
  std::optional<std::string> outdated(StepId id, const catalog::Parent& parent) const;
  void uncache(RevisionKey key, const Brief& brief);
  bool is_behind(StepId id) const;  // made again it would have other inputs, and those have finished
  bool is_to_update(const Entry& entry) const;
  std::set<StepId> made_from(StepId id) const;  // by its newest revision

  boost::unordered_flat_map<std::string_view, StepId> names_;  // the texts are the entries' own
  std::map<StepId, Entry> steps_;
  boost::unordered_flat_map<std::string, RevisionKey> cached_;  // by cache key
};

}  // namespace lo::engine
