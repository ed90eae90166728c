#include "http-edge/orders/write_message.hpp"

#include <utility>
#include <variant>

#include "engine/codec/canonical_request.hpp"
#include "http-edge/orders/rendering.hpp"

namespace ordem::http_edge {
namespace {

// Completes from.guid by that of the body.
or_response<void> agree_on_guid(write_source& from, const std::optional<std::string>& of_body) {
  if (!of_body) {
    if (!from.guid) return refuse(problem::guid_missing, from.errors.guid_missing);
    return {};
  }
  auto id = guid::parse(*of_body);
  if (!id)
    return refuse(problem::guid_malformed, "the member guid is not a string of 1 to 255 visible ASCII characters");
  if (from.guid && *from.guid != *id) return refuse(problem::guid_mismatch, from.errors.guid_mismatch);
  if (!from.guid) from.guid = std::move(*id);
  return {};
}

or_response<expected_version> agreed_version(const write_source& from, const std::optional<version>& of_body) {
  if (!from.version) return tl::make_unexpected(from.version.error());
  const auto& given = *from.version;
  if (!given) {
    if (!of_body) return refuse(problem::version_required, from.errors.version_missing);
    return expected_version{*of_body, false};
  }
  if (of_body && *of_body != *given) return refuse(problem::version_mismatch, from.errors.version_mismatch);
  return expected_version{*given, from.version_is_if_match};
}

}  // namespace

or_response<message> make_message(write_source& from, codec::write_body& body) {
  if (auto agreed = agree_on_guid(from, body.guid); !agreed) return tl::make_unexpected(std::move(agreed.error()));
  if (!body.violations.empty()) return tl::make_unexpected(invalid_order_response(body.violations));

  std::optional<order_id> target;
  std::optional<expected_version> version;
  if (!std::holds_alternative<create_order>(body.command)) {
    auto agreed = agreed_version(from, body.version);
    if (!agreed) return tl::make_unexpected(std::move(agreed.error()));
    version = *agreed;
    version->merges = from.merges || body.merges;
    target = order_id::parse(from.order_id);
    if (!target) return tl::make_unexpected(no_such_order());
  }
  const fingerprint print = codec::fingerprint_of(codec::canonical(body.command, target, version));
  return message{std::move(*from.guid), print, target, version, std::move(body.command)};
}

response no_such_order() {
  return problem_response(problem::order_not_found, "no order has this id");
}

}  // namespace ordem::http_edge
