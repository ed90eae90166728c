#include "cluster/nats/nats_connection.hpp"

#include <utility>

#include "cluster/nats/libnats.hpp"

namespace ordem::cluster {
namespace {

constexpr std::int64_t attempt_ms = 2000;
constexpr std::int64_t retry_ms = 100;

std::string failure_of(natsStatus status) {
  switch (status) {
    case NATS_TIMEOUT: return "NATS has not answered in time";
    case NATS_NO_RESPONDERS: return "nothing in NATS answers: JetStream is not enabled, or has no leader";
    default: return std::string("NATS: ") + natsStatus_GetText(status);
  }
}

}  // namespace

tl::expected<std::unique_ptr<nats_connection>, std::string> nats_connection::connect(
    nats_connection_settings settings) {
  auto library = std::make_unique<libnats_connection>();
  if (settings.on_state) library->add_observer(settings.on_state);
  const auto opened = library->open(settings.nats, settings.nats.urls,
                                    {.name = settings.connection_name,
                                     .keeps_trying = settings.keeps_trying,
                                     .attempt_ms = attempt_ms,
                                     .retry_ms = retry_ms,
                                     .on_closed = std::move(settings.on_closed)});
  if (!opened) return tl::make_unexpected("NATS cannot be used: " + opened.error());
  return std::unique_ptr<nats_connection>(new nats_connection(std::move(library)));
}

nats_connection::nats_connection(std::unique_ptr<libnats_connection> library) : library_(std::move(library)) {}
nats_connection::~nats_connection() = default;

bool nats_connection::is_up() const noexcept {
  return library_->is_up();
}

std::size_t nats_connection::payload_bytes_max() const noexcept {
  return library_->payload_bytes_max();
}

tl::expected<std::string, nats_failure> nats_connection::request(const std::string& subject, std::string_view body,
                                                                 std::chrono::milliseconds timeout) {
  if (!is_up()) return tl::make_unexpected(nats_failure{"there is no connection to NATS", true});
  natsMsg* answer = nullptr;
  const natsStatus status = natsConnection_Request(&answer, library_->get(), subject.c_str(), body.data(),
                                                   static_cast<int>(body.size()), timeout.count());
  if (status != NATS_OK) return tl::make_unexpected(nats_failure{failure_of(status), status != NATS_NO_RESPONDERS});
  const nats_message_ptr message(answer);
  return std::string(data_of(answer));
}

}  // namespace ordem::cluster
