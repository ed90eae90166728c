#include "engine/codec/problem.hpp"

#include <algorithm>
#include <iterator>

#include "engine/base/check.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::codec {
namespace {

using enum problem;

constexpr problem_row rows[] = {
    {guid_missing, "guid-missing", 400, 400, "the request has no GUID",
     "Every write of an order needs a GUID, so that it can be repeated without being executed twice. Send it as the header "
     "Idempotency-Key or as the member guid of the body. Make a new one (a random UUID) for each new intention, and send the same "
     "one again whenever you repeat a request whose answer you did not get, character by character: GUIDs are compared byte by byte, and "
     "upper and lower case differ."},
    {guid_malformed, "guid-malformed", 400, 400, "the GUID is malformed",
     "A GUID is 1 to 255 visible ASCII characters (0x21 to 0x7E), a UUID as a rule, compared byte by byte. The header Idempotency-Key may be sent once, as a "
     "quoted string (RFC 8941) or bare. A bare one must not have a comma, for so do proxies join two header lines; a GUID with a comma is "
     "sent in quotes."},
    {guid_mismatch, "guid-mismatch", 400, 400, "the header and the body name different GUIDs",
     "The header Idempotency-Key and the member guid of the body may both be given, but then they must agree, byte by byte."},
    {guid_reused, "guid-reused", 422, 422, "the GUID was used for a different request",
     "This GUID already names another request: its method, its order or its content was different. Nothing was executed. If this is a "
     "new intention, send it with a new GUID; if it should be a repeat, send exactly what was sent the first time."},
    {request_in_flight, "request-in-flight", 409, 409, "a request with this GUID is being executed",
     "The first request with this GUID has not been answered yet. Repeat this one after the time in Retry-After: it will then get the "
     "first one's answer."},
    {version_required, "version-required", 428, 428, "the write names no version of the order",
     "A write to an existing order must say which version it was made against: the member version of the body, or the header If-Match "
     "with that version in quotes, which is the order's ETag. Read the order to learn its version."},
    {version_malformed, "version-malformed", 400, 400, "If-Match is not one version",
     "If-Match must hold exactly one version in quotes, as the ETag of the order gives it: If-Match: \"3\". Lists, weak tags and * say "
     "too little about what the write was made against."},
    {version_mismatch, "version-mismatch", 400, 400, "If-Match and the body name different versions",
     "The header If-Match and the member version of the body may both be given, but then they must agree."},
    {stale_version, "stale-version", 409, 3043, "data is out of date",
     "The order has changed since the version that this write was made against: somebody else's update came first, and this one was "
     "not executed. Read the order again, look at what has changed (GET /api/v1/orders/{id}/versions shows every version), and send "
     "the update anew, made against the current version and with a new GUID. The status is 412 if the version came by If-Match, else "
     "409."},
    {status_not_allowed, "status-not-allowed", 409, 3044, "the status change is not allowed",
     "An order goes from new to confirmed to shipped to delivered; while it is new or confirmed it may also be cancelled. No other "
     "change of its status is possible."},
    {order_closed, "order-closed", 409, 3045, "the order can no longer be changed",
     "The content of an order may change only while it is new or confirmed. This one has been shipped, delivered or cancelled."},
    {malformed_json, "malformed-json", 400, 400, "the body is not JSON",
     "The body must be one JSON value in UTF-8 (RFC 8259), nested at most 64 levels deep, with integers that fit 64 bits. The detail "
     "says what the parser met."},
    {invalid_order, "invalid-order", 422, 422, "the body is not a valid order",
     "The body is JSON, but not what this call takes. The member errors lists everything that is wrong with it: pointer says where "
     "(JSON Pointer, RFC 6901), detail says what is asked for there. Members that the call does not know are refused too, so that a "
     "misspelt one is not lost. If a body has more than 1000 errors the first 1000 are listed. A pointer "
     "of more than 1024 bytes is that of a value around the error."},
    {malformed_query, "malformed-query", 400, 400, "a query parameter is missing or malformed",
     "The detail names the parameter. A call takes each of its parameters once, and no other. Lists know limit, a number from 1 to 1000, "
     "and cursor, the next_cursor of an earlier answer; that of orders also needs customer_id. All other calls, the writes among them, "
     "know none. Nothing was executed."},
    {unsupported_media_type, "unsupported-media-type", 415, 415, "the body's media type is not supported",
     "Send Content-Type: application/json, once, with no charset but UTF-8. A PATCH also takes application/merge-patch+json; a "
     "batch of orders is application/x-ndjson. A body with a Content-Encoding, such as gzip, is not taken: send it as it is."},
    {body_too_large, "body-too-large", 413, 413, "the body is too large",
     "The body is larger than this server takes (its setting --max-body, 1 MiB unless changed). The connection is closed. In a batch "
     "it is one line that is too large: it is skipped, and the rest goes on."},
    {order_not_found, "order-not-found", 404, 404, "there is no such order",
     "No order has this id. Ids are the order_id that a create was answered with."},
    {version_not_found, "version-not-found", 404, 404, "the order has no such version",
     "Versions are numbered 1, 2, 3 and so on, up to the order's current one."},
    {message_not_found, "message-not-found", 404, 404, "there is no such message",
     "No message with this GUID is known: it was never sent, was answered with an error that is not recorded, is still being executed, "
     "or has expired."},
    {not_found, "not-found", 404, 404, "there is nothing at this path",
     "The server knows no such path. GET /openapi.yaml describes all that it knows."},
    {method_not_allowed, "method-not-allowed", 405, 405, "the method is not allowed here",
     "The path exists, but not with this method. The header Allow lists those that it takes."},
    {malformed_request, "malformed-request", 400, 400, "the request is not valid HTTP",
     "The request breaks the rules of HTTP/1.1 (RFC 9112), so that the server can't tell what was meant. The connection is closed, "
     "unless only the path or the query is at fault: a broken percent-encoding, for instance."},
    {expectation_failed, "expectation-failed", 417, 417, "the request expects what the server does not do",
     "The only expectation that the header Expect may name is 100-continue. The connection is closed."},
    {headers_too_large, "headers-too-large", 431, 431, "the request's headers are too large",
     "The request line and the headers together are larger than this server takes (its setting --max-header, 16 KiB unless changed). "
     "The connection is closed."},
    {request_timeout, "request-timeout", 408, 408, "the request did not arrive in time",
     "The rest of the request did not arrive within the server's setting --request-timeout. Nothing was executed. The connection is "
     "closed."},
    {recovering, "recovering", 503, 503, "the server is starting",
     "The server is reading its data, or with --durability=postgres waits until Postgres has all of it, and takes no requests yet. "
     "Repeat the request after the time in Retry-After, with the same GUID."},
    {overloaded, "overloaded", 503, 503, "the server is overloaded",
     "More requests are being executed than the server's setting --max-in-flight allows, or requests that are arriving or answers that "
     "clients have not read take as much memory as --body-memory or --response-memory allows: detail says which. Repeat this one after "
     "the time in Retry-After, with the same GUID. A write was not executed, unless it is its answer that there is no memory for: then the "
     "repeat gets that answer."},
    {too_many_connections, "too-many-connections", 503, 503, "the server has too many connections",
     "As many connections are open as the server's setting --max-connections allows. This one is closed."},
    {read_only, "read-only", 503, 503, "the server takes no writes",
     "The server takes no writes until it has been restarted; reads go on. Its disk refused a write, or Postgres will never take its log "
     "again: its own log says which. Whether this request was executed is not known now: repeat it later with the same GUID, and it will "
     "be executed then, or answered with what was done."},
    {storage_failed, "storage-failed", 503, 503, "the data could not be read",
     "The server could not read what it needs from its disk; its log says why. Nothing was executed."},
    {persistence_behind, "persistence-behind", 503, 503, "Postgres is too far behind",
     "What Postgres still lacks of the log has reached the server's setting --persist-backlog-max. Reads go on; writes are taken again "
     "once Postgres has caught up. This one was not executed. Repeat it after the time in Retry-After, with the same GUID."},
    {draining, "draining", 503, 503, "the server is shutting down",
     "The server is being stopped and takes no new requests. Repeat this one after the time in Retry-After, with the same GUID."},
};

// The row of a problem stands at the place of its number: row_of() is one look.
constexpr bool is_in_order() {
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    if (static_cast<std::size_t>(rows[i].which) != i) return false;
  }
  return std::size(rows) == static_cast<std::size_t>(draining) + 1;
}

}  // namespace

std::span<const problem_row> problem_table() noexcept {
  static_assert(is_in_order());
  return rows;
}

const problem_row& row_of(problem which) noexcept {
  return rows[static_cast<std::size_t>(which)];
}

const problem_row* find_problem(std::string_view slug) noexcept {
  const auto* found = std::find_if(std::begin(rows), std::end(rows), [&](const auto& row) { return row.slug == slug; });
  return found == std::end(rows) ? nullptr : found;
}

std::string problem_body(const problem_row& row, unsigned status, std::string_view detail, std::string_view more) {
  std::string body = "{\"type\":\"/problems/";
  body += row.slug;
  body += "\",\"title\":";
  append_json_string(body, row.title);
  body += ",\"status\":" + std::to_string(status) + ",\"detail\":";
  append_json_string(body, detail);
  body += ",\"code\":" + std::to_string(row.code == row.status ? status : row.code) + ",\"message\":";
  append_json_string(body, row.title);
  body += more;
  body += "}";
  return body;
}

}  // namespace ordem::codec
