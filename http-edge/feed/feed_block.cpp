#include "http-edge/feed/feed_block.hpp"

#include <algorithm>
#include <tuple>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/change_json.hpp"

namespace ordem::http_edge {

void feed_block::add(const order_change& what, std::string_view log_id) {
  ORDEM_CHECK(what.position > last_);
  const origin& of = what.order->origin;
  auto tenant = tenant_of(of.tenant);
  if (tenant == tenants_.size()) tenants_.push_back(of.tenant);
  event made;
  made.position = what.position;
  made.what = what.what;
  made.tenant = static_cast<std::uint32_t>(tenant);
  made.begin = text_.size();
  text_ += "id: ";
  append_number(text_, what.position.number);
  text_ += "\ndata: ";
  made.json = text_.size();
  codec::append_event(text_, what, log_id);
  text_ += "\n\n";
  made.end = text_.size();
  by_customer_.push_back({made.tenant, static_cast<std::uint32_t>(events_.size()), what.order->content.customer_id});
  events_.push_back(made);
  verdicts_ |= feed_filter::bit_of(what.what);
  last_ = what.position;
}

void feed_block::finish(position last) {
  ORDEM_CHECK(last >= last_);
  last_ = last;
  std::sort(by_customer_.begin(), by_customer_.end(), [](const entry& a, const entry& b) {
    return std::tie(a.tenant, a.customer, a.event) < std::tie(b.tenant, b.customer, b.event);
  });
}

const std::string& feed_block::lines() const {
  std::call_once(lines_made_, [this] {
    lines_.reserve(text_.size());
    for (const event& each : events_) lines_ += line_of(each);
  });
  return lines_;
}

bool feed_block::is_taken_whole(const feed_filter& by) const noexcept {
  return !by.customer_id && tenants_.size() == 1 && tenants_.front() == by.tenant && (verdicts_ & ~by.verdicts) == 0;
}

std::size_t feed_block::tenant_of(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::find(tenants_.begin(), tenants_.end(), name) - tenants_.begin());
}

std::size_t feed_block::first_of(std::string_view tenant, std::string_view customer) const noexcept {
  const auto number = tenant_of(tenant);
  const auto found =
      std::lower_bound(by_customer_.begin(), by_customer_.end(), customer, [&](const entry& each, std::string_view to) {
        return std::tuple(std::size_t{each.tenant}, std::string_view(each.customer)) < std::tuple(number, to);
      });
  return static_cast<std::size_t>(found - by_customer_.begin());
}

bool feed_block::is_of(const entry& what, std::string_view tenant, std::string_view customer) const noexcept {
  return tenants_[what.tenant] == tenant && what.customer == customer;
}

}  // namespace ordem::http_edge
