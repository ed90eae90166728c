// All identities that are known: those of the keys file, and those whose tokens a key of the key set has signed. One
// for a server, shared by all threads: every function is thread-safe. It reads no files and opens no connections: its
// owner hands it their texts, at the start and whenever they change.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "auth/authenticator.hpp"
#include "auth/tokens/token_rules.hpp"

namespace ordem::auth {

struct directory_settings {
  token_rules tokens;
  // How many verified tokens each authenticator remembers, so that their signatures are not checked again; about 250
  // bytes each.
  std::size_t tokens_remembered_max = 16'384;
  // The least time between two requests for a new key set: see take_key_set_request().
  std::chrono::milliseconds key_set_interval = std::chrono::seconds(30);
};

struct key_set_summary {
  std::size_t keys = 0;
  std::vector<std::string> left_out;  // why keys of the set are not used, a line for each
};

class directory {
 public:
  explicit directory(directory_settings settings);
  ~directory();
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;

  // Replaces all API keys and client certificates by those of the keys file (keys_file.hpp), from the next request of
  // each thread on. Returns their number. On an error, whose text begins with the line, everything stays as it was.
  tl::expected<std::size_t, std::string> replace_keys(std::string_view file);

  // Replaces the key set (key_set.hpp), in the same way. The error is the end of a sentence.
  tl::expected<key_set_summary, std::string> replace_key_set(std::string_view json);

  // Returns whether the key set should be read again, because a token came whose key is not in it. Returns true at most
  // once in `key_set_interval`, so that made-up key ids do not make the server ask its issuer all the time.
  bool take_key_set_request(std::chrono::steady_clock::time_point now);

  // Returns an authenticator for one thread. REQUIRES: the directory outlives it.
  std::unique_ptr<authenticator> make_authenticator();

 private:
  struct state;
  class shared_authenticator;
  std::unique_ptr<state> state_;
};

}  // namespace ordem::auth
