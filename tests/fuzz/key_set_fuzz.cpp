// The key set of tokens. Every key is taken or left out with a reason, and none of them has signed what it has not.

#include "auth/tokens/key_set.hpp"

#include <array>

#include "engine/base/text.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::auth {
namespace {

void run(std::string_view text) {
  const auto set = key_set::parse(text);
  if (!set) {
    ORDEM_CHECK(!set.error().empty() && is_utf8(set.error()));
    return;
  }
  ORDEM_CHECK(set->size() > 0 && set->size() + set->left_out().size() <= key_set_keys_max);
  for (const std::string& each : set->left_out()) ORDEM_CHECK(is_utf8(each));
  static const signature_context context;
  for (const auto algorithm : {signature_algorithm::rs256, signature_algorithm::es256, signature_algorithm::eddsa}) {
    const public_key* const key = set->find(std::nullopt, algorithm);
    if (key == nullptr) continue;
    ORDEM_CHECK(key->algorithm() == algorithm);
    for (const std::size_t length : {std::size_t{0}, std::size_t{64}, std::size_t{256}})
      ORDEM_CHECK(!key->has_signed("text", std::string(length, '\1'), context));
  }
}

}  // namespace
}  // namespace ordem::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::auth::run(ordem::fuzz::text_of(data, size));
  return 0;
}
