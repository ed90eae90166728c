#include "bench/load/order_answer.hpp"

#include "bench/load/json_scan.hpp"

namespace ordem::bench {
namespace {

constexpr std::uint64_t stale_code = 3043;

// "12", with its quotes.
bool is_etag(std::optional<std::string_view> value, std::uint64_t version) {
  return value == '"' + std::to_string(version) + '"';
}

bool has_last_sku(std::string_view body, std::string_view sku) noexcept {
  const auto at = body.rfind(R"("sku")");
  return at != std::string_view::npos && string_member(body.substr(at), R"("sku")") == sku;
}

}  // namespace

verdict check_order(const answer& got, const expected_order& expected, const order_text& text) {
  if (got.status != expected.status) return verdict::wrong_status;
  if (!is_etag(got.header("etag"), expected.version)) return verdict::wrong_header;
  const auto body = got.body;
  const auto id = order_id_of(got);
  const bool is_right =
      number_member(body, R"("code")") == expected.status && string_member(body, R"("message")") == expected.message &&
      id && (!expected.id || *id == *expected.id) && number_member(body, R"("version")") == expected.version &&
      string_member(body, R"("customer_id")") == text.customer() && number_member(body, R"("total")") == text.total() &&
      has_last_sku(body, text.last_sku()) && string_member(body, R"("turn")") == order_text::turn_text(expected.turn);
  return is_right ? verdict::right : verdict::wrong_body;
}

std::optional<uuid> order_id_of(const answer& got) {
  const auto text = string_member(got.body, R"("order_id")");
  return text ? parse_uuid(*text) : std::nullopt;
}

verdict judge_stale(const answer& got, std::uint64_t expected_version) {
  if (got.status != 409) return verdict::wrong_status;
  const bool is_right = number_member(got.body, R"("code")") == stale_code &&
                        string_member(got.body, R"("message")") == "data is out of date" &&
                        number_member(got.body, R"("supplied_version")") == expected_version &&
                        number_member(got.body, R"("current_version")").has_value();
  return is_right ? verdict::stale : verdict::wrong_body;
}

bool is_refusal(const answer& got) {
  return got.status == 503 || got.status == 429;
}

verdict judge_refusal(const answer& got) {
  if (!got.header("retry-after")) return verdict::wrong_header;
  const std::string_view expected = got.status == 429 ? "/problems/rate-limited" : "/problems/overloaded";
  return string_member(got.body, R"("type")") == expected ? verdict::right : verdict::wrong_body;
}

std::uint64_t current_version_of(const answer& got) {
  return number_member(got.body, R"("current_version")").value_or(0);
}

bool is_replay(const answer& got) {
  return got.header("idempotency-replayed").has_value();
}

}  // namespace ordem::bench
