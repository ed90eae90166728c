#include "engine/codec/canonical_request.hpp"

#include <xxhash.h>

#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/json_pieces.hpp"
#include "engine/codec/order_json.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::codec {
namespace {

// Where a write does not say what to do about a conflict, its canonical form is that of before it could.
void append_on_conflict_member(std::string& out, const ordem::expected_version& expected_version) {
  if (expected_version.merges) out += ",\"on_conflict\":\"merge\"";
}

void append_version_member(std::string& out, const std::optional<ordem::expected_version>& expected_version) {
  if (!expected_version) return;
  out += ",\"version\":";
  append_number(out, expected_version->version.number);
  append_on_conflict_member(out, *expected_version);
}

struct body_writer {
  std::string& out;
  const std::optional<ordem::expected_version>& expected_version;

  void operator()(const create_order& create) const { append_content(create.content); }
  void operator()(const replace_content& replace) const { append_content(replace.content); }
  void operator()(const merge_content& patch) const {
    const char* separator = "{";
    const auto begin_member = [&](std::string_view name) {
      out += std::exchange(separator, ",");
      append_json_string(out, name);
      out += ':';
    };
    if (patch.customer_id) {
      begin_member("customer_id");
      append_json_string(out, *patch.customer_id);
    }
    if (std::holds_alternative<merge_content::remove_external_id>(patch.external_id)) {
      begin_member("external_id");
      out += "null";
    } else if (const auto* external_id = std::get_if<std::string>(&patch.external_id)) {
      begin_member("external_id");
      append_json_string(out, *external_id);
    }
    if (patch.currency) {
      begin_member("currency");
      append_json_string(out, text_of(*patch.currency));
    }
    if (patch.items) {
      begin_member("items");
      append_items(out, *patch.items);
    }
    if (std::holds_alternative<merge_content::remove_attributes>(patch.attributes)) {
      begin_member("attributes");
      out += "null";
    } else if (const auto* changes = std::get_if<json_object>(&patch.attributes)) {
      begin_member("attributes");
      append_json(out, *changes);
    }
    ORDEM_CHECK(expected_version.has_value());
    begin_member("version");
    append_number(out, expected_version->version.number);
    append_on_conflict_member(out, *expected_version);
    out += '}';
  }
  void operator()(const change_status& change) const {
    out += "{\"status\":";
    append_json_string(out, to_string(change.to));
    append_version_member(out, expected_version);
    out += '}';
  }

  void append_content(const order_content& content) const {
    out += "{\"customer_id\":";
    append_json_string(out, content.customer_id);
    append_external_id(out, content);
    out += ",\"currency\":";
    append_json_string(out, text_of(content.currency));
    out += ",\"items\":";
    append_items(out, content.items);
    if (content.attributes) {
      out += ",\"attributes\":";
      append_json(out, *content.attributes);
    }
    append_version_member(out, expected_version);
    out += '}';
  }
};

struct method_of {
  std::string_view operator()(const create_order&) const { return "POST"; }
  std::string_view operator()(const replace_content&) const { return "PUT"; }
  std::string_view operator()(const merge_content&) const { return "PATCH"; }
  std::string_view operator()(const change_status&) const { return "POST"; }
};

}  // namespace

std::string order_path(const order_id& id) {
  std::string path(orders_path);
  path += '/';
  id.append_to(path);
  return path;
}

canonical_request canonical(const command& what, const std::optional<order_id>& target,
                            const std::optional<ordem::expected_version>& expected_version) {
  canonical_request request;
  request.body.reserve(256);
  request.method = std::visit(method_of{}, what);
  request.path = target ? order_path(*target) : std::string(orders_path);
  if (std::holds_alternative<change_status>(what)) request.path += "/status";
  std::visit(body_writer{request.body, expected_version}, what);
  return request;
}

fingerprint fingerprint_of(const canonical_request& what) {
  std::string text;
  text.reserve(what.method.size() + what.path.size() + what.body.size() + 2);
  text += what.method;
  text += ' ';
  text += what.path;
  text += '\n';
  text += what.body;
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

}  // namespace ordem::codec
