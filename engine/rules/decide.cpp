#include "engine/rules/decide.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/model/order_id_generator.hpp"
#include "engine/rules/three_way_merge.hpp"
#include "engine/rules/validate.hpp"

namespace ordem {
namespace {

outcome rejected(verdict why, const order& current, const message& asked) {
  outcome result;
  result.verdict = why;
  result.order = current.id;
  result.version = current.version;
  result.status = current.status;
  result.expected_version = asked.expected_version;
  return result;
}

decision decide_create(const create_order& create, const message& asked, order_id fresh_id, timestamp now) {
  // The id may be ahead of the clock (order_id_generator.hpp). An order is created at the time in its id, so that
  // orders are found by their time of creation without an index of it.
  return event{version{1}, std::max(now, time_in(fresh_id)), order_created{fresh_id, create.content}, asked.origin};
}

decision decide_content(const order& current, const message& asked, order_content content, timestamp at,
                        std::optional<version> merged_from = std::nullopt) {
  if (!is_open(current.status)) return rejected(verdict::order_closed, current, asked);
  if (auto violations = violations_of(content); !violations.empty()) {
    return refusal{invalid_content{std::move(violations)}};
  }
  return event{current.version.next(), at, content_changed{std::move(content)}, asked.origin, merged_from};
}

decision decide_merge(const order& current, const message& asked, const order* base, timestamp at) {
  if (!is_open(current.status)) return rejected(verdict::order_closed, current, asked);
  if (base == nullptr) return rejected(verdict::stale_version, current, asked);
  auto merged = three_way_merge(base->content, current.content, content_after(base->content, asked.command));
  if (std::holds_alternative<clashes>(merged)) return rejected(verdict::stale_version, current, asked);
  return decide_content(current, asked, std::move(std::get<order_content>(merged)), at, base->version);
}

decision decide_status(const order& current, const message& asked, order_status to, timestamp at) {
  if (!may_become(current.status, to)) {
    outcome result = rejected(verdict::status_not_allowed, current, asked);
    result.requested_status = to;
    return result;
  }
  return event{current.version.next(), at, status_changed{to}, asked.origin};
}

verdict verdict_of(const command& accepted) {
  if (std::holds_alternative<create_order>(accepted)) return verdict::order_created;
  if (std::holds_alternative<change_status>(accepted)) return verdict::status_changed;
  return verdict::content_changed;
}

}  // namespace

std::optional<version> merge_base(const order* current, const message& asked) {
  if (current == nullptr || !asked.expected_version || !asked.expected_version->merges) return std::nullopt;
  if (current->origin.tenant != asked.origin.tenant || !is_open(current->status)) return std::nullopt;
  if (!(asked.expected_version->version < current->version)) return std::nullopt;
  return asked.expected_version->version;
}

decision decide(const order* current, const message& asked, order_id fresh_id, timestamp now, const order* base) {
  if (const auto* create = std::get_if<create_order>(&asked.command)) {
    return decide_create(*create, asked, fresh_id, now);
  }

  if (current == nullptr || current->origin.tenant != asked.origin.tenant) return refusal{order_not_found{}};
  ORDEM_CHECK(asked.expected_version.has_value());
  // updated_at never decreases, even if the clock stepped back.
  const timestamp at = std::max(now, current->updated_at);
  if (asked.expected_version->version != current->version) {
    const bool merges = asked.expected_version->merges && asked.expected_version->version < current->version;
    return merges ? decide_merge(*current, asked, base, at) : rejected(verdict::stale_version, *current, asked);
  }
  if (const auto* change = std::get_if<change_status>(&asked.command)) {
    return decide_status(*current, asked, change->to, at);
  }
  return decide_content(*current, asked, content_after(current->content, asked.command), at);
}

order apply(const order* current, event what) {
  if (auto* created = std::get_if<order_created>(&what.change)) {
    ORDEM_CHECK(current == nullptr && what.version == version{1});
    const auto total = total_of(created->content.items);
    ORDEM_CHECK(total.has_value());
    return {created->id, what.version, order_status::fresh,   std::move(created->content), *total,
            what.at,     what.at,      std::move(what.origin)};
  }

  ORDEM_CHECK(current != nullptr && what.version == current->version.next());
  order after = *current;
  after.version = what.version;
  after.updated_at = what.at;
  after.origin.actor = std::move(what.origin.actor);
  after.merged_from = what.merged_from;
  if (auto* changed = std::get_if<content_changed>(&what.change)) {
    const auto total = total_of(changed->content.items);
    ORDEM_CHECK(total.has_value());
    after.content = std::move(changed->content);
    after.total = *total;
  } else {
    after.status = std::get<status_changed>(what.change).to;
  }
  return after;
}

event event_of(verdict accepted, const order& after) {
  switch (accepted) {
    case verdict::order_created:
      return {after.version, after.updated_at, order_created{after.id, after.content}, after.origin};
    case verdict::content_changed:
      return {after.version, after.updated_at, content_changed{after.content}, after.origin, after.merged_from};
    case verdict::status_changed: return {after.version, after.updated_at, status_changed{after.status}, after.origin};
    case verdict::stale_version:
    case verdict::status_not_allowed:
    case verdict::order_closed: break;
  }
  ORDEM_CHECK(false && "a rejection makes no event");
  return {};
}

bool must_be_kept(const outcome& decided, const command& what) noexcept {
  return !is_accepted(decided.verdict) || std::holds_alternative<merge_content>(what) || asks_for_merge(decided);
}

outcome accepted_outcome(const message& asked, const order& after) {
  outcome result;
  result.verdict = verdict_of(asked.command);
  result.order = after.id;
  result.version = after.version;
  result.status = after.status;
  result.expected_version = asked.expected_version;
  return result;
}

}  // namespace ordem
