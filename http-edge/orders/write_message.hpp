// Makes the message of a write from its parts: those of a single request, or those of a line of a batch. Pure
// functions; thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/codec/write_body.hpp"
#include "engine/model/message.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

// What is given beside the body of a write: by the target and the headers of a request, or by the members of a line.
struct write_source {
  // The details of the errors.
  struct details {
    std::string_view guid_missing;
    std::string_view guid_mismatch;
    std::string_view version_missing;
    std::string_view version_mismatch;
  };

  const details& errors;
  std::optional<ordem::guid> guid;
  std::string_view order_id;  // of an update
  // The version, or the error if what was given is not one. Of an update.
  or_response<std::optional<ordem::version>> version;
  bool version_is_if_match = false;
  bool merges = false;  // given beside the body; see expected_version
};

// Returns the message, or the first error: of the GUID, of the body, of the version, of the order's id. `from` keeps
// its GUID if there is an error.
or_response<message> make_message(write_source& from, codec::write_body& body);

// Returns 404 for an id that no order has.
response no_such_order();

}  // namespace ordem::http_edge
