#include "bench/load/batch_workload.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

namespace ordem::bench {
namespace {

constexpr std::string_view line_begin = R"({"idempotency_key":")";
constexpr std::string_view order_name = R"(","order":)";
constexpr std::string_view line_end = "}\n";
constexpr std::string_view turn_name = R"("turn":")";
constexpr std::size_t turn_bytes = 10;
constexpr std::size_t time_bytes = std::string_view("2026-11-22T10:15:30.123Z").size();

// Takes `text` off the front of `rest`; false if something else stands there.
bool take(std::string_view& rest, std::string_view text) noexcept {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

// Takes so many bytes; fewer if there are no more.
std::string_view take_bytes(std::string_view& rest, std::size_t bytes) noexcept {
  const auto taken = rest.substr(0, bytes);
  rest.remove_prefix(taken.size());
  return taken;
}

bool is_time(std::string_view text) noexcept {
  return text.size() == time_bytes && text[10] == 'T' && text[19] == '.' && text.back() == 'Z';
}

void put_uuid(std::string& text, std::size_t offset, const uuid& id) noexcept {
  write_uuid(id, std::span<char, uuid_text_bytes>(text.data() + offset, uuid_text_bytes));
}

}  // namespace

batch_workload::batch_workload(std::string_view host, const order_text& text, std::size_t lines, random_source random,
                               findings& noted)
    : random_(random), noted_(noted), guids_(lines) {
  const std::string body(text.create_body());
  line_bytes_ = line_begin.size() + uuid_text_bytes + order_name.size() + body.size() + line_end.size();
  if (lines == 0 || lines > batch_lines_max) throw std::invalid_argument("a batch has 1 to 10000 lines");
  if (lines * line_bytes_ > batch_bytes_max) throw std::invalid_argument("a batch of so many bytes is not sent");

  request_ = "POST /api/v1/orders/batch HTTP/1.1\r\nHost: " + std::string(host) +
             "\r\nContent-Type: application/x-ndjson\r\nContent-Length: " + std::to_string(lines * line_bytes_) +
             "\r\n\r\n";
  first_line_ = request_.size();
  for (std::size_t i = 0; i < lines; ++i) {
    request_.append(line_begin).append(uuid_text_bytes, '0').append(order_name).append(body).append(line_end);
  }
  const std::size_t turn = body.find(turn_name) + turn_name.size();
  turn_offset_ = line_bytes_ - line_end.size() - body.size() + turn;

  // An order comes back as it was sent, with its total before the attributes and what the server adds around it.
  const std::size_t attributes = body.find(R"(,"attributes")");
  around_ = {std::string(line_begin),
             R"(","status":201,"replayed":false,"expires_at":")",
             R"(","order":{"order_id":")",
             R"(","version":1,"status":"new",)" + body.substr(1, attributes - 1) + R"(,"total":)" +
                 std::to_string(text.total()) + body.substr(attributes, turn - attributes),
             R"("},"created_at":")",
             R"(","updated_at":")",
             R"("}})"};
}

std::string_view batch_workload::next_request() {
  turn_ += guids_.size();
  for (std::size_t i = 0; i < guids_.size(); ++i) {
    const std::size_t line = first_line_ + i * line_bytes_;
    guids_[i] = random_.next_uuid();
    put_uuid(request_, line + line_begin.size(), guids_[i]);
    const auto turn = order_text::turn_text(turn_ + i);
    std::ranges::copy(turn, request_.begin() + static_cast<std::ptrdiff_t>(line + turn_offset_));
  }
  return request_;
}

verdict batch_workload::judge(const answer& got) {
  if (got.status != 200) return verdict::wrong_status;
  if (got.header("content-type") != "application/x-ndjson") return verdict::wrong_header;
  auto rest = got.body;
  for (std::size_t i = 0; i < guids_.size(); ++i) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) return verdict::wrong_body;
    const auto checked = judge_line(rest.substr(0, end), i);
    if (checked != verdict::right) return checked;
    rest.remove_prefix(end + 1);
  }
  return rest.empty() ? verdict::right : verdict::wrong_body;
}

verdict batch_workload::judge_line(std::string_view line, std::size_t number) {
  std::array<char, uuid_text_bytes> guid;
  write_uuid(guids_[number], guid);
  if (!take(line, around_[0]) || take_bytes(line, guid.size()) != std::string_view(guid.data(), guid.size())) {
    return verdict::wrong_body;
  }
  if (!take(line, around_[1])) return verdict::wrong_status;
  if (!is_time(take_bytes(line, time_bytes)) || !take(line, around_[2])) return verdict::wrong_body;
  const auto id = parse_uuid(take_bytes(line, uuid_text_bytes));
  if (!id || *id == last_id_ || !take(line, around_[3])) return verdict::wrong_body;
  if (take_bytes(line, turn_bytes) != order_text::turn_text(turn_ + number) || !take(line, around_[4])) {
    return verdict::wrong_body;
  }
  const auto created_at = take_bytes(line, time_bytes);
  if (!is_time(created_at) || !take(line, around_[5])) return verdict::wrong_body;
  if (take_bytes(line, time_bytes) != created_at || line != around_[6]) return verdict::wrong_body;
  last_id_ = *id;
  noted_.created.push_back(*id);
  return verdict::right;
}

}  // namespace ordem::bench
