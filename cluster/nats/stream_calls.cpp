#include "cluster/nats/stream_calls.hpp"

#include "cluster/nats/libnats.hpp"

namespace ordem::cluster {
namespace {

tl::expected<nats_message_ptr, std::string> answer_to(nats_connection& connection, natsMsg* request,
                                                      std::chrono::milliseconds timeout) {
  if (!connection.is_up()) return tl::make_unexpected("there is no connection to NATS");
  natsMsg* answer = nullptr;
  const natsStatus status = natsConnection_RequestMsg(&answer, connection.library().get(), request, timeout.count());
  if (status == NATS_NO_RESPONDERS) return nats_message_ptr();
  if (status != NATS_OK) return tl::make_unexpected(std::string("NATS: ") + natsStatus_GetText(status));
  return nats_message_ptr(answer);
}

nats_message_ptr make_message(const std::string& subject, std::string_view body) {
  natsMsg* made = nullptr;
  if (natsMsg_Create(&made, subject.c_str(), nullptr, body.data(), static_cast<int>(body.size())) != NATS_OK) {
    throw std::bad_alloc();
  }
  return nats_message_ptr(made);
}

}  // namespace

tl::expected<log_answer, std::string> append_record(nats_connection& connection, const std::string& log_subject,
                                                    std::uint64_t expected_last, std::string_view record,
                                                    std::chrono::milliseconds timeout) {
  const nats_message_ptr request = make_message(log_subject, record);
  const std::string expected = std::to_string(expected_last);
  if (natsMsgHeader_Set(request.get(), "Nats-Expected-Last-Sequence", expected.c_str()) != NATS_OK)
    throw std::bad_alloc();
  const auto answer = answer_to(connection, request.get(), timeout);
  if (!answer) return tl::make_unexpected(answer.error());
  if (*answer == nullptr) return no_responders{};
  return parse_append_answer(data_of(answer->get()));
}

tl::expected<log_answer, std::string> read_record(nats_connection& connection, const std::string& stream,
                                                  std::uint64_t sequence, std::chrono::milliseconds timeout) {
  const nats_message_ptr request =
      make_message("$JS.API.STREAM.MSG.GET." + stream, "{\"seq\":" + std::to_string(sequence) + "}");
  const auto answer = answer_to(connection, request.get(), timeout);
  if (!answer) return tl::make_unexpected(answer.error());
  if (*answer == nullptr) return no_responders{};
  return parse_get_answer(data_of(answer->get()));
}

}  // namespace ordem::cluster
