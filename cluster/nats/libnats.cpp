#include "cluster/nats/libnats.hpp"

#include <charconv>
#include <fstream>
#include <utility>
#include <vector>

namespace ordem::cluster {
namespace {

constexpr std::int64_t ping_interval_ms = 500;
constexpr int pings_unanswered_max = 3;
constexpr std::int64_t write_ms_max = 1000;
constexpr std::int64_t retry_jitter_ms = 20;

// The reason of a failure. Not natsConnection_GetLastError(), which may quote a URL.
std::string reason_of(natsStatus status) {
  switch (status) {
    case NATS_NO_SERVER: return "no server can be reached";
    case NATS_TIMEOUT: return "no server answers in time";
    case NATS_CONNECTION_AUTH_FAILED:
    case NATS_NOT_PERMITTED: return "the servers refuse the user or the credentials";
    case NATS_SSL_ERROR: return "the certificates do not fit: TLS could not be agreed upon";
    case NATS_SECURE_CONNECTION_REQUIRED:
      return "the servers demand TLS: give URLs that begin with tls://, or --nats-ca";
    case NATS_SECURE_CONNECTION_WANTED: return "the servers do not offer TLS";
    default: return natsStatus_GetText(status);
  }
}

tl::unexpected<std::string> unusable(const char* what, const std::string& file) {
  return tl::make_unexpected(std::string(what) + " '" + file + "' cannot be used");
}

tl::expected<nats_options_ptr, std::string> make_options(const nats_settings& settings,
                                                         std::span<const std::string> urls,
                                                         const connection_options& wanted) {
  natsOptions* made = nullptr;
  natsStatus status = natsOptions_Create(&made);
  nats_options_ptr options(made);
  const auto set = [&](auto setter, auto... values) {
    if (status == NATS_OK) status = setter(options.get(), values...);
  };
  std::vector<const char*> servers;
  for (const std::string& url : urls) servers.push_back(url.c_str());
  set(&natsOptions_SetServers, servers.data(), static_cast<int>(servers.size()));
  set(&natsOptions_SetName, wanted.name.c_str());
  set(&natsOptions_SetTimeout, wanted.attempt_ms);
  set(&natsOptions_SetReconnectWait, wanted.retry_ms);
  set(&natsOptions_SetReconnectJitter, retry_jitter_ms, retry_jitter_ms);
  set(&natsOptions_SetMaxReconnect, -1);
  set(&natsOptions_SetAllowReconnect, wanted.keeps_trying);
  // The servers are those of the settings: others could not be told by their certificates.
  set(&natsOptions_SetIgnoreDiscoveredServers, true);
  // Nothing is kept to be sent later: the caller decides what is sent again.
  set(&natsOptions_SetReconnectBufSize, 1);
  set(&natsOptions_SetPingInterval, ping_interval_ms);
  set(&natsOptions_SetMaxPingsOut, pings_unanswered_max);
  set(&natsOptions_SetWriteDeadline, write_ms_max);
  set(&natsOptions_SetSendAsap, true);
  set(&natsOptions_SetFailRequestsOnDisconnect, true);
  // The one that is set by default writes to standard error.
  set(&natsOptions_SetErrorHandler, [](natsConnection*, natsSubscription*, natsStatus, void*) {}, nullptr);
  if (!settings.user.empty()) set(&natsOptions_SetUserInfo, settings.user.c_str(), settings.password.c_str());
  if (!settings.token.empty()) set(&natsOptions_SetToken, settings.token.c_str());
  if (settings.uses_tls()) set(&natsOptions_SetSecure, true);
  if (status != NATS_OK) return tl::make_unexpected(reason_of(status));
  // The library reads the file with each connection, and does not say that it cannot.
  if (!settings.credentials_file.empty() && !std::ifstream(settings.credentials_file).good()) {
    return unusable("the credentials file", settings.credentials_file);
  }
  if (!settings.credentials_file.empty() &&
      natsOptions_SetUserCredentialsFromFiles(options.get(), settings.credentials_file.c_str(), nullptr) != NATS_OK) {
    return unusable("the credentials file", settings.credentials_file);
  }
  if (!settings.ca_file.empty() &&
      natsOptions_LoadCATrustedCertificates(options.get(), settings.ca_file.c_str()) != NATS_OK) {
    return unusable("the authorities in", settings.ca_file);
  }
  if (!settings.certificate_file.empty() &&
      natsOptions_LoadCertificatesChain(options.get(), settings.certificate_file.c_str(), settings.key_file.c_str()) !=
          NATS_OK) {
    return unusable("the certificate with its key in", settings.certificate_file);
  }
  return options;
}

}  // namespace

std::string_view data_of(const natsMsg* message) noexcept {
  const int size = natsMsg_GetDataLength(message);
  return size > 0 ? std::string_view(natsMsg_GetData(message), static_cast<std::size_t>(size)) : std::string_view();
}

std::optional<std::string_view> header_of(natsMsg* message, const char* name) noexcept {
  const char* value = nullptr;
  if (natsMsgHeader_Get(message, name, &value) != NATS_OK || value == nullptr) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> number_of(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int status_of(natsMsg* message) noexcept {
  const auto text = header_of(message, "Status");
  const auto number = text ? number_of(*text) : std::nullopt;
  return number && *number < 1000 ? static_cast<int>(*number) : 0;
}

std::string new_inbox_prefix() {
  natsInbox* made = nullptr;
  if (natsInbox_Create(&made) != NATS_OK) throw std::bad_alloc();
  std::string prefix(made);
  natsInbox_Destroy(made);
  return prefix + ".";
}

libnats_connection::~libnats_connection() {
  if (connection_ == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  natsConnection_Close(connection_);
  {
    std::unique_lock lock(mutex_);
    closed_.wait(lock, [this] { return is_closed_; });
  }
  for (natsSubscription* each : ended_) natsSubscription_Destroy(each);
  natsConnection_Destroy(connection_);
}

tl::expected<void, std::string> libnats_connection::open(const nats_settings& settings,
                                                         std::span<const std::string> urls, connection_options wanted) {
  auto options = make_options(settings, urls, wanted);
  if (!options) return tl::make_unexpected(std::move(options.error()));
  closed_function_ = std::move(wanted.on_closed);
  keeps_trying_ = wanted.keeps_trying;
  natsStatus status = natsOptions_SetDisconnectedCB(options->get(), &on_disconnected, this);
  if (status == NATS_OK) status = natsOptions_SetReconnectedCB(options->get(), &on_connected, this);
  if (status == NATS_OK) status = natsOptions_SetClosedCB(options->get(), &on_closed, this);
  if (status == NATS_OK && wanted.keeps_trying) {
    status = natsOptions_SetRetryOnFailedConnect(options->get(), true, &on_connected, this);
  }
  natsConnection* made = nullptr;
  if (status == NATS_OK) status = natsConnection_Connect(&made, options->get());
  if (status != NATS_OK && status != NATS_NOT_YET_CONNECTED) return tl::make_unexpected(reason_of(status));
  connection_ = made;
  if (status == NATS_OK) {
    // Unless the library has already said that it was lost again.
    const std::lock_guard lock(mutex_);
    if (changes_ == 0) {
      payload_bytes_max_ = static_cast<std::size_t>(natsConnection_GetMaxPayload(made));
      up_ = true;
    }
  }
  return {};
}

std::size_t libnats_connection::add_observer(state_function on_state) {
  const std::lock_guard lock(mutex_);
  observers_.emplace(next_observer_, std::move(on_state));
  return next_observer_++;
}

void libnats_connection::remove_observer(std::size_t number) {
  const std::lock_guard lock(mutex_);
  observers_.erase(number);
}

void libnats_connection::free_later(natsSubscription* ended) {
  const std::lock_guard lock(mutex_);
  ended_.push_back(ended);
}

void libnats_connection::change_state(natsConnection* connection, bool up) {
  const std::size_t payload = up ? static_cast<std::size_t>(natsConnection_GetMaxPayload(connection)) : 0;
  // Observers are called with the mutex held, so that they are told in order, and not after remove_observer().
  const std::lock_guard lock(mutex_);
  ++changes_;
  if (up) payload_bytes_max_ = payload;
  if (up_.exchange(up) == up) return;
  for (const auto& each : observers_) each.second(up);
}

void libnats_connection::on_connected(natsConnection* connection, void* self) {
  static_cast<libnats_connection*>(self)->change_state(connection, true);
}

void libnats_connection::on_disconnected(natsConnection* connection, void* self) {
  static_cast<libnats_connection*>(self)->change_state(connection, false);
}

void libnats_connection::on_closed(natsConnection* connection, void* self) {
  auto& me = *static_cast<libnats_connection*>(self);
  me.change_state(connection, false);
  const char* ignored = nullptr;
  natsStatus status = natsConnection_GetLastError(connection, &ignored);
  // A connection that is tried for ever runs out of servers only by those that have refused the user twice.
  if (me.keeps_trying_ && status == NATS_NO_SERVER) status = NATS_CONNECTION_AUTH_FAILED;
  const std::lock_guard lock(me.mutex_);
  if (!me.is_closing_ && me.closed_function_) me.closed_function_(reason_of(status));
  me.is_closed_ = true;
  me.closed_.notify_all();  // with the mutex held: the destructor may go on as soon as it has it
}

libnats_subscription::~libnats_subscription() {
  if (subscription_ == nullptr) return;
  natsSubscription_Unsubscribe(subscription_);
  {
    std::unique_lock lock(mutex_);
    completed_.wait(lock, [this] { return is_complete_; });
  }
  connection_->free_later(subscription_);
}

bool libnats_subscription::open(libnats_connection& connection, const std::string& subject, int pending_bytes_max,
                                message_function on_message_function) {
  function_ = std::move(on_message_function);
  natsSubscription* made = nullptr;
  if (natsConnection_Subscribe(&made, connection.get(), subject.c_str(), &on_message, this) != NATS_OK) return false;
  natsSubscription_SetPendingLimits(made, -1, pending_bytes_max);
  if (natsSubscription_SetOnCompleteCB(made, &on_complete, this) != NATS_OK) {
    connection.free_later(made);  // the connection was closed meanwhile
    return false;
  }
  connection_ = &connection;
  subscription_ = made;
  return true;
}

std::uint64_t libnats_subscription::dropped() const noexcept {
  std::int64_t count = 0;
  if (subscription_ == nullptr || natsSubscription_GetDropped(subscription_, &count) != NATS_OK || count < 0) return 0;
  return static_cast<std::uint64_t>(count);
}

void libnats_subscription::on_message(natsConnection*, natsSubscription*, natsMsg* message, void* self) {
  static_cast<libnats_subscription*>(self)->function_(nats_message_ptr(message));
}

void libnats_subscription::on_complete(void* self) {
  auto& me = *static_cast<libnats_subscription*>(self);
  const std::lock_guard lock(me.mutex_);
  me.is_complete_ = true;
  me.completed_.notify_all();
}

}  // namespace ordem::cluster
