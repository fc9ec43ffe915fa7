// What a FakeCatalog stores, and how a batch changes it: all or nothing. Not synchronised.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "catalog/records.h"

namespace lo::catalog {

class Memory {
 public:
  // Applies all changes, or none. The events of the batch, with their seq, are appended to `told`.
  Status apply(const Batch& batch, std::vector<Event>& told);

  // Drops the oldest events until `keep` are left; gives how many went.
  std::int64_t trim(std::int64_t keep);

  // The first id of the next process, above every id that any earlier one can have given.
  StepId begin_ids() { return ++boots_ << 32; }

  const Revision* newest(StepId step) const;
  std::optional<Step> find(const std::string& name) const;

  const std::map<StepId, Step>& steps() const { return steps_; }
  const std::map<RevisionKey, Revision>& revisions() const { return revisions_; }
  const std::map<std::pair<RevisionKey, int>, Attempt>& attempts() const { return attempts_; }
  const std::deque<Event>& events() const { return events_; }
  const std::map<std::string, Subscription>& subscriptions() const { return subscriptions_; }
  const std::map<std::string, Workflow>& workflows() const { return workflows_; }
  const std::map<std::string, Receipt>& receipts() const { return receipts_; }
  std::map<std::string, Usage> usage(std::string_view label) const;
  const std::map<std::string, bool>& garbage() const { return garbage_; }
  std::set<std::string> live_digests() const;

 private:
  Status apply_one(const AddStep& change);
  Status apply_one(const AddRevision& change);
  Status apply_one(const UpdateRevision& change);
  Status apply_one(const RebindParents& change);
  Status apply_one(const PutAttempt& change);
  Status apply_one(const AddEvent& change);
  Status apply_one(const RemoveStep& change);
  Status apply_one(const RemoveRevision& change);
  Status apply_one(const PutSubscription& change);
  Status apply_one(const RemoveSubscription& change);
  Status apply_one(const PutWorkflow& change);
  Status apply_one(const RemoveWorkflow& change);
  Status apply_one(const PutReceipt& change);
  Status apply_one(const ForgetReceipts& change);
  Status apply_one(const ForgetGarbage& change);
  void erase_revisions(RevisionKey from, RevisionKey to);  // `to` excluded
  void take_out_of_garbage(const Revision& revision);

  // These remember how to take themselves back.
  template <class Map>
  void put(Map& map, const typename Map::key_type& key, typename Map::mapped_type value);
  template <class Map>
  void erase(Map& map, const typename Map::key_type& key);

  template <class Map>
  void erase_between(Map& map, const typename Map::key_type& from, const typename Map::key_type& to);  // `to` excluded

  Result<Revision*> find_changeable(RevisionKey key);

  StepId boots_ = 0;
  std::int64_t last_seq_ = 0;
  std::map<StepId, Step> steps_;
  std::map<std::string, StepId> names_;
  std::map<RevisionKey, Revision> revisions_;
  std::map<std::pair<RevisionKey, int>, Attempt> attempts_;
  std::deque<Event> events_;
  std::map<std::string, Subscription> subscriptions_;
  std::map<std::string, Workflow> workflows_;
  std::map<std::string, Receipt> receipts_;
  std::map<std::string, bool> garbage_;  // a set, in the form that put() and erase() take
  std::vector<std::function<void()>> undo_;  // of the batch being applied, newest last
};

}  // namespace lo::catalog
