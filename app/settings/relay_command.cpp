#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <string>

#include "app/settings/commands.hpp"
#include "app/settings/option_kinds.hpp"
#include "engine/base/limits.hpp"
#include "http-edge/client/https_client.hpp"

namespace ordem::app {
namespace {

struct relay_options {
  relay_command what;
  std::string after = "end";
  std::string customer_id;
  std::string types;
};

// Percent-encodes a value of a query (RFC 3986, section 2.1).
std::string encoded(std::string_view text) {
  std::string out;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    const bool is_plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                          (each >= '0' && each <= '9') || each == '-' || each == '_' || each == '.' || each == '~';
    out += is_plain ? std::string(1, each) : fmt::format("%{:02X}", byte);
  }
  return out;
}

bool is_web_url(const std::string& url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

relay_command checked(const relay_options& given) {
  relay_command what = given.what;
  if (!is_web_url(what.from)) throw usage_error("--from must begin with http:// or https://");
  if (!is_web_url(what.to)) throw usage_error("--to must begin with http:// or https://");
  while (what.from.ends_with('/')) what.from.pop_back();
  if (!what.api_key_file.empty() && !http_edge::keeps_secrets(what.from)) {
    throw usage_error(
        "--from must be https, or a loopback address: an API key must not be sent where others can read it");
  }
  if (given.after != "end") {
    std::uint64_t number = 0;
    const auto end = given.after.data() + given.after.size();
    const auto read = std::from_chars(given.after.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || number > static_cast<std::uint64_t>(limits::exact_integer_max))
      throw usage_error("--after must be a position, a number from 0 up, or end");
    what.after = position{number};
  }
  if (!given.customer_id.empty()) what.query += "&customer_id=" + encoded(given.customer_id);
  if (!given.types.empty()) what.query += "&type=" + encoded(given.types);
  if (what.retry_longest < what.retry_first) throw usage_error("--retry-longest must not be below --retry-first");
  return what;
}

}  // namespace

void add_relay_command(CLI::App& ordem, parse_state& state) {
  auto& relay = *ordem.add_subcommand("relay", "Post the changes of orders to a URL, as signed webhooks");
  const auto options = std::make_shared<relay_options>();
  relay_command& what = options->what;
  what.from = "http://127.0.0.1:8080";
  text_option(what.from, "URL").add_to(relay, "--from", "The server whose changes are posted");
  relay.add_option("--to", what.to, "Where each change is posted")->required()->type_name("URL");
  relay
      .add_option("--secret-file", what.secret_file,
                  "The secrets of the signature, whsec_..., one a line: with two, a receiver can change to another")
      ->required()
      ->type_name("FILE");
  relay
      .add_option("--position-file", what.position_file,
                  "Where the relay keeps how far it is; made if it does not exist")
      ->required()
      ->type_name("FILE");
  relay
      .add_option("--after", options->after,
                  "Where to begin without that file: behind this position, 0 for the beginning, or at the end")
      ->default_str(options->after)
      ->type_name("POSITION|end");
  relay.add_option("--customer-id", options->customer_id, "Post the changes of this customer's orders alone")
      ->type_name("TEXT");
  relay.add_option("--type", options->types, "Post events of these types alone, such as order.created, with commas")
      ->type_name("TYPES");
  file_option(what.api_key_file)
      .add_to(relay, "--api-key-file",
              "A file with an API key that has the scope orders:read, - for standard input; by default none is sent");
  file_option(what.ca_file)
      .add_to(relay, "--ca-file",
              "The authorities, as PEM, of the certificates of both sides; by default the system's");
  duration_option(what.timeout).add_to(relay, "--timeout", "How long one attempt to post may take");
  duration_option(what.retry_first).add_to(relay, "--retry-first", "The pause after a failure, doubled each time");
  duration_option(what.retry_longest).add_to(relay, "--retry-longest", "The longest pause between two attempts");
  relay.footer(
      "Posts one event at a time, in order, as Standard Webhooks say: the headers webhook-id, webhook-timestamp and\n"
      "webhook-signature. An event is posted until the answer is 2xx, and then the position is kept, so after a failure of\n"
      "either side or of the relay at most the last event is posted twice, with the same webhook-id. The relay ends with\n"
      "exit code 1 if the receiver answers 410, if the server refuses the relay, has trimmed its log beyond the position, or\n"
      "has another log than that of the position.");
  relay.callback([options, &state] { state.result = checked(*options); });
}

}  // namespace ordem::app
