// A handler with an in-memory store, for requests without a network.
#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/codec/canonical_request.hpp"
#include "engine/model/tenant_key.hpp"
#include "engine/ports/readers.hpp"
#include "http-edge/handler.hpp"
#include "http-edge/server/settings.hpp"
#include "tests/engine/orders.hpp"
#include "tests/http-edge/responses.hpp"
#include "tests/support_cpp/manual_clock.hpp"

namespace ordem::testing {

using boost::beast::http::verb;

using codec::orders_path;
inline const std::string contract_path = std::string(orders_path) + '/' + std::string(contract_id_text);

// Returns the record of a message that created version 1 of the contract order.
inline message_record created_record() {
  message_record record;
  record.outcome = {verdict::order_created, contract_id(), {1}, order_status::fresh, std::nullopt, std::nullopt};
  record.created_at = sample_time;
  record.expires_at = sample_time + std::chrono::hours{24};
  return record;
}

// Committed state in memory.
class fake_orders final : public order_reader {
 public:
  // Adds the next version of the order.
  void add(order what) { versions_[what.id].push_back(shared(std::move(what))); }
  // Adds a message of the tenant of its origin.
  void add(const guid& id, message_record record) {
    message_key key{record.origin.tenant, id};
    messages_.insert_or_assign(std::move(key), std::move(record));
  }
  // Makes every later read fail.
  void fail() { fails_ = true; }
  // Sets the position that reads show.
  void show_up_to(position last) { visible_ = last; }

  position visible() const noexcept override { return visible_; }
  read_result<shared_order> find_order(order_id id) const override {
    return read([&] { return versions_.contains(id) ? versions_.at(id).back() : nullptr; });
  }
  std::optional<shared_order> find_cached_order(order_id id) const override { return find_order(id).value(); }
  read_result<shared_order> find_version(order_id id, version which) const override {
    return read([&]() -> shared_order {
      const auto found = all_of(id, [&](const order& each) { return each.version == which; });
      return found.empty() ? nullptr : found.front();
    });
  }
  std::unique_ptr<order_list> list_versions(order_id id, std::optional<version> before) const override {
    auto found = all_of(id, [&](const order& each) { return !before || each.version < *before; });
    return std::make_unique<list>(*this, std::move(found));
  }
  std::unique_ptr<order_list> list_orders(std::string_view tenant, std::string_view customer_id,
                                          std::optional<order_id> after) const override {
    return list_if(after, [&](const order& each) {
      return each.origin.tenant == tenant && each.content.customer_id == customer_id;
    });
  }
  std::unique_ptr<order_list> list_external(std::string_view tenant, std::string_view external_id,
                                            std::optional<order_id> after) const override {
    return list_if(after, [&](const order& each) {
      return each.origin.tenant == tenant && each.content.external_id == external_id;
    });
  }
  std::unique_ptr<order_list> list_all(std::optional<order_id> after) const override {
    return list_if(after, [](const order&) { return true; });
  }
  read_result<std::optional<message_record>> find_message(std::string_view tenant, const guid& id,
                                                          const clock_reading& now) const override {
    return read([&]() -> std::optional<message_record> {
      const auto found = messages_.find(tenant_key_view<guid>{tenant, id});
      if (found == messages_.end() || now.has_ended(found->second.expires_at, found->second.created_at))
        return std::nullopt;
      return found->second;
    });
  }
  // Returns how many orders have been read from lists.
  std::size_t listed() const noexcept { return listed_; }

 private:
  class list final : public order_list {
   public:
    // `found` is read from its end.
    list(const fake_orders& of, std::vector<shared_order> found) : of_(of), found_(std::move(found)) {}
    read_result<shared_order> next() override {
      return of_.read([this]() -> shared_order {
        if (found_.empty()) return nullptr;
        auto next = std::move(found_.back());
        found_.pop_back();
        ++of_.listed_;
        return next;
      });
    }

   private:
    const fake_orders& of_;
    std::vector<shared_order> found_;
  };

  template <class Find>
  auto read(Find find) const -> read_result<decltype(find())> {
    if (fails_) return tl::make_unexpected(read_error::storage_failed);
    return find();
  }
  // Lists the orders whose current version fits.
  template <class Predicate>
  std::unique_ptr<order_list> list_if(std::optional<order_id> after, Predicate fits) const {
    std::vector<shared_order> found;
    for (const auto& [id, versions] : versions_) {
      if ((!after || id < *after) && fits(*versions.back())) found.push_back(versions.back());
    }
    return std::make_unique<list>(*this, std::move(found));
  }
  template <class Predicate>
  std::vector<shared_order> all_of(const order_id& id, Predicate fits) const {
    std::vector<shared_order> found;
    const auto at = versions_.find(id);
    if (at == versions_.end()) return found;
    std::copy_if(at->second.begin(), at->second.end(), std::back_inserter(found),
                 [&](const auto& each) { return fits(*each); });
    return found;
  }

  bool fails_ = false;
  mutable std::size_t listed_ = 0;
  position visible_;
  std::map<order_id, std::vector<shared_order>> versions_;
  tenant_map<guid, message_record> messages_;
};

// Builds a request, header by header.
class request {
 public:
  request(verb method, std::string_view target) : made_(method, target, 11) {}
  request(const request& other) : made_(other.made_.base()) { body(other.made_.body().view()); }
  request& operator=(const request&) = delete;

  request& header(std::string_view name, std::string_view value) {
    made_.insert(name, value);
    return *this;
  }
  request& body(std::string_view bytes) {
    made_.body().append(bytes.data(), bytes.size());
    return *this;
  }
  request& json(std::string_view bytes) { return header("Content-Type", "application/json").body(bytes); }

  const http_edge::http_request& get() const noexcept { return made_; }

 private:
  http_edge::http_request made_;
};

// A handler with its context.
struct exchange {
  fake_orders orders;
  manual_clock clock;
  http_edge::service_status status;
  origin sender;  // of each request; if it is empty, the origin is that of the request's identity
  log_positions positions{{5}, {4}, std::nullopt};
  http_edge::handler_context context{&orders, &clock, &status, [] { return std::string("ordem_up 1\n"); },
                                     [this] { return positions; }};
  http_edge::connection_info connection;
  http_edge::access_state access;
  http_edge::handler handler;

  explicit exchange(http_edge::service_state state = http_edge::service_state::ready,
                    const http_edge::access_settings& rules = {},
                    std::unique_ptr<auth::authenticator> authenticator = nullptr, http_edge::denial_lines lines = {})
      : access(rules, names_of(rules), std::move(lines)),
        handler(context, http_edge::server_settings().captured_bytes_max,
                http_edge::access_control(access, std::move(authenticator))) {
    switch (state) {
      case http_edge::service_state::recovering: break;
      case http_edge::service_state::ready: status.set_ready(); break;
      case http_edge::service_state::no_owner:
        status.set_ready();
        status.set_routes(false);
        break;
      case http_edge::service_state::read_only:
        status.set_ready();
        status.stop_writes();
        break;
      case http_edge::service_state::draining: status.set_draining(); break;
    }
  }
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  // Returns the names of the rules for the main listener; any other takes every name.
  static http_edge::hosts_by_listener names_of(const http_edge::access_settings& rules) {
    http_edge::hosts_by_listener names;
    if (!rules.hosts.empty()) names.front() = http_edge::allowed_hosts(rules.hosts);
    return names;
  }

  tl::expected<http_edge::request_head, http_edge::response> read_head(const request& what) {
    auto to = http_edge::find_route(what.get().target());
    auto authorized = handler.authorize(what.get(), to, connection);
    if (!authorized) return tl::make_unexpected(std::move(authorized.error()));
    return handler.read_head(what.get(), std::move(to), connection, std::move(authorized->origin));
  }
  http_edge::handled handle(const request& what) {
    auto head = read_head(what);
    if (!head) return std::move(head.error());
    if (sender != origin()) head->origin = sender;
    return handler.handle(what.get(), std::move(*head));
  }

  // Returns the response to a request that must not become a message.
  http_edge::response answer(const request& what) {
    auto made = handle(what);
    auto* page = std::get_if<http_edge::order_page>(&made);
    if (page == nullptr) return std::get<http_edge::response>(std::move(made));
    for (;;) {
      if (auto whole = page->read_until({})) return std::move(*whole);
    }
  }
  http_edge::response get(std::string_view target) { return answer(request(verb::get, target)); }

  // Returns the message of a request that must be accepted.
  message accept(const request& what) {
    auto made = handle(what);
    if (const auto* refused = std::get_if<http_edge::response>(&made)) throw std::runtime_error(refused->body);
    return std::get<message>(std::move(made));
  }
};

}  // namespace ordem::testing
