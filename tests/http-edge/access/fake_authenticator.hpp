// An authenticator whose tokens are the names of its identities.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "auth/authenticator.hpp"

namespace ordem::testing {

inline constexpr auth::scope_set all_scopes = {auth::scope::orders_read, auth::scope::orders_write,
                                               auth::scope::messages_read, auth::scope::captures,
                                               auth::scope::operations};

class fake_authenticator final : public auth::authenticator {
 public:
  // Adds an identity, known by "Bearer NAME" and by a certificate of the subject "CN=NAME".
  fake_authenticator& add(std::string_view name, std::string_view tenant, auth::scope_set scopes) {
    auth::identity added{{std::string(tenant), std::string(name)}, scopes};
    known_.insert_or_assign(std::string(name), std::make_shared<const auth::identity>(std::move(added)));
    return *this;
  }

  tl::expected<auth::shared_identity, auth::denial> authenticate(const auth::credentials& sent, timestamp) override {
    constexpr std::string_view bearer = "Bearer ";
    constexpr std::string_view common_name = "CN=";
    if (sent.authorization.empty() && sent.certificate_subject.empty())
      return tl::make_unexpected(auth::denial::missing);
    if (!sent.authorization.empty() && !sent.authorization.starts_with(bearer))
      return tl::make_unexpected(auth::denial::malformed);
    const auto name = sent.authorization.empty() ? sent.certificate_subject.substr(common_name.size())
                                                 : sent.authorization.substr(bearer.size());
    const auto found = known_.find(std::string(name));
    if (found == known_.end()) return tl::make_unexpected(auth::denial::unknown_key);
    return found->second;
  }

 private:
  std::map<std::string, auth::shared_identity> known_;
};

}  // namespace ordem::testing
