// An HTTP response, and its bytes on the wire. Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/codec/problem.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/outcome.hpp"

namespace ordem::http_edge {

using codec::problem;

inline constexpr std::string_view problem_media_type = "application/problem+json";

// The value of Retry-After in all responses.
inline constexpr std::string_view retry_after_seconds = "1";

struct response {
  unsigned status = 200;
  std::string_view content_type = "application/json";  // must be a literal; not sent if there is no body
  std::string headers;                                 // further header lines, each "Name: value\r\n"
  std::string body;
  bool close = false;  // close the connection after it
  // For logs and metrics: the error that the response is, if it is one of the table, and why the request was refused.
  std::optional<codec::problem> problem = std::nullopt;
  std::string detail = {};

  void add_header(std::string_view name, std::string_view value);
};

template <class Value>
using or_response = tl::expected<Value, response>;

// The properties of a request that its response depends on.
struct wire_options {
  bool head = false;       // the request is a HEAD: the response has no body
  bool keep_alive = true;  // what the client wants
  bool http_1_0 = false;
  std::string_view request_id = {};  // the value of X-Request-Id; not sent if it is empty
};

// Appends the response as HTTP/1.1 (RFC 9112), with Date, Content-Length, X-Content-Type-Options and X-Request-Id.
// Returns whether the connection stays open.
bool append_response(std::string& out, const response& what, wire_options options);

// Appends the head of a 200 response with a chunked body (RFC 9112, section 7.1). Returns whether the connection stays
// open. `request_id` is that of wire_options; `headers` are further header lines, as in response.
bool append_chunked_head(std::string& out, std::string_view content_type, bool keep_alive, std::string_view request_id,
                         std::string_view headers = {});
// Appends the line before the bytes of a chunk.
void append_chunk_size(std::string& out, std::size_t bytes);

response json_response(unsigned status, std::string body);
// Returns an application/problem+json response, with Retry-After if the status is 429 or 503, or the request is in
// flight already. `status` replaces the status of the problem; `more` is as for codec::problem_body().
response problem_response(problem which, std::string_view detail, std::string_view more = {});
response problem_response(problem which, unsigned status, std::string_view detail, std::string_view more = {});

// Returns the error that problem_response() makes, as the result of a function that returns or_response.
tl::unexpected<response> refuse(problem which, std::string_view detail, std::string_view more = {});
// The same for a wrong parameter of the query.
tl::unexpected<response> refuse_query(std::string_view detail);

// Adds Ordem-Position: once Postgres holds the log up to that position, it shows everything that this response speaks
// of. Does nothing for nullopt, which is the value while the service is recovering.
void add_position(response& to, std::optional<position> visible);

// The problem and its detail for a request that the engine could not execute.
struct refusal_reason {
  problem which = problem::overloaded;
  std::string_view detail;
};
refusal_reason reason_of(unavailability why);

inline constexpr std::string_view no_owner_detail =
    "no node of the cluster answers for the log at present; another one takes it over within seconds";

}  // namespace ordem::http_edge
