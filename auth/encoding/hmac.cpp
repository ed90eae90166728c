#include "auth/encoding/hmac.hpp"

#include <openssl/evp.h>

#include "engine/base/check.hpp"

namespace ordem::auth {

sha256_hash hmac_sha256(std::string_view key, std::string_view text) {
  sha256_hash made;
  std::size_t size = 0;
  const auto* done = EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
                               reinterpret_cast<const unsigned char*>(text.data()), text.size(), made.bytes.data(),
                               made.bytes.size(), &size);
  ORDEM_CHECK(done != nullptr && size == made.bytes.size());
  return made;
}

}  // namespace ordem::auth
