#include "http-edge/feed/feed_request.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/change_json.hpp"
#include "engine/rules/validate.hpp"
#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

constexpr std::uint64_t wait_seconds_max = 60;
constexpr int quality_max = 1000;

// Returns the part before the separator, and removes both from the text.
std::string_view take_part(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trimmed(part);
}

// The weight of a media range in thousandths, from its parameters. One that is not a weight counts as 1.
int quality_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view each = take_part(parameters, ';');
    if (!each.starts_with("q=") && !each.starts_with("Q=")) continue;
    const std::string_view digits = each.substr(2);
    if (digits.empty() || digits.size() > 5 || (digits[0] != '0' && digits[0] != '1')) return quality_max;
    int quality = (digits[0] - '0') * quality_max;
    int unit = quality_max / 10;
    for (std::size_t i = 2; i < digits.size() && digits[i] >= '0' && digits[i] <= '9'; ++i, unit /= 10)
      quality += (digits[i] - '0') * unit;
    return std::min(quality, quality_max);
  }
  return quality_max;
}

constexpr feed_form forms[] = {feed_form::page, feed_form::lines, feed_form::event_stream};

// How closely a media range names the type: 0 not at all, 1 */*, 2 as application/*, 3 exactly.
int precision_of(std::string_view range, std::string_view type) {
  if (range == "*/*") return 1;
  if (range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1))) return 2;
  return equals_ignoring_case(range, type) ? 3 : 0;
}

// A position from 0 up to what JSON keeps exact.
std::optional<position> parse_position(std::string_view digits) {
  if (digits == "0") return position{};
  const auto number = parse_positive(digits);
  return number ? std::optional(position{*number}) : std::nullopt;
}

or_response<std::uint8_t> read_types(std::string_view text) {
  std::uint8_t verdicts = 0;
  for (bool is_followed = true; is_followed;) {
    is_followed = text.find(',') != text.npos;
    const std::string_view name = take_part(text, ',');
    const auto what = codec::parse_event_type(name);
    if (!what) {
      return refuse_query(
          "type is " + in_quotes(name) +
          ", and not one or more of order.created, order.updated and order.status_changed, with commas");
    }
    verdicts |= feed_filter::bit_of(*what);
  }
  return verdicts;
}

or_response<feed_filter> read_filter(const route& to, const std::string& tenant) {
  feed_filter filter;
  filter.tenant = tenant;
  if (const auto customer = to.query_value("customer_id")) {
    if (const auto rule = validate_customer_id(*customer)) return refuse_query("customer_id " + std::string(*rule));
    filter.customer_id = *customer;
  }
  if (const auto types = to.query_value("type")) {
    const auto verdicts = read_types(*types);
    if (!verdicts) return tl::make_unexpected(verdicts.error());
    filter.verdicts = *verdicts;
  }
  return filter;
}

// Absent: the end of the log. A browser that connects again sends Last-Event-ID with the URL of its first request.
or_response<std::optional<position>> read_after(const http_request& request, const route& to, feed_form form) {
  std::optional<position> after;
  if (const auto text = to.query_value("after")) {
    after = parse_position(*text);
    if (!after) return refuse_query("after is not a position: a number from 0 up");
  }
  if (form != feed_form::event_stream) return after;
  const std::string_view last = trimmed(request["Last-Event-ID"]);
  if (last.empty()) return after;
  after = parse_position(last);
  if (!after) return refuse_query("Last-Event-ID is not the id of an event of this feed");
  return after;
}

or_response<void> read_page_bounds(const route& to, feed_request& into) {
  into.events_max = limits::page_size_default;
  const auto limit = to.query_value("limit");
  const auto wait = to.query_value("wait");
  if (into.form != feed_form::page && (limit || wait))
    return refuse_query("limit and wait are parameters of a JSON page");
  if (limit) {
    const auto number = parse_positive(*limit);
    if (!number || *number > limits::page_size_max) return refuse_query("limit is not a number from 1 to 1000");
    into.events_max = static_cast<std::size_t>(*number);
  }
  if (wait) {
    const auto seconds = parse_position(*wait);
    if (!seconds || seconds->number > wait_seconds_max)
      return refuse_query("wait is not a number of seconds from 0 to 60");
    into.wait = std::chrono::seconds(seconds->number);
  }
  return {};
}

or_response<feed_request> read(const http_request& request, const request_head& head, const handler_context& context) {
  feed_request made;
  made.form = preferred_form(request[http::field::accept]);
  const bool streams = made.form != feed_form::page;
  if (streams && request.version() < 11) {
    return tl::make_unexpected(
        problem_response(problem::malformed_request, "a stream is answered in chunks: use HTTP/1.1"));
  }
  auto filter = read_filter(head.to, head.origin.tenant);
  if (!filter) return tl::make_unexpected(std::move(filter.error()));
  made.filter = std::move(*filter);
  if (auto bounds = read_page_bounds(head.to, made); !bounds) return tl::make_unexpected(std::move(bounds.error()));
  const auto after = read_after(request, head.to, made.form);
  if (!after) return tl::make_unexpected(after.error());
  made.after = after->value_or(context.changes->visible());
  if (const position first = context.changes->first(); made.after.number + 1 < first.number)
    return tl::make_unexpected(trimmed_response(first));
  if (context.status->now() != service_state::draining) return made;
  if (streams) return refuse(problem::draining, "no new stream is begun");
  made.wait = std::chrono::seconds(0);
  return made;
}

}  // namespace

// Each is a position to begin behind, so the oldest one is that before the first entry.
response trimmed_response(position first) {
  return problem_response(
      problem::position_trimmed,
      "the log has been trimmed beyond this position; oldest_position is the oldest one to begin behind",
      ",\"oldest_position\":" + std::to_string(first.number - 1));
}

std::string_view media_type_of(feed_form what) noexcept {
  switch (what) {
    case feed_form::page: return "application/json";
    case feed_form::lines: return "application/x-ndjson";
    case feed_form::event_stream: return "text/event-stream";
  }
  ORDEM_CHECK(false && "a form outside its enumeration");
  return {};
}

feed_form preferred_form(std::string_view accept) {
  feed_form best = feed_form::page;
  int best_quality = 0;
  for (const feed_form form : forms) {
    int quality = 0;
    int precision = 0;
    for (std::string_view rest = accept; !rest.empty();) {
      std::string_view each = take_part(rest, ',');
      const std::string_view range = take_part(each, ';');
      const int found = precision_of(range, media_type_of(form));
      if (found <= precision) continue;
      precision = found;
      quality = quality_of(each);
    }
    if (quality <= best_quality) continue;
    best = form;
    best_quality = quality;
  }
  return best;
}

std::variant<response, feed_request> read_feed_request(const http_request& request, const request_head& head,
                                                       const handler_context& context) {
  auto made = read(request, head, context);
  if (!made) return std::move(made.error());
  if (request.method() == http::verb::head && made->form != feed_form::page) {
    response without_body;
    without_body.content_type = media_type_of(made->form);
    without_body.add_header("Content-Type", media_type_of(made->form));
    without_body.close = true;
    return without_body;
  }
  return std::move(*made);
}

}  // namespace ordem::http_edge
