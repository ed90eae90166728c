// Messages between nodes of a cluster: a forwarded request, its answer, and the answer about a read index, as they come
// from the network. What decodes must, once it is encoded again, decode and encode to the same bytes from then on; cut
// short or with a byte behind its end it must not decode.

#include <string>

#include "cluster/forwarding/forward_message.hpp"
#include "cluster/forwarding/read_index_gate.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::cluster {
namespace {

template <class Decode, class Encode>
void check_message(std::string_view body, Decode decode, Encode encode) {
  const auto value = decode(body);
  if (!value) return;
  ORDEM_CHECK(!decode(body.substr(0, body.size() - 1)));
  ORDEM_CHECK(!decode(std::string(body) + '\0'));
  const std::string bytes = encode(*value);
  const auto again = decode(bytes);
  ORDEM_CHECK(again.has_value());
  ORDEM_CHECK(encode(*again) == bytes);
}

std::string encode_request(const forward_request& what) {
  std::string texts;
  for (const engine_request& each : what.submissions) encode_submission(texts, each);
  return encode_forward_request(what.id, what.oldest, what.submissions.size(), texts);
}

}  // namespace
}  // namespace ordem::cluster

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ordem::cluster;
  constexpr std::size_t bytes_max = std::size_t{1} << 30;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  check_message(body, decode_forward_request, encode_request);
  check_message(body, decode_forward_answer,
                [](const forward_answer& what) { return encode_forward_answer(what, bytes_max); });
  check_message(body, decode_read_index_answer, encode_read_index_answer);
  return 0;
}
