// The body of a write. The first byte says of which call: '0' create, '1' replace, '2' merge, '3' change of status.
//
// A body without violations must be a command that the engine's rules accept, and its canonical form must be read as
// the same command with the same fingerprint. One with violations must make an answer that is JSON.

#include "engine/codec/write_body.hpp"

#include <utility>
#include <variant>

#include "engine/codec/canonical_request.hpp"
#include "http-edge/orders/rendering.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::http_edge {
namespace {

using namespace codec;

constexpr std::size_t violations_max = 1000;

tl::expected<write_body, malformed_json_error> read(write_kind kind, std::string_view body, char fill) {
  static simdjson::dom::parser parser = fuzz::json_parser();
  return read_write_body(kind, fuzz::padded_text(body, fill).view(), parser);
}

bool is_same(const tl::expected<write_body, malformed_json_error>& a,
             const tl::expected<write_body, malformed_json_error>& b) {
  if (!a || !b) return !a && !b && a.error().detail == b.error().detail;
  return a->guid == b->guid && a->version == b->version && a->merges == b->merges && a->command == b->command &&
         a->violations == b->violations;
}

// What a merge makes of an order, as far as the patch says it.
order_content patched(const merge_content& patch) {
  order_content content{"c", {'E', 'U', 'R'}, {{"A", 1, money{}}}, std::nullopt};
  if (patch.customer_id) content.customer_id = *patch.customer_id;
  if (patch.currency) content.currency = *patch.currency;
  if (patch.items) content.items = *patch.items;
  if (const auto* external_id = std::get_if<std::string>(&patch.external_id)) content.external_id = *external_id;
  if (const auto* changes = std::get_if<json_object>(&patch.attributes)) content.attributes = merge_patch({}, *changes);
  return content;
}

void check_violations(const std::vector<violation>& violations) {
  ORDEM_CHECK(violations.size() <= violations_max);
  for (const violation& each : violations) {
    ORDEM_CHECK(each.pointer.empty() || each.pointer.front() == '/');
    ORDEM_CHECK(!each.detail.empty());
  }
  const response refused = invalid_order_response(violations);
  ORDEM_CHECK(refused.status == 422);
  ORDEM_CHECK(fuzz::is_json_object(refused.body));
}

void check_command(write_kind kind, const write_body& body) {
  ORDEM_CHECK(body.command.index() == static_cast<std::size_t>(kind));
  if (const auto* create = std::get_if<create_order>(&body.command))
    ORDEM_CHECK(violations_of(create->content).empty());
  if (const auto* replace = std::get_if<replace_content>(&body.command))
    ORDEM_CHECK(violations_of(replace->content).empty());
  if (const auto* merge = std::get_if<merge_content>(&body.command))
    ORDEM_CHECK(violations_of(patched(*merge)).empty());

  const bool creates = kind == write_kind::create;
  const auto target = creates ? std::nullopt : std::optional(order_id{});
  const auto expected_version =
      creates ? std::nullopt
              : std::optional(ordem::expected_version{body.version.value_or(version{1}), false, body.merges});
  const canonical_request once = canonical(body.command, target, expected_version);
  const auto again = read(kind, once.body, '\0');
  ORDEM_CHECK(again.has_value());
  ORDEM_CHECK(again->violations.empty());
  ORDEM_CHECK(again->command == body.command);
  ORDEM_CHECK(!again->guid);
  ORDEM_CHECK(again->merges == body.merges);
  ORDEM_CHECK(again->version == (creates ? std::nullopt : std::optional(expected_version->version)));
  const canonical_request twice = canonical(again->command, target, expected_version);
  ORDEM_CHECK(twice.body == once.body);
  ORDEM_CHECK(fingerprint_of(twice) == fingerprint_of(once));
}

void run(std::string_view input) {
  const auto kind = static_cast<write_kind>(fuzz::take_choice(input, 4));
  const auto body = read(kind, input, '\0');
  ORDEM_CHECK(is_same(body, read(kind, input, '9')));
  if (!body) {
    ORDEM_CHECK(fuzz::is_json_object(problem_response(problem::malformed_json, body.error().detail).body));
  } else if (!body->violations.empty()) {
    check_violations(body->violations);
  } else {
    check_command(kind, *body);
  }
}

}  // namespace
}  // namespace ordem::http_edge

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::http_edge::run(ordem::fuzz::text_of(data, size));
  return 0;
}
