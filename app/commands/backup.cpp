#include "app/commands/backup.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tl/expected.hpp>
#include <utility>

#include "app/commands/failure.hpp"
#include "app/identity/api_key_file.hpp"
#include "app/process/system_clock.hpp"
#include "engine/model/json_value.hpp"
#include "http-edge/client/https_client.hpp"
#include "storage/log/backup.hpp"

namespace ordem::app {
namespace {

namespace fs = std::filesystem;

constexpr auto poll_interval = std::chrono::milliseconds(100);
// How often no answer may come, one after another, before the server is given up: it may be busy or restarting.
constexpr int failed_polls_max = 10;

template <class Value>
using or_message = tl::expected<Value, std::string>;

// What /-/backup says.
struct server_backup {
  std::string status;
  std::string folder;
  std::string reason;
  std::string began_at;
  std::uint64_t bytes_linked = 0;
};

std::string text_of(const simdjson::dom::object& of, std::string_view name) {
  std::string_view text;
  return of.at_key(name).get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

or_message<server_backup> read_state(const http_edge::http_answer& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const simdjson::padded_string body(answer.body);
  if (parser.parse(body).get(object) != simdjson::SUCCESS)
    return tl::make_unexpected(fmt::format("the server's response is not its own: {} {}", answer.status, answer.body));
  if (answer.status != 200 && answer.status != 202) {
    const std::string detail = text_of(object, "detail");
    return tl::make_unexpected(fmt::format("the server refuses: {} {}{}{}", answer.status, text_of(object, "title"),
                                           detail.empty() ? "" : ": ", detail));
  }
  server_backup now{text_of(object, "status"), text_of(object, "folder"), text_of(object, "reason"),
                    text_of(object, "began_at")};
  if (object.at_key("bytes_linked").get(now.bytes_linked) != simdjson::SUCCESS) now.bytes_linked = 0;
  return now;
}

// Waits for the end of the back-up that began at that time.
or_message<server_backup> wait_for(const server_backup& begun, const http_edge::url_request& question) {
  for (int failed_polls = 0;;) {
    std::this_thread::sleep_for(poll_interval);
    const auto answer = http_edge::send(question);
    if (!answer && ++failed_polls == failed_polls_max)
      return tl::make_unexpected(fmt::format("no answer from {} any more: {}", question.url, answer.error()));
    if (!answer) continue;
    failed_polls = 0;
    auto now = read_state(*answer);
    if (!now) return now;
    if (now->folder != begun.folder || now->began_at != begun.began_at)
      return tl::make_unexpected(fmt::format("the server has been restarted, and '{}' is not complete", begun.folder));
    if (now->status != "running") return now;
  }
}

// `made_at` is the time of the back-up that should be there; empty: any.
int print_verified(const std::string& folder, std::string_view made_at = {}) {
  engine_clock clock(machine_clocks());
  const auto found = storage::verify_backup(folder, clock);
  if (!found) return fail(found.error().message);
  const storage::backup_summary& summary = found->summary;
  if (!made_at.empty() && to_rfc3339(summary.made_at) != made_at) {
    return fail(
        fmt::format("'{}' on this machine is another back-up, of {}: run `ordem backup verify` on the server's machine",
                    folder, to_rfc3339(summary.made_at)));
  }
  std::cout << fmt::format(
      "'{}' is intact: position {}, log from position {}, {} orders, {} messages, {} captures; {} files with {} bytes, "
      "of {}; {} versions agree with the log\n",
      folder, summary.last.number, summary.first.number, found->orders, found->messages, found->captures, summary.files,
      summary.bytes, to_rfc3339(summary.made_at), found->versions);
  return 0;
}

}  // namespace

int backup(const backup_command& what) {
  const auto key = read_api_key(what.api_key_file);
  if (!key) return fail(key.error());
  http_edge::url_request request;
  request.url = what.url + "/-/backup";
  request.bearer = *key;
  request.ca_file = what.ca_file;
  http_edge::url_request beginning = request;
  beginning.posts = true;
  beginning.body = "{\"to\":";
  append_json_string(beginning.body, what.to);
  beginning.body += '}';

  const auto answer = http_edge::send(beginning);
  if (!answer) return fail(fmt::format("no answer from {}: {}", request.url, answer.error()));
  const auto begun = read_state(*answer);
  if (!begun) return fail(begun.error());
  const auto ended = wait_for(*begun, request);
  if (!ended) return fail(ended.error());
  if (ended->status != "made") return fail(fmt::format("the back-up '{}' failed: {}", ended->folder, ended->reason));

  std::error_code ignored;
  if (!fs::exists(fs::path(ended->folder) / storage::backup_manifest_name, ignored)) {
    std::cout << fmt::format(
        "made '{0}' on the server's machine, and not checked: run `ordem backup verify {0}` there\n", ended->folder);
    return 0;
  }
  std::cout << fmt::format("made '{}', with {} bytes shared by hard links\n", ended->folder, ended->bytes_linked)
            << std::flush;
  return print_verified(ended->folder, ended->began_at);
}

int verify_backup(const verify_backup_command& what) {
  return print_verified(what.folder);
}

}  // namespace ordem::app
