// The keys file. What was read is read the same from the lines that are written of it, and a file without one of its
// lines has all the others.

#include "auth/keys/keys_file.hpp"

#include "auth/names.hpp"
#include "engine/base/text.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::auth {
namespace {

bool is_same(const keys_file_entry& a, const keys_file_entry& b) {
  return a.name == b.name && a.tenant == b.tenant && a.scopes == b.scopes && a.created == b.created &&
         a.expires == b.expires && a.credential == b.credential;
}

void run(std::string_view text) {
  const auto entries = parse_keys_file(text);
  if (!entries) {
    ORDEM_CHECK(!entries.error().empty() && is_utf8(entries.error()));
    return;
  }
  std::string written;
  for (const keys_file_entry& each : *entries) {
    ORDEM_CHECK(is_name(each.name) && is_tenant(each.tenant) && !each.scopes.empty());
    ORDEM_CHECK(short_id(each).size() == 8);
    written = with_line(written, to_line(each));
  }
  const auto again = parse_keys_file(written);
  ORDEM_CHECK(again.has_value() && again->size() == entries->size());
  for (std::size_t i = 0; i < entries->size(); ++i) ORDEM_CHECK(is_same((*again)[i], (*entries)[i]));

  if (entries->empty()) return;
  const auto rest = parse_keys_file(without_line(text, entries->back().line));
  ORDEM_CHECK(rest.has_value() && rest->size() == entries->size() - 1);
}

}  // namespace
}  // namespace ordem::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::auth::run(ordem::fuzz::text_of(data, size));
  return 0;
}
