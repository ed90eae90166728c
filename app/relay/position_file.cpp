#include "app/relay/position_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/file.h>

#include <utility>

#include "app/identity/text_file.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::app {
namespace {

constexpr std::size_t file_bytes_max = 4096;

std::optional<relay_position> parse(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(object) != simdjson::SUCCESS) return std::nullopt;
  relay_position found;
  std::string_view log_id;
  if (object.at_key("log_id").get(log_id) != simdjson::SUCCESS || log_id.empty()) return std::nullopt;
  if (object.at_key("position").get(found.position.number) != simdjson::SUCCESS) return std::nullopt;
  found.log_id = log_id;
  return found;
}

}  // namespace

tl::expected<position_file, std::string> position_file::open(const std::filesystem::path& path) {
  auto lock = storage::open_file::open(path.string() + ".lock", O_RDWR | O_CREAT);
  if (!lock) return tl::make_unexpected(std::move(lock.error().message));
  if (::flock(lock->descriptor(), LOCK_EX | LOCK_NB) != 0)
    return tl::make_unexpected(fmt::format("{} is used by another relay", storage::quoted(path)));
  position_file opened(path, std::move(*lock));
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return opened;
  const auto read = read_text_file(path.string(), file_bytes_max);
  if (!read) return tl::make_unexpected(read.error());
  opened.now_ = parse(read->text);
  if (!opened.now_) return tl::make_unexpected(fmt::format("{} is not a file of positions", storage::quoted(path)));
  return opened;
}

tl::expected<void, std::string> position_file::write(const relay_position& what) {
  if (now_ == what) return {};
  std::string text = "{\"log_id\":";
  append_json_string(text, what.log_id);
  text += ",\"position\":" + std::to_string(what.position.number) + "}\n";
  if (auto written = storage::replace_file(path_, text); !written)
    return tl::make_unexpected(std::move(written.error().message));
  now_ = what;
  return {};
}

}  // namespace ordem::app
