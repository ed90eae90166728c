// Issuers of tokens: key pairs that are made in the test, by OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/time.hpp"

extern "C" {
struct evp_pkey_st;
}

namespace ordem::testing {

std::string to_base64url(std::string_view bytes);

class issuer {
 public:
  static issuer rsa(unsigned bits = 2048);
  static issuer p256();
  static issuer p384();
  static issuer ed25519();

  // The name of its algorithm on the wire.
  const std::string& algorithm() const { return algorithm_; }
  // Its public key as a JWK, with these members before the others: "\"kid\":\"a\",".
  std::string jwk(const std::string& members = "") const;
  // Its public key as PEM.
  std::string pem() const;
  // A token of this header and these claims, each a JSON object.
  std::string sign(const std::string& header, const std::string& claims) const;
  // The same with the claims, and a header that has only the algorithm, and the key id unless it is empty.
  std::string token(const std::string& claims, const std::string& key_id = "") const;

 private:
  issuer(std::string algorithm, evp_pkey_st* key);
  std::string signature_of(const std::string& text) const;

  std::string algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
};

// HMAC with SHA-256 under this secret.
std::string signed_by_hmac(std::string_view secret, std::string_view text);

// A set of these keys, each a JWK.
std::string key_set_of(const std::vector<std::string>& keys);

// Each is made once for all tests: an RSA key takes a tenth of a second.
const issuer& rsa_issuer();
const issuer& p256_issuer();
const issuer& ed25519_issuer();

}  // namespace ordem::testing
