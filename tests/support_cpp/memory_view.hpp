// A view in memory: what results from the entries that were applied to it, as far as the gateway reads it. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/tenant_key.hpp"
#include "engine/ports/readers.hpp"
#include "storage/log/log.hpp"
#include "storage/log/view.hpp"

namespace ordem::testing {

class memory_view final : public storage::view_writer, public order_lookup, public capture_reader {
 public:
  // Notes a violation of apply()'s requirements, which tests check by faults(). `of` must outlive the view.
  explicit memory_view(const storage::log& of) : log_(of) {}

  storage::result<void> apply(std::span<const storage::entry> entries, position first) override {
    const std::uint64_t durable = log_.last().number;
    const std::lock_guard lock(mutex_);
    if (!entries.empty() && first.number != visible_ + 1) faults_.emplace_back("entries are applied out of order");
    if (visible_ + entries.size() > durable) faults_.emplace_back("an entry is applied that is not durable");
    for (const storage::entry& each : entries) show(each);
    visible_ += entries.size();
    return {};
  }
  bool has_failed() const noexcept override { return false; }
  storage::result<void> recover() override { return {}; }

  // Applies what it lacks of the log.
  void catch_up() {
    for (;;) {
      const position next{visible().number + 1};
      const auto some = log_.read(next, storage::group_entries_max).value();
      if (some.empty()) return;
      std::vector<storage::entry> entries;
      for (const storage::logged_entry& each : some) entries.push_back(each.what);
      (void)apply(entries, next);
    }
  }

  position visible() const noexcept {
    const std::lock_guard lock(mutex_);
    return {visible_};
  }
  // Returns the newest version of each order.
  std::map<order_id, version> newest_versions() const {
    const std::lock_guard lock(mutex_);
    std::map<order_id, version> newest;
    for (const auto& [id, versions] : orders_) newest[id] = versions.back()->version;
    return newest;
  }
  std::vector<std::string> faults() const {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

  read_result<shared_order> find_order(order_id id) const override {
    const std::lock_guard lock(mutex_);
    const auto found = orders_.find(id);
    return found == orders_.end() ? nullptr : found->second.back();
  }
  std::optional<shared_order> find_cached_order(order_id id) const override { return find_order(id).value(); }
  read_result<shared_order> find_version(order_id id, version which) const override {
    const std::lock_guard lock(mutex_);
    const auto found = orders_.find(id);
    if (found == orders_.end() || which.number == 0 || which.number > found->second.size()) return shared_order{};
    return found->second[which.number - 1];
  }
  read_result<std::optional<message_record>> find_message(std::string_view tenant, const guid& id,
                                                          const clock_reading& now) const override {
    const std::lock_guard lock(mutex_);
    const auto found = messages_.find(tenant_key_view<guid>{tenant, id});
    if (found == messages_.end() || now.has_ended(found->second.expires_at, found->second.created_at)) {
      return std::nullopt;
    }
    return found->second;
  }
  read_result<shared_capture> find_capture(std::string_view tenant, const capture_key& key,
                                           const clock_reading& now) const override {
    const std::lock_guard lock(mutex_);
    const auto found = captures_.find(tenant_key_view<capture_key>{tenant, key});
    return found == captures_.end() || !found->second->is_kept_at(now) ? nullptr : found->second;
  }

 private:
  void show(const storage::entry& each) {
    if (const auto* executed = std::get_if<storage::message_entry>(&each)) {
      messages_.insert_or_assign(message_key{executed->tenant(), executed->guid}, executed->record);
      if (executed->after != nullptr) orders_[executed->after->id].push_back(executed->after);
    } else if (const auto& changed = std::get<storage::capture_entry>(each); changed.after != nullptr) {
      captures_.insert_or_assign(tenant_capture_key{changed.tenant(), changed.key}, changed.after);
    } else {
      captures_.erase(tenant_capture_key{changed.tenant(), changed.key});
    }
  }

  const storage::log& log_;
  mutable std::mutex mutex_;
  std::uint64_t visible_ = 0;
  std::map<order_id, std::vector<shared_order>> orders_;
  tenant_map<guid, message_record> messages_;
  tenant_map<capture_key, shared_capture> captures_;
  std::vector<std::string> faults_;
};

}  // namespace ordem::testing
