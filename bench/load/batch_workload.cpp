#include "bench/load/batch_workload.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

namespace ordem::bench {
namespace {

constexpr std::string_view key_name = R"("idempotency_key":")";
constexpr std::string_view id_name = R"("order_id":")";
constexpr std::string_view version_name = R"("version":)";
constexpr std::size_t version_width = 10;
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

batch_workload::batch_workload(std::string_view fields, const order_text& text, std::size_t lines,
                               std::size_t orders_updated, random_source random, findings& noted)
    : random_(random), noted_(noted), orders_updated_(orders_updated), guids_(lines) {
  if (lines == 0 || lines > batch_lines_max) throw std::invalid_argument("a batch has 1 to 10000 lines");
  const std::string body(text.create_body());
  const std::string key = std::string(key_name) + std::string(uuid_text_bytes, '0') + "\"";
  const std::string order = R"("order":)" + body + "}\n";
  create_ = make_text(fields, "/api/v1/orders/batch", "{" + key + "," + order, lines);
  update_ = make_text(fields, "/api/v1/batch",
                      R"({"op":"replace",)" + key + "," + std::string(id_name) + std::string(uuid_text_bytes, '0') +
                          "\"," + std::string(version_name) + std::string(version_width, ' ') + "," + order,
                      lines);

  // An order comes back as it was sent, with its total before the attributes and what the server adds around it.
  const std::size_t attributes = body.find(R"(,"attributes")");
  const std::size_t turn = body.find(turn_name) + turn_name.size();
  around_ = {"{" + std::string(key_name),
             R"(","status":)",
             R"(,"replayed":false,"expires_at":")",
             R"(","order":{"order_id":")",
             R"(","version":)",
             R"(,"status":"new",)" + body.substr(1, attributes - 1) + R"(,"total":)" + std::to_string(text.total()) +
                 body.substr(attributes, turn - attributes),
             R"("},"created_at":")",
             R"(","updated_at":")",
             R"("}})"};
}

batch_workload::batch_text batch_workload::make_text(std::string_view fields, std::string_view path,
                                                     std::string_view line, std::size_t lines) {
  if (lines * line.size() > batch_bytes_max) throw std::invalid_argument("a batch of so many bytes is not sent");
  batch_text made;
  made.request.append("POST ").append(path).append(" HTTP/1.1\r\n").append(fields);
  made.request +=
      "\r\nContent-Type: application/x-ndjson\r\nContent-Length: " + std::to_string(lines * line.size()) + "\r\n\r\n";
  made.first_line = made.request.size();
  made.line_bytes = line.size();
  for (std::size_t i = 0; i < lines; ++i) made.request += line;
  const auto behind = [&](std::string_view name) { return line.find(name) + name.size(); };
  made.guid = behind(key_name);
  made.order = behind(id_name);
  made.version = behind(version_name);
  made.turn = behind(turn_name);
  return made;
}

// Moves as many random orders to the front as a batch has lines.
void batch_workload::draw_orders() {
  for (std::size_t i = 0; i < guids_.size(); ++i) {
    std::swap(orders_[i], orders_[i + random_.below(orders_.size() - i)]);
  }
}

std::string_view batch_workload::next_request() {
  is_updating_ = orders_updated_ > 0 && is_prepared();
  if (is_updating_) draw_orders();
  auto& text = is_updating_ ? update_ : create_;
  turn_ += guids_.size();
  for (std::size_t i = 0; i < guids_.size(); ++i) {
    const std::size_t line = text.first_line + i * text.line_bytes;
    const auto put = [&](std::size_t offset, std::string_view what) {
      std::ranges::copy(what, text.request.begin() + static_cast<std::ptrdiff_t>(line + offset));
    };
    guids_[i] = random_.next_uuid();
    put_uuid(text.request, line + text.guid, guids_[i]);
    put(text.turn, order_text::turn_text(turn_ + i));
    if (!is_updating_) continue;
    put_uuid(text.request, line + text.order, orders_[i].id);
    const auto version = std::to_string(orders_[i].version);
    put(text.version, std::string(version_width - version.size(), ' ') + version);
  }
  return text.request;
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
  if (!take(line, around_[0]) || take_bytes(line, guid.size()) != std::string_view(guid.data(), guid.size()) ||
      !take(line, around_[1])) {
    return verdict::wrong_body;
  }
  if (!take(line, is_updating_ ? "200" : "201") || !take(line, around_[2])) return verdict::wrong_status;
  if (!is_time(take_bytes(line, time_bytes)) || !take(line, around_[3])) return verdict::wrong_body;
  const auto id = parse_uuid(take_bytes(line, uuid_text_bytes));
  if (!id || (is_updating_ ? *id != orders_[number].id : *id == last_id_)) return verdict::wrong_body;
  const std::uint64_t version = is_updating_ ? orders_[number].version + 1 : 1;
  if (!take(line, around_[4]) || !take(line, std::to_string(version)) || !take(line, around_[5])) {
    return verdict::wrong_body;
  }
  if (take_bytes(line, turn_bytes) != order_text::turn_text(turn_ + number) || !take(line, around_[6])) {
    return verdict::wrong_body;
  }
  const auto created_at = take_bytes(line, time_bytes);
  if (!is_time(created_at) || !take(line, around_[7])) return verdict::wrong_body;
  const auto updated_at = take_bytes(line, time_bytes);
  if (!is_time(updated_at) || line != around_[8]) return verdict::wrong_body;
  if (is_updating_) {
    if (updated_at < created_at) return verdict::wrong_body;
    orders_[number].version = version;
    return verdict::right;
  }
  if (updated_at != created_at) return verdict::wrong_body;
  last_id_ = *id;
  noted_.created.push_back(*id);
  if (orders_updated_ > 0) orders_.push_back({.id = *id, .version = version, .turn = turn_ + number});
  return verdict::right;
}

}  // namespace ordem::bench
