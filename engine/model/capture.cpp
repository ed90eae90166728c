#include "engine/model/capture.hpp"

#include <algorithm>

#include "engine/base/limits.hpp"
#include "engine/model/json_value.hpp"

namespace ordem {
namespace {

bool is_base64url(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

capture_decision changed(capture_verdict verdict, capture after) {
  return {verdict, capture_change{std::make_shared<const capture>(std::move(after))}};
}

struct decider {
  const capture* current;  // null: there is none, or none any more
  const capture_terms& terms;
  const clock_reading& reading;
  timestamp now = reading.now();

  capture_decision operator()(const allocate_capture&) const {
    if (current != nullptr && current->response != nullptr) return {capture_verdict::completed, std::nullopt};
    if (current != nullptr && current->is_leased_at(reading)) return {capture_verdict::in_flight, std::nullopt};
    const bool ends = terms.lease > milliseconds(0);
    return changed(capture_verdict::allocated, {now, ends ? std::optional(now + terms.lease) : std::nullopt,
                                                ends ? std::optional(now + terms.ttl) : std::nullopt, nullptr});
  }
  // The lease is not looked at: as long as nothing is recorded, the first who comes has the answer.
  capture_decision operator()(const record_capture& record) const {
    if (current == nullptr || current->response != nullptr) return {capture_verdict::not_recordable, std::nullopt};
    return changed(capture_verdict::recorded, {current->allocated_at, std::nullopt, now + terms.ttl, record.response});
  }
  capture_decision operator()(const release_capture&) const {
    if (current == nullptr) return {capture_verdict::unknown, std::nullopt};
    if (current->response != nullptr) return {capture_verdict::not_releasable, std::nullopt};
    return {capture_verdict::released, capture_change{nullptr}};
  }
};

}  // namespace

std::optional<capture_key> capture_key::parse(std::string_view text) {
  if (text.empty() || text.size() > limits::capture_key_characters_max || text.size() % 4 == 1) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), is_base64url)) return std::nullopt;
  return capture_key{text};
}

void append_json(std::string& out, const std::vector<captured_header>& headers) {
  out += '[';
  for (const captured_header& header : headers) {
    if (out.back() != '[') out += ',';
    out += "{\"key\":";
    append_json_string(out, header.key);
    out += ",\"value\":";
    if (const auto* one = std::get_if<std::string>(&header.value)) {
      append_json_string(out, *one);
    } else {
      out += '[';
      const auto& list = std::get<std::vector<std::string>>(header.value);
      for (std::size_t i = 0; i < list.size(); ++i) {
        if (i != 0) out += ',';
        append_json_string(out, list[i]);
      }
      out += ']';
    }
    out += '}';
  }
  out += ']';
}

std::size_t bytes_of(const captured_response& what) noexcept {
  std::size_t bytes = what.body.size();
  for (const captured_header& header : what.headers) {
    bytes += header.key.size();
    if (const auto* one = std::get_if<std::string>(&header.value)) {
      bytes += one->size();
    } else {
      for (const std::string& each : std::get<std::vector<std::string>>(header.value)) bytes += each.size();
    }
  }
  return bytes;
}

bool operator==(const capture& a, const capture& b) {
  const bool same_response =
      a.response == nullptr || b.response == nullptr ? a.response == b.response : *a.response == *b.response;
  return same_response && a.allocated_at == b.allocated_at && a.lease_ends_at == b.lease_ends_at &&
         a.expires_at == b.expires_at;
}

std::string_view to_string(capture_verdict what) noexcept {
  switch (what) {
    case capture_verdict::allocated: return "allocated";
    case capture_verdict::in_flight: return "in_flight";
    case capture_verdict::completed: return "completed";
    case capture_verdict::recorded: return "recorded";
    case capture_verdict::not_recordable: return "not_recordable";
    case capture_verdict::released: return "released";
    case capture_verdict::not_releasable: return "not_releasable";
    case capture_verdict::unknown: return "unknown";
  }
  return "";
}

capture_decision decide(const shared_capture& current, const capture_request& asked, const capture_terms& terms,
                        const clock_reading& now) {
  const bool is_there = current != nullptr && current->is_kept_at(now);
  return std::visit(decider{is_there ? current.get() : nullptr, terms, now}, asked.action);
}

}  // namespace ordem
