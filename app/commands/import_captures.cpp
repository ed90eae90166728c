#include "app/commands/import_captures.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/captures/capture_table.hpp"
#include "app/commands/failure.hpp"
#include "app/process/system_clock.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/capture_json.hpp"
#include "storage/log/store.hpp"

namespace ordem::app {
namespace {

namespace dom = simdjson::dom;

// One document of the other server's collection.
struct exported_capture {
  capture_key key;
  shared_captured_response response;  // null if the capture is only allocated
};

using read_line_result = tl::expected<exported_capture, std::string>;

tl::unexpected<std::string> refuse(std::string reason) {
  return tl::make_unexpected(std::move(reason));
}

read_line_result read_exported(const std::string& line, dom::parser& parser, std::size_t captured_bytes_max) {
  dom::object document;
  if (parser.parse(line).get(document) != simdjson::SUCCESS) return refuse("it is not a JSON object");
  std::string_view text;
  if (document["idempotency_key"].get(text) != simdjson::SUCCESS) return refuse("it has no idempotency_key");
  auto key = capture_key::parse(text);
  if (!key) return refuse("its idempotency_key is not base64url without padding");
  if (document["status"].get(text) != simdjson::SUCCESS) return refuse("it has no status");
  if (text == "allocated") return exported_capture{std::move(*key), nullptr};
  if (text != "completed") return refuse("its status " + in_quotes(text) + " is neither allocated nor completed");
  dom::element capture;
  if (document["capture"].get(capture) != simdjson::SUCCESS) return refuse("it is completed, but has no capture");
  auto response = codec::read_captured_response(capture);
  if (!response) return refuse("its capture is not a response (mongoexport must write it with --jsonFormat=relaxed)");
  if (bytes_of(*response) > captured_bytes_max) return refuse("its response is larger than --capture-max");
  return exported_capture{std::move(*key), std::make_shared<const captured_response>(std::move(*response))};
}

// Decides each capture as a server would, and writes the entries in groups.
class importer {
 public:
  importer(storage::store& to, const time_source& clock, const capture_terms& terms, std::string tenant)
      : store_(to), clock_(clock), captures_(to.view(), terms), origin_{std::move(tenant), {}} {}

  enum class import_result : std::uint8_t { imported, already_there, storage_failed };

  import_result add(exported_capture what) {
    const clock_reading now = clock_.read();
    const auto allocated = admit({what.key, allocate_capture{}, origin_}, now);
    if (!allocated) return import_result::storage_failed;
    if (*allocated != capture_verdict::allocated) return import_result::already_there;
    if (!what.response) return import_result::imported;
    const auto recorded = admit({std::move(what.key), record_capture{std::move(what.response)}, origin_}, now);
    return recorded ? import_result::imported : import_result::storage_failed;
  }

  // Makes all added captures durable. Returns false if that failed; the store has reported why.
  bool write() {
    const bool written = entries_.empty() || storage::write(store_, entries_);
    for (const tenant_capture_key& key : waiting_) captures_.complete(key);
    entries_.clear();
    waiting_.clear();
    captured_bytes_ = 0;
    return written;
  }
  bool group_is_full() const noexcept {
    return entries_.size() + 2 > storage::group_entries_max || captured_bytes_ >= storage::group_bytes_max;
  }

 private:
  // Returns the verdict, or nullopt if the store could not be read.
  std::optional<capture_verdict> admit(capture_request&& request, const clock_reading& now) {
    tenant_capture_key key{origin_.tenant, request.key};
    auto admitted = captures_.admit(std::move(request), now);
    const auto* answer = std::get_if<capture_answer>(&admitted.answer);
    if (answer == nullptr) return std::nullopt;
    if (admitted.waits) waiting_.push_back(std::move(key));
    if (admitted.entry) {
      captured_bytes_ += storage::captured_bytes_of(*admitted.entry);
      entries_.push_back(std::move(*admitted.entry));
    }
    return answer->verdict;
  }

  storage::store& store_;
  const time_source& clock_;
  actors::capture_table captures_;
  std::vector<storage::entry> entries_;
  const origin origin_;
  std::vector<tenant_capture_key> waiting_;
  std::size_t captured_bytes_ = 0;
};

struct counts {
  std::uint64_t completed = 0;
  std::uint64_t allocated = 0;
  std::uint64_t already_there = 0;
  std::uint64_t refused = 0;
};

int import_lines(std::istream& lines, storage::store& store, const time_source& clock,
                 const import_captures_command& what) {
  importer to(store, clock, what.terms, what.tenant);
  dom::parser parser;
  counts total;
  std::string line;
  for (std::uint64_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto read = read_exported(line, parser, what.captured_bytes_max);
    if (!read) {
      std::cout << "line " << number << " is refused: " << read.error() << "\n";
      ++total.refused;
      continue;
    }
    const bool completed = read->response != nullptr;
    switch (to.add(std::move(*read))) {
      case importer::import_result::imported: ++(completed ? total.completed : total.allocated); break;
      case importer::import_result::already_there: ++total.already_there; break;
      case importer::import_result::storage_failed: return fail("the data could not be read");
    }
    if (to.group_is_full() && !to.write()) return fail("the data could not be written");
  }
  if (!to.write()) return fail("the data could not be written");
  if (lines.bad()) return fail(fmt::format("'{}' could not be read to its end", what.file));
  std::cout << fmt::format(
      "imported {} completed and {} allocated captures; {} were there already; {} lines were refused\n",
      total.completed, total.allocated, total.already_there, total.refused);
  return total.refused == 0 ? 0 : 1;
}

}  // namespace

int import_captures(const import_captures_command& what) {
  std::ifstream file;
  if (what.file != "-") {
    file.open(what.file);
    if (!file) return fail(fmt::format("'{}' can't be opened", what.file));
  }
  engine_clock clock(machine_clocks());
  storage::store_settings settings;
  settings.folder = what.data_folder;
  settings.log_is_consumed = true;  // Postgres may lack entries: the log must not be trimmed
  settings.on_error = [](std::string_view error) { fail(error); };
  const auto store = storage::open_store(std::move(settings), clock);
  if (!store) return fail(store.error().message);
  const int code = import_lines(what.file == "-" ? std::cin : file, **store, clock, what);
  (*store)->close();
  return code;
}

}  // namespace ordem::app
