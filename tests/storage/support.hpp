// Random records, and entries as the actors make them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/rules/decide.hpp"
#include "storage/log/entry.hpp"
#include "tests/support_cpp/captures.hpp"
#include "tests/support_cpp/random_orders.hpp"
#include "tests/support_cpp/samples.hpp"

namespace ordem::testing {

// Random values of each type. They need not make sense; records must hold all of them.
class random_values final : public random_orders {
 public:
  explicit random_values(std::uint64_t seed) : random_orders(seed, {0, 5, 4, 3, 6}) {}

  std::string text(std::size_t bytes_max) {
    std::string made(number_up_to(bytes_max), '\0');
    for (char& c : made) c = static_cast<char>(up_to(255));
    return made;
  }

  guid a_guid() {
    std::string made(1 + up_to(254), '\0');
    for (char& c : made) c = static_cast<char>('!' + up_to('~' - '!'));
    return guid_of(made);
  }

  order_id id() {
    order_id made;
    for (auto& byte : made.bytes) byte = static_cast<std::uint8_t>(up_to(255));
    return made;
  }

  ordem::version version() { return {number_up_to(~std::uint64_t{0})}; }
  timestamp time() { return timestamp{milliseconds{number_up_to(std::uint64_t{1} << 46)}}; }
  money amount() {
    return money::of_minor_units(static_cast<std::int64_t>(number_up_to(limits::total_minor_units_max))).value();
  }
  // Often empty, as before clients had identities.
  ordem::origin an_origin() {
    if (chance()) return {};
    std::string tenant = text(20);
    return {std::move(tenant), text(20)};
  }
  ordem::verdict verdict() { return static_cast<ordem::verdict>(1 + up_to(5)); }
  std::string customer() override { return text(400); }
  std::string external_id() override { return "x" + text(400); }
  currency_code currency() override { return {letter(), letter(), letter()}; }

  ordem::command command() {
    if (one_in(4)) return create_order{content()};
    return change();
  }

  ordem::order order() {
    ordem::order made;
    made.id = id();
    made.version = version();
    made.status = status();
    made.content = content();
    made.total = amount();
    made.created_at = time();
    made.updated_at = made.created_at + milliseconds{number_up_to(std::uint64_t{1} << 46)};
    made.origin = an_origin();
    if (one_in(3)) made.merged_from = ordem::version{1 + number_up_to(1'000'000)};
    return made;
  }

  message_record message() {
    message_record made;
    made.fingerprint = {number_up_to(~std::uint64_t{0}), number_up_to(~std::uint64_t{0})};
    made.outcome.verdict = verdict();
    made.outcome.order = id();
    made.outcome.version = version();
    made.outcome.status = status();
    if (chance()) made.outcome.requested_status = status();
    if (chance()) made.outcome.expected_version = ordem::expected_version{version(), chance(), chance()};
    made.created_at = time();
    made.expires_at = time();
    if (chance()) made.command = command();
    made.origin = an_origin();
    return made;
  }

  capture_key a_key() {
    std::size_t size = 1 + up_to(limits::capture_key_characters_max - 1);
    if (size % 4 == 1) ++size;
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string made(size, '\0');
    for (char& c : made) c = alphabet[up_to(alphabet.size() - 1)];
    return key_of(made);
  }

  ordem::capture capture() {
    ordem::capture made;
    made.allocated_at = time();
    if (chance()) made.lease_ends_at = time();
    if (chance()) made.expires_at = time();
    if (chance()) made.response = std::make_shared<const captured_response>(response());
    made.origin = an_origin();
    return made;
  }

  storage::entry entry() {
    if (chance()) return message_entry();
    if (chance()) return storage::capture_entry{a_key(), time(), nullptr, an_origin().tenant};
    return storage::capture_entry{a_key(), time(), std::make_shared<const ordem::capture>(capture())};
  }

  // With the order after the message, if its verdict says that there is one.
  storage::message_entry message_entry() {
    storage::message_entry made{a_guid(), message(), nullptr, nullptr};
    if (!is_accepted(made.record.outcome.verdict)) return made;
    ordem::order after = order();
    after.id = made.record.outcome.order;
    after.version = made.record.outcome.version;
    made.after = shared(std::move(after));
    return made;
  }

  clock_state a_clock() {
    const auto some_ms = [&] { return time().time_since_epoch(); };
    clock_state made{time(), text(40), chance() ? some_ms() : -some_ms(), some_ms(), some_ms(), {}};
    for (auto count = up_to(16); count > 0; --count) made.steps.push_back({time(), some_ms()});
    return made;
  }

 private:
  order_item item() override { return {text(64), static_cast<std::uint32_t>(number_up_to(0xFFFF'FFFF)), amount()}; }
  std::string member_name() override { return text(8); }
  std::string text_value() override { return text(200); }
  json_number number_value() override { return {std::to_string(number_up_to(~std::uint64_t{0}))}; }

  char letter() { return static_cast<char>('A' + up_to(25)); }

  captured_response response() {
    captured_response made{static_cast<std::uint16_t>(100 + up_to(899)), text(1000), {}};
    for (auto count = up_to(4); count > 0; --count) {
      made.headers.push_back({text(30), text(200)});
      if (chance()) continue;
      std::vector<std::string> list(up_to(3));
      for (std::string& each : list) each = text(50);
      made.headers.back().value = std::move(list);
    }
    return made;
  }
};

inline constexpr milliseconds sample_ttl = std::chrono::hours(24);

// Returns the entry that results from a message to the order `current` (null: no order). REQUIRES: the message is not
// refused.
inline storage::message_entry entry_of(const message& what, const shared_order& current, order_id fresh_id,
                                       timestamp now = sample_time) {
  auto decision = decide(current.get(), what, fresh_id, now);
  message_record record{what.fingerprint, {}, now, now + sample_ttl, std::nullopt, what.origin};
  if (auto* rejected = std::get_if<outcome>(&decision)) {
    record.outcome = *rejected;
    record.command = what.command;
    return {what.guid, std::move(record), nullptr, nullptr};
  }
  auto after = shared(apply(current.get(), std::get<event>(std::move(decision))));
  record.outcome = accepted_outcome(what, *after);
  return {what.guid, std::move(record), current, std::move(after)};
}

inline bool is_same(const shared_capture& a, const shared_capture& b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

inline bool is_same(const shared_order& a, const shared_order& b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

inline bool is_same(const storage::capture_entry& a, const storage::capture_entry& b) {
  return a.key == b.key && a.at == b.at && is_same(a.after, b.after) && a.tenant() == b.tenant();
}

// Returns whether a log group keeps the entry as `read`.
inline bool is_logged_as(const storage::entry& written, const storage::entry& read) {
  if (const auto* message = std::get_if<storage::message_entry>(&written)) {
    const auto* logged = std::get_if<storage::message_entry>(&read);
    return logged != nullptr && logged->guid == message->guid && logged->record == message->record &&
           logged->before == nullptr && is_same(logged->after, message->after);
  }
  const auto* capture = std::get_if<storage::capture_entry>(&read);
  return capture != nullptr && is_same(std::get<storage::capture_entry>(written), *capture);
}

}  // namespace ordem::testing
