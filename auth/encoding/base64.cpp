#include "auth/encoding/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "auth/encoding/base64url.hpp"

namespace ordem::auth {

std::string encode_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string digits(text);
  const auto padding = std::min(digits.size(), digits.find('='));
  const std::size_t padded = digits.size() - padding;
  if (padded > 2 || digits.find_first_not_of('=', padding) != digits.npos) return std::nullopt;
  if (padded > 0 && digits.size() % 4 != 0) return std::nullopt;
  digits.resize(padding);
  for (char& each : digits) {
    if (each == '-' || each == '_') return std::nullopt;
    if (each == '+') each = '-';
    if (each == '/') each = '_';
  }
  return decode_base64url(digits);
}

}  // namespace ordem::auth
