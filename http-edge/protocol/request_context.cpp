#include "http-edge/protocol/request_context.hpp"

#include <algorithm>
#include <utility>

#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

// The fields of version 00, "00-<32 digits>-<16 digits>-<2 digits>".
constexpr std::size_t trace_id_at = 3;
constexpr std::size_t span_id_at = 36;
constexpr std::size_t flags_at = 53;
constexpr std::size_t trace_parent_bytes = 55;
constexpr std::uint8_t sampled_flag = 1;

// Reads Size bytes in lower-case hexadecimal digits. REQUIRES: text has 2 * Size characters from `at` on.
template <std::size_t Size>
bool read_hex(std::string_view text, std::size_t at, std::array<std::uint8_t, Size>& to) noexcept {
  for (std::size_t i = 0; i < Size; ++i) {
    const auto high = digits.find(text[at + 2 * i]);
    const auto low = digits.find(text[at + 2 * i + 1]);
    if (high == digits.npos || low == digits.npos) return false;
    to[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

template <std::size_t Size>
bool is_zero(const std::array<std::uint8_t, Size>& bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// W3C Trace Context, section 3.3.1.3: names begin with a letter, those of tenants also with a digit.
bool is_state_key(std::string_view key) noexcept {
  const auto is_key_character = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_-*/@").find(c) != std::string_view::npos;
  };
  const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !key.empty() && is_first(key.front()) && std::all_of(key.begin(), key.end(), is_key_character);
}

bool is_state_value(std::string_view value) noexcept {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

// Returns whether the members of a list that is not over its bound are valid, and not too many. There may be empty
// ones.
bool is_trace_state(std::string_view list) noexcept {
  std::size_t members = 0;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto member = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const auto begin = member.find_first_not_of(" \t");
    if (begin == member.npos) continue;
    member = member.substr(begin, member.find_last_not_of(" \t") - begin + 1);
    const auto equals = member.find('=');
    if (equals == member.npos || !is_state_key(member.substr(0, equals)) || !is_state_value(member.substr(equals + 1)))
      return false;
    if (++members > trace_state_members_max) return false;
  }
  return members > 0;
}

// A header field that may be given once.
struct single_field {
  std::string_view value;
  bool given = false;
  bool repeated = false;

  void add(std::string_view another) noexcept {
    repeated = std::exchange(given, true);
    value = another;
  }
  bool once() const noexcept { return given && !repeated; }
};

}  // namespace

request_id_generator::request_id_generator() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
  random_.seed(seed);
}

void request_id_generator::generate(std::string& to) {
  std::array<char, 32> text;
  for (std::size_t at = 0; at < text.size();) {
    auto bits = random_();
    for (int i = 0; i < 16; ++i, bits >>= 4) text[at++] = digits[bits & 15];
  }
  to.assign(text.data(), text.size());
}

std::optional<trace_parent> parse_trace_parent(std::string_view value) noexcept {
  if (value.size() < trace_parent_bytes) return std::nullopt;
  if (value[trace_id_at - 1] != '-' || value[span_id_at - 1] != '-' || value[flags_at - 1] != '-') return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  trace_parent found;
  if (!read_hex(value, 0, version) || !read_hex(value, trace_id_at, found.trace_id) ||
      !read_hex(value, span_id_at, found.span_id) || !read_hex(value, flags_at, flags))
    return std::nullopt;
  if (version[0] == 0xFF || is_zero(found.trace_id) || is_zero(found.span_id)) return std::nullopt;
  // A later version may add fields behind these.
  const auto rest = value.substr(trace_parent_bytes);
  if (!rest.empty() && (version[0] == 0 || rest.front() != '-')) return std::nullopt;
  found.sampled = (flags[0] & sampled_flag) != 0;
  return found;
}

bool is_request_id(std::string_view value) noexcept {
  return !value.empty() && value.size() <= request_id_bytes_max &&
         std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c <= '~'; });
}

void read_request_context(const request_header& header, request_context& to) {
  constexpr std::string_view id_name = "X-Request-Id";
  constexpr std::string_view parent_name = "traceparent";
  constexpr std::string_view state_name = "tracestate";
  single_field id;
  single_field parent;
  bool has_state = false;
  // In one pass, as a search for each of them by its name would take longer.
  for (const auto& field : header) {
    if (field.name() != boost::beast::http::field::unknown) continue;
    const std::string_view name = field.name_string();
    if (name.size() == id_name.size() && equals_ignoring_case(name, id_name)) id.add(field.value());
    if (name.size() == parent_name.size() && equals_ignoring_case(name, parent_name)) parent.add(field.value());
    if (name.size() == state_name.size() && equals_ignoring_case(name, state_name)) has_state = true;
  }
  if (id.once() && is_request_id(id.value)) to.request_id = id.value;
  if (parent.once()) to.parent = parse_trace_parent(parent.value);
  if (!to.parent || !has_state) return;
  const auto [first, last] = header.equal_range(state_name);
  for (auto each = first; each != last; ++each) {
    if (to.trace_state.size() + each->value().size() + 1 > trace_state_bytes_max + 1) return to.trace_state.clear();
    if (!to.trace_state.empty()) to.trace_state += ',';
    to.trace_state += each->value();
  }
  if (to.trace_state.size() > trace_state_bytes_max || !is_trace_state(to.trace_state)) to.trace_state.clear();
}

}  // namespace ordem::http_edge
