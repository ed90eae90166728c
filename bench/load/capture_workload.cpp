#include "bench/load/capture_workload.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

#include "bench/load/json_scan.hpp"

namespace ordem::bench {
namespace {

// A UUID's text is base64url without padding, too.
constexpr std::string_view key_begin = R"({"idempotency_key":")";
constexpr std::string_view record_begin = R"(","response":{"response_status":201,"response_body":")";
constexpr std::string_view record_end = R"(","response_headers":[{"key":"X-Load","value":"captured"}]}})";
constexpr std::size_t turn_digits = 16;  // hexadecimal

std::string head(std::string_view method, std::string_view fields, std::size_t body_bytes) {
  std::string text(method);
  text.append(" /api/v2/captures HTTP/1.1\r\n").append(fields);
  return text.append("\r\nContent-Length: ").append(std::to_string(body_bytes)).append("\r\n\r\n");
}

std::span<char, uuid_text_bytes> key_in(std::string& text, std::size_t offset) {
  return std::span<char, uuid_text_bytes>(text.data() + offset, uuid_text_bytes);
}

}  // namespace

capture_workload::capture_workload(std::string_view fields, random_source random, std::size_t record_bytes)
    : random_(random) {
  const std::string blank_key(uuid_text_bytes, '0');
  constexpr std::string_view put_end = R"("})";
  put_ = head("PUT", fields, key_begin.size() + uuid_text_bytes + put_end.size()).append(key_begin);
  put_key_ = put_.size();
  put_.append(blank_key).append(put_end);

  const std::size_t least_bytes =
      key_begin.size() + uuid_text_bytes + record_begin.size() + turn_digits + record_end.size();
  if (record_bytes > 0 && record_bytes < least_bytes) {
    throw std::invalid_argument("a capture's body has at least " + std::to_string(least_bytes) + " bytes");
  }
  const std::size_t filling = record_bytes > 0 ? record_bytes - least_bytes : 0;
  post_ = head("POST", fields, least_bytes + filling).append(key_begin);
  post_key_ = post_.size();
  post_.append(blank_key).append(record_begin);
  post_turn_ = post_.size();
  response_body_ = std::string(turn_digits + filling, 'x');
  post_.append(response_body_).append(record_end);
}

std::string_view capture_workload::next_request() {
  step_ = has_gone_wrong_ || step_ == step::read ? step::allocate : step_ == step::allocate ? step::record : step::read;
  has_gone_wrong_ = false;
  switch (step_) {
    case step::allocate: write_uuid(random_.next_uuid(), key_in(put_, put_key_)); return put_;
    case step::record: {
      std::ranges::copy(key_in(put_, put_key_), post_.begin() + static_cast<std::ptrdiff_t>(post_key_));
      constexpr std::string_view digits = "0123456789abcdef";
      auto content = random_();
      for (std::size_t i = 0; i < turn_digits; ++i, content >>= 4) response_body_[i] = digits[content & 0xf];
      std::ranges::copy(response_body_, post_.begin() + static_cast<std::ptrdiff_t>(post_turn_));
      return post_;
    }
    case step::read: return put_;
  }
  return put_;
}

request_kind capture_workload::kind() const {
  switch (step_) {
    case step::allocate: return request_kind::allocate;
    case step::record: return request_kind::record;
    case step::read: return request_kind::read_capture;
  }
  return request_kind::allocate;
}

verdict capture_workload::judge(const answer& got) {
  has_gone_wrong_ = true;  // then the next request begins with another key
  const unsigned status_wanted = step_ == step::allocate ? 202 : 200;
  if (got.status != status_wanted) return verdict::wrong_status;
  const std::string_view key(put_.data() + put_key_, uuid_text_bytes);
  const bool is_right = step_ == step::read ? string_member(got.body, R"("idempotency_key")") == key &&
                                                  number_member(got.body, R"("response_status")") == 201U &&
                                                  string_member(got.body, R"("response_body")") == response_body_ &&
                                                  string_member(got.body, R"("key")") == "X-Load" &&
                                                  string_member(got.body, R"("value")") == "captured"
                                            : got.body.empty();
  has_gone_wrong_ = !is_right;
  return is_right ? verdict::right : verdict::wrong_body;
}

}  // namespace ordem::bench
