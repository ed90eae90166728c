// The body of a batch as it arrives, in pieces of any size. The input is
//
//   longest line 1 | pieces 1: '0' to '7' | size of each piece 1 ... | body |
//
// The last piece is what is left. The lines must be those of the whole body, whatever the pieces; what is kept between
// two pieces is bounded; and a line must be read the same whatever follows it.

#include <algorithm>
#include <memory>
#include <variant>
#include <vector>

#include "engine/codec/canonical_request.hpp"
#include "engine/codec/write_body.hpp"
#include "http-edge/orders/batch_line.hpp"
#include "http-edge/orders/rendering.hpp"
#include "http-edge/protocol/line_splitter.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::http_edge {
namespace {

using namespace codec;

struct found_line {
  std::string text;
  bool too_long = false;
  friend bool operator==(const found_line&, const found_line&) = default;
};

bool is_blank(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return std::all_of(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
}

// The whole body taken apart in the plainest way.
std::vector<found_line> expected_lines(std::string_view body, std::size_t line_bytes_max) {
  std::vector<found_line> lines;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    std::string_view text = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.size() > line_bytes_max) {
      lines.push_back({"", true});
    } else if (!is_blank(text)) {
      lines.push_back({std::string(text), false});
    }
  }
  return lines;
}

simdjson::dom::parser& line_parser() {
  static simdjson::dom::parser parser = fuzz::json_parser(limits::json_depth_max + 1);
  return parser;
}

bool is_same(const read_line& a, const read_line& b) {
  if (a.index() != b.index()) return false;
  if (const auto* refused = std::get_if<refused_line>(&a)) {
    const auto& other = std::get<refused_line>(b);
    return refused->key == other.key && refused->why.status == other.why.status && refused->why.body == other.why.body;
  }
  const auto& one = std::get<message>(a);
  const auto& other = std::get<message>(b);
  return one.guid == other.guid && one.fingerprint == other.fingerprint && one.command == other.command;
}

void check_verdict(std::string_view verdict) {
  ORDEM_CHECK(verdict.ends_with('\n'));
  verdict.remove_suffix(1);
  ORDEM_CHECK(verdict.find('\n') == std::string_view::npos);
  ORDEM_CHECK(fuzz::is_json_object(verdict));
}

void check_refused(const refused_line& line) {
  ORDEM_CHECK(line.why.status == 400 || line.why.status == 404 || line.why.status == 422 || line.why.status == 428);
  std::string verdict;
  append_verdict(verdict, line.key ? std::optional(line.key->view()) : std::nullopt, line.why);
  check_verdict(verdict);
}

write_kind kind_of(const command& what) {
  constexpr write_kind kinds[] = {write_kind::create, write_kind::replace, write_kind::merge,
                                  write_kind::change_status};
  return kinds[what.index()];
}

// The message must be that of the single request, whose canonical body has all that the line says.
void check_message(const message& line) {
  const bool creates = std::holds_alternative<create_order>(line.command);
  ORDEM_CHECK(creates != line.target.has_value() && creates != line.expected_version.has_value());
  const canonical_request alone = canonical(line.command, line.target, line.expected_version);
  static simdjson::dom::parser parser = fuzz::json_parser();
  const auto body = read_write_body(kind_of(line.command), fuzz::padded_text(alone.body).view(), parser);
  ORDEM_CHECK(body && body->violations.empty() && body->command == line.command);
  ORDEM_CHECK(creates || body->version == line.expected_version->version);
  ORDEM_CHECK(fingerprint_of(canonical(body->command, line.target, line.expected_version)) == line.fingerprint);
  if (!creates) return;

  const auto& content = std::get<create_order>(line.command).content;
  ORDEM_CHECK(violations_of(content).empty());
  order made;
  made.version = {1};
  made.content = content;
  made.total = total_of(content.items).value();
  executed what;
  what.outcome.version = made.version;
  what.order = std::make_shared<const order>(std::move(made));
  std::string verdict;
  append_verdict(verdict, line.guid.view(), what);
  check_verdict(verdict);
}

// `text` stands in the body, with what follows it there.
void check_line(line_form form, std::string_view text) {
  const read_line in_place = read_batch_line(form, text, {}, nullptr, line_parser());
  ORDEM_CHECK(is_same(in_place, read_batch_line(form, fuzz::padded_text(text).view(), {}, nullptr, line_parser())));
  if (const auto* refused = std::get_if<refused_line>(&in_place)) {
    check_refused(*refused);
  } else {
    check_message(std::get<message>(in_place));
  }
  generated_keys keys;
  const read_line with_keys = read_batch_line(form, text, {}, &keys, line_parser());
  if (const auto* refused = std::get_if<refused_line>(&with_keys)) check_refused(*refused);
}

void run(std::string_view input) {
  if (input.size() < 2) return;
  const auto line_bytes_max = std::size_t{static_cast<unsigned char>(input.front())} * 8;
  input.remove_prefix(1);
  const std::size_t pieces = std::min<std::size_t>(fuzz::take_choice(input, 8), input.size());
  const std::string_view sizes = input.substr(0, pieces);
  input.remove_prefix(pieces);
  const auto expected = expected_lines(input, line_bytes_max);

  line_splitter splitter(line_bytes_max);
  std::vector<found_line> found;
  std::string arrived;
  for (std::size_t piece = 0; piece <= pieces; ++piece) {
    arrived.erase(0, splitter.take_used());
    ORDEM_CHECK(arrived.size() <= line_bytes_max + 1);
    const bool last = piece == pieces;
    const std::size_t bytes = last ? input.size() : std::size_t{static_cast<unsigned char>(sizes[piece])};
    arrived += input.substr(0, bytes);
    input.remove_prefix(std::min(bytes, input.size()));
    // Where the end is known may be with the last bytes, or after them.
    const bool at_end = last || (input.empty() && bytes % 2 == 1);
    const fuzz::padded_text body(arrived, '9');
    while (const auto line = splitter.next(body.view(), at_end)) {
      found.push_back({std::string(line->text), line->too_long});
      if (line->too_long) continue;
      check_line(line_form::create, line->text);
      check_line(line_form::command, line->text);
    }
    if (at_end) break;
  }
  ORDEM_CHECK(found == expected);
}

}  // namespace
}  // namespace ordem::http_edge

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::http_edge::run(ordem::fuzz::text_of(data, size));
  return 0;
}
