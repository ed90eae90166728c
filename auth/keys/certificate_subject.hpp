// The subject of a client certificate, as a text. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ordem::auth {

inline constexpr std::size_t subject_bytes_max = 1024;

// Subjects are compared byte by byte, in the form of RFC 4514 as OpenSSL writes it:
//
//   openssl x509 -in certificate.pem -noout -subject -nameopt RFC2253
//
// Returns why the text is not such a subject, as the end of a sentence, or nullopt if it is one: TYPE=VALUE, separated
// by commas, or by plus signs where one part has several. Special characters have a backslash before them.
std::optional<std::string> subject_error(std::string_view text);

}  // namespace ordem::auth
