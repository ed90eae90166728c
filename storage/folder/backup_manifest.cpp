#include "storage/folder/backup_manifest.hpp"

#include <simdjson.h>
#include <xxhash.h>

#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/hex.hpp"
#include "engine/base/text.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::storage {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t manifest_version = 1;
constexpr std::string_view check_line = "\n\"check\":\"";

std::string hash_of(std::string_view text) {
  content_hash hash;
  hash.add(text);
  return hash.digits();
}

bool read_text(const dom::object& of, std::string_view name, std::string& to) {
  std::string_view text;
  if (of.at_key(name).get(text) != simdjson::SUCCESS) return false;
  to = text;
  return true;
}

bool read_number(const dom::object& of, std::string_view name, std::uint64_t& to) {
  return of.at_key(name).get(to) == simdjson::SUCCESS;
}

bool read_file(const dom::element& json, backup_file& to) {
  dom::object object;
  return json.get(object) == simdjson::SUCCESS && read_text(object, "name", to.name) &&
         read_number(object, "bytes", to.bytes) && read_text(object, "xxh128", to.hash);
}

bool read_files(const dom::object& of, backup_manifest& to) {
  dom::array files;
  if (of.at_key("files").get(files) != simdjson::SUCCESS) return false;
  for (const dom::element each : files) {
    if (!read_file(each, to.files.emplace_back())) return false;
    to.summary.bytes += to.files.back().bytes;
  }
  to.summary.files = to.files.size();
  return true;
}

}  // namespace

// --- hash ---

struct content_hash::state {
  XXH3_state_t* used = XXH3_createState();
};

content_hash::content_hash() : state_(std::make_unique<state>()) {
  ORDEM_CHECK(state_->used != nullptr && XXH3_128bits_reset(state_->used) == XXH_OK);
}

content_hash::~content_hash() {
  XXH3_freeState(state_->used);
}

void content_hash::add(std::string_view bytes) noexcept {
  XXH3_128bits_update(state_->used, bytes.data(), bytes.size());
}

std::string content_hash::digits() const {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state_->used));
  return to_hex(bytes.digest);
}

// --- text ---

std::string encode(const backup_manifest& what) {
  std::string text = "{\"manifest\":";
  append_number(text, manifest_version);
  text += ",\"data_format\":";
  append_number(text, what.data_format);
  text += ",\"log_id\":";
  append_json_string(text, what.summary.log_id);
  text += ",\"made_at\":\"";
  append_rfc3339(text, what.summary.made_at);
  text += "\",\"first\":";
  append_number(text, what.summary.first.number);
  text += ",\"position\":";
  append_number(text, what.summary.last.number);
  text += ",\n\"files\":[";
  bool is_first = true;
  for (const backup_file& each : what.files) {
    text += std::exchange(is_first, false) ? "\n" : ",\n";
    text += "{\"name\":";
    append_json_string(text, each.name);
    text += ",\"bytes\":";
    append_number(text, each.bytes);
    text += ",\"xxh128\":";
    append_json_string(text, each.hash);
    text += '}';
  }
  text += "\n],";
  const std::string check = hash_of(text);
  text += check_line;
  text += check;
  text += "\"}\n";
  return text;
}

std::optional<backup_manifest> decode_backup_manifest(std::string_view text) {
  const auto end = text.rfind(check_line);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view covered = text.substr(0, end);
  if (text.substr(end + check_line.size()) != hash_of(covered) + "\"}\n") return std::nullopt;

  dom::parser parser;
  const simdjson::padded_string padded(text);
  dom::object object;
  std::uint64_t version = 0;
  std::uint64_t format = 0;
  std::string made_at;
  backup_manifest made;
  if (parser.parse(padded).get(object) != simdjson::SUCCESS || !read_number(object, "manifest", version) ||
      version != manifest_version || !read_number(object, "data_format", format) ||
      !read_text(object, "log_id", made.summary.log_id) || !read_text(object, "made_at", made_at) ||
      !read_number(object, "first", made.summary.first.number) ||
      !read_number(object, "position", made.summary.last.number) || !read_files(object, made)) {
    return std::nullopt;
  }
  const auto time = parse_rfc3339(made_at);
  if (!time) return std::nullopt;
  made.summary.made_at = *time;
  made.data_format = static_cast<int>(format);
  return made;
}

}  // namespace ordem::storage
