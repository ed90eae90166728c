#include "auth/directory.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <variant>

#include "auth/encoding/sha256.hpp"
#include "auth/keys/api_key.hpp"
#include "auth/keys/keys_file.hpp"
#include "auth/tokens/key_set.hpp"
#include "auth/tokens/token_cache.hpp"
#include "auth/tokens/token_verifier.hpp"

namespace ordem::auth {
namespace {

struct known_credential {
  shared_identity identity;
  std::optional<timestamp> expires;
};

// What the keys file holds. Immutable once made.
struct key_table {
  std::unordered_map<sha256_hash, known_credential, sha256_hasher> by_key;
  std::unordered_map<std::string, known_credential> by_subject;
};

std::shared_ptr<const key_table> make_table(std::vector<keys_file_entry> entries) {
  auto table = std::make_shared<key_table>();
  for (keys_file_entry& each : entries) {
    known_credential known{
        std::make_shared<const identity>(identity{{std::move(each.tenant), std::move(each.name)}, each.scopes}),
        each.expires};
    if (const auto* key = std::get_if<sha256_hash>(&each.credential)) {
      table->by_key.emplace(*key, std::move(known));
    } else {
      table->by_subject.emplace(std::move(std::get<certificate_subject>(each.credential).text), std::move(known));
    }
  }
  return table;
}

// Returns the token of "Bearer TOKEN" (RFC 6750, section 2.1), or nullopt for another scheme.
std::optional<std::string_view> bearer_token(std::string_view authorization) noexcept {
  constexpr std::string_view scheme = "bearer";
  constexpr std::string_view white_space = " \t";
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != scheme[i]) return std::nullopt;
  }
  std::string_view token = authorization.substr(scheme.size());
  const auto first = token.find_first_not_of(' ');
  if (first == std::string_view::npos) return std::nullopt;
  token.remove_prefix(first);
  token = token.substr(0, token.find_last_not_of(white_space) + 1);
  return token;
}

}  // namespace

struct directory::state {
  explicit state(directory_settings values) : settings(std::move(values)) {}

  const directory_settings settings;
  std::mutex mutex;  // guards the next three
  std::shared_ptr<const key_table> keys = std::make_shared<key_table>();
  std::shared_ptr<const key_set> token_keys = std::make_shared<key_set>();
  std::optional<std::chrono::steady_clock::time_point> key_set_requested_at;
  // Grows with each replacement, after it.
  std::atomic<std::uint64_t> generation{1};
  std::atomic<bool> wants_key_set{false};
};

class directory::shared_authenticator final : public authenticator {
 public:
  explicit shared_authenticator(state& of)
      : state_(of), verifier_(of.settings.tokens), remembered_(of.settings.tokens_remembered_max) {}

  tl::expected<shared_identity, denial> authenticate(const credentials& sent, timestamp now) override {
    follow_replacements();
    if (!sent.authorization.empty()) {
      const auto token = bearer_token(sent.authorization);
      if (!token) return tl::make_unexpected(denial::malformed);
      return token->starts_with(api_key_prefix) ? by_key(*token, now) : by_token(*token, now);
    }
    if (!sent.certificate_subject.empty()) return by_subject(sent.certificate_subject, now);
    return tl::make_unexpected(denial::missing);
  }

 private:
  // A lock only after a replacement. What was remembered is forgotten: its key may be gone.
  void follow_replacements() {
    if (state_.generation.load(std::memory_order_acquire) == generation_) return;
    const std::lock_guard lock(state_.mutex);
    generation_ = state_.generation.load(std::memory_order_relaxed);
    keys_ = state_.keys;
    token_keys_ = state_.token_keys;
    remembered_.clear();
  }

  tl::expected<shared_identity, denial> by_key(std::string_view key, timestamp now) {
    if (key.size() != api_key_characters) return tl::make_unexpected(denial::malformed);
    // The table compares whole hashes in constant time, and its place of one depends on a hash, not on the secret.
    const auto found = keys_->by_key.find(hash_.of(key));
    if (found != keys_->by_key.end()) return unless_expired(found->second, now);
    return tl::make_unexpected(is_api_key(key) ? denial::unknown_key : denial::malformed);
  }

  tl::expected<shared_identity, denial> by_token(std::string_view token, timestamp now) {
    if (token.size() > token_bytes_max) return tl::make_unexpected(denial::malformed);
    const sha256_hash hash = hash_.of(token);
    if (auto identity = remembered_.find(hash, now)) return identity;
    auto verified = verifier_.verify(token, *token_keys_, now);
    if (!verified) {
      if (verified.error() == denial::unknown_token_key) state_.wants_key_set.store(true, std::memory_order_relaxed);
      return tl::make_unexpected(verified.error());
    }
    remembered_.add(hash, verified->identity, verified->from, verified->until);
    return std::move(verified->identity);
  }

  tl::expected<shared_identity, denial> by_subject(std::string_view subject, timestamp now) {
    const auto found = keys_->by_subject.find(std::string(subject));
    if (found == keys_->by_subject.end()) return tl::make_unexpected(denial::unknown_subject);
    return unless_expired(found->second, now);
  }

  static tl::expected<shared_identity, denial> unless_expired(const known_credential& known, timestamp now) {
    if (known.expires && now >= *known.expires) return tl::make_unexpected(denial::expired);
    return known.identity;
  }

  state& state_;
  std::uint64_t generation_ = 0;
  std::shared_ptr<const key_table> keys_;
  std::shared_ptr<const key_set> token_keys_;
  sha256 hash_;
  token_verifier verifier_;
  token_cache remembered_;
};

directory::directory(directory_settings settings) : state_(std::make_unique<state>(std::move(settings))) {}

directory::~directory() = default;

tl::expected<std::size_t, std::string> directory::replace_keys(std::string_view file) {
  auto entries = parse_keys_file(file);
  if (!entries) return tl::make_unexpected(std::move(entries.error()));
  const std::size_t count = entries->size();
  auto table = make_table(std::move(*entries));
  const std::lock_guard lock(state_->mutex);
  state_->keys = std::move(table);
  state_->generation.fetch_add(1, std::memory_order_release);
  return count;
}

tl::expected<key_set_summary, std::string> directory::replace_key_set(std::string_view json) {
  auto parsed = key_set::parse(json);
  if (!parsed) return tl::make_unexpected(std::move(parsed.error()));
  key_set_summary summary{parsed->size(), parsed->left_out()};
  auto set = std::make_shared<const key_set>(std::move(*parsed));
  const std::lock_guard lock(state_->mutex);
  state_->token_keys = std::move(set);
  state_->generation.fetch_add(1, std::memory_order_release);
  return summary;
}

bool directory::take_key_set_request(std::chrono::steady_clock::time_point now) {
  if (!state_->wants_key_set.load(std::memory_order_relaxed)) return false;
  const std::lock_guard lock(state_->mutex);
  auto& before = state_->key_set_requested_at;
  if (before && now - *before < state_->settings.key_set_interval) return false;
  before = now;
  state_->wants_key_set.store(false, std::memory_order_relaxed);
  return true;
}

std::unique_ptr<authenticator> directory::make_authenticator() {
  return std::make_unique<shared_authenticator>(*state_);
}

}  // namespace ordem::auth
