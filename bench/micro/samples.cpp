#include "bench/micro/samples.hpp"

#include <span>
#include <utility>

#include "actors/execution.hpp"
#include "bench/load/uuid.hpp"
#include "bench/micro/consume.hpp"
#include "engine/codec/canonical_request.hpp"

namespace ordem::bench {
namespace {

std::string numbered(std::string_view prefix, std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(prefix) + digits.insert(0, 6 - digits.size(), '0');
}

}  // namespace

std::string samples::guid_text() {
  std::string text(uuid_text_bytes, '\0');
  const uuid made{random_(), random_()};
  write_uuid(made, std::span<char, uuid_text_bytes>(text.data(), uuid_text_bytes));
  return text;
}

guid samples::guid() {
  return ordem::guid::parse(guid_text()).value();
}

std::string samples::capture_key_text() {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text(uuid_text_bytes / 3 * 4, '\0');  // 36 characters, encoded
  for (char& c : text) c = alphabet[below(alphabet.size())];
  return text;
}

order_content samples::content(std::size_t items) {
  order_content made;
  made.customer_id = numbered("c-", below(10'000));
  made.currency = {'E', 'U', 'R'};
  made.items.reserve(items);
  for (std::size_t i = 0; i < items; ++i) {
    const auto price = static_cast<std::int64_t>(1 + below(100'000));
    made.items.push_back({numbered("sku-", below(1'000'000)), static_cast<std::uint32_t>(1 + below(9)),
                          money::of_minor_units(price).value()});
  }
  made.attributes = json_object{{"channel", {std::string("web")}}};
  return made;
}

ordem::order samples::order(std::size_t items) {
  return *create_entry(items).after;
}

command samples::command_of(command_kind what, std::size_t items) {
  switch (what) {
    case command_kind::create: return create_order{content(items)};
    case command_kind::replace: return replace_content{content(items)};
    case command_kind::merge: {
      merge_content patch;
      patch.attributes = json_object{{"gift", {true}}};
      return patch;
    }
    case command_kind::status: return change_status{order_status::confirmed};
  }
  throw std::logic_error("there is no such command");
}

message samples::creation(std::size_t items) {
  return {guid(), {random_(), random_()}, std::nullopt, std::nullopt, command_of(command_kind::create, items)};
}

message samples::change(command_kind what, const ordem::order& current) {
  return {guid(),
          {random_(), random_()},
          current.id,
          ordem::expected_version{current.version, false},
          command_of(what, current.content.items.size())};
}

storage::message_entry samples::create_entry(std::size_t items) {
  constexpr std::uint64_t creates_a_millisecond = 32;
  const timestamp now = sample_time + milliseconds(created_++ / creates_a_millisecond);
  message request = creation(items);
  const order_id fresh = ids_.next(now, request.guid.slot());
  auto done = actors::execute_task({{}, 0, std::move(request)}, nullptr, fresh, now, sample_ttl);
  expect(done.decided.entry.has_value(), "a create was refused");
  return std::get<storage::message_entry>(std::move(*done.decided.entry));
}

std::vector<storage::entry> samples::create_entries(std::size_t count, std::size_t items) {
  std::vector<storage::entry> made;
  made.reserve(count);
  while (made.size() < count) made.emplace_back(create_entry(items));
  return made;
}

captured_response samples::response(std::size_t body_bytes) {
  std::string body = R"({"note":")";
  while (body.size() + 2 < body_bytes) body += static_cast<char>('a' + below(26));
  body += R"("})";
  return {201,
          std::move(body),
          {{"Content-Type", "application/json"},
           {"Location", "/things/" + guid_text()},
           {"Set-Cookie", std::vector<std::string>{"a=1; Path=/", "b=2; Path=/"}}}};
}

std::string body_of(const message& what) {
  return codec::canonical(what.command, what.target, what.expected_version).body;
}

}  // namespace ordem::bench
