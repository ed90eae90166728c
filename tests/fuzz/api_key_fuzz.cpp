// An API key. A text that is taken as one has the form that scanners look for, and is no key after any change of one
// character.

#include "auth/keys/api_key.hpp"

#include <algorithm>

#include "auth/encoding/base62.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::auth {
namespace {

void run(std::string_view text) {
  if (!is_api_key(text)) return;
  ORDEM_CHECK(text.size() == api_key_characters);
  ORDEM_CHECK(text.starts_with(api_key_prefix));
  ORDEM_CHECK(std::all_of(text.begin() + api_key_prefix.size(), text.end(), is_base62));
  std::string changed(text);
  for (char& c : changed) {
    const char before = c;
    c = c == 'x' ? 'y' : 'x';
    ORDEM_CHECK(!is_api_key(changed));
    c = before;
  }
}

}  // namespace
}  // namespace ordem::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::auth::run(ordem::fuzz::text_of(data, size));
  return 0;
}
