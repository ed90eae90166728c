#include "engine/codec/problem.hpp"

#include <algorithm>
#include <iterator>

#include "engine/base/check.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::codec {
namespace {

using enum problem;

constexpr problem_row rows[] = {
    {guid_missing, "guid-missing", 400, 400, retry::with_valid_key, "the request has no GUID",
     "Every write of an order needs a GUID, so that it can be repeated without being executed twice. Send it in the header "
     "Idempotency-Key or in the member guid of the body. Generate a new GUID, such as a random UUID, for each new request. If you "
     "repeat a request because you did not receive its response, send the same GUID again, unchanged: GUIDs are compared byte by byte, "
     "so upper and lower case differ. In a batch every line needs its own, in the member idempotency_key. If a repeat of the batch may "
     "execute its lines again, send it with ?keys=generated: the server then gives each line without a key a new one."},
    {guid_malformed, "guid-malformed", 400, 400, retry::with_valid_key, "the GUID is malformed",
     "A GUID is 1 to 255 visible ASCII characters (0x21 to 0x7E), usually a UUID, and is compared byte by byte. Send the header "
     "Idempotency-Key once, as a quoted string (RFC 8941) or without quotes. Without quotes the GUID must not contain a comma, because "
     "proxies join two header lines with one. Send a GUID that contains a comma in quotes."},
    {guid_mismatch, "guid-mismatch", 400, 400, retry::corrected, "the header and the body name different GUIDs",
     "The GUID may be sent both in the header Idempotency-Key and in the member guid of the body, but then the two must be equal, byte "
     "by byte."},
    {guid_reused, "guid-reused", 422, 422, retry::with_new_key, "the GUID was used for a different request",
     "This GUID belongs to an earlier request with another method, another order or other content. Nothing was executed. If this is a "
     "new request, send it with a new GUID. If it is a repeat, send exactly what was sent the first time."},
    {request_in_flight, "request-in-flight", 409, 409, retry::for_outcome, "a request with this GUID is being executed",
     "The first request with this GUID has no response yet. Repeat this request after the time in Retry-After to get the response to "
     "the first one."},
    {version_required, "version-required", 428, 428, retry::corrected, "the write names no version of the order",
     "A write to an existing order must name the version that it is based on, in the member version of the body, or in the header "
     "If-Match with the version in quotes, which is the ETag of the order. Read the order to get its version."},
    {version_malformed, "version-malformed", 400, 400, retry::corrected, "If-Match is not one version",
     "If-Match must contain exactly one version in quotes, as in the ETag of the order: If-Match: \"3\". Lists, weak tags and * do not "
     "say which version the write is based on."},
    {version_mismatch, "version-mismatch", 400, 400, retry::corrected, "If-Match and the body name different versions",
     "The version may be sent both in the header If-Match and in the member version of the body, but then the two must be equal."},
    {stale_version, "stale-version", 409, 3043, retry::with_new_key, "data is out of date",
     "The order has changed since the version that this write is based on: another update came first, and this one was not executed. "
     "The member changes is a merge patch (RFC 7396) that turns the order as you had it, at supplied_version, into the order at "
     "current_version. If it would be long, or if the order has no such version, the member versions is the path of all versions "
     "instead. Check what has changed, and send the update again, based on the current version and with a new GUID. With Prefer: merge, or "
     "\"on_conflict\":\"merge\" in the body, a PUT or PATCH is merged with what has changed, unless a field has changed in both; then the "
     "member conflicts lists these fields. The status is 412 if the version was sent in If-Match, otherwise 409."},
    {status_not_allowed, "status-not-allowed", 409, 3044, retry::with_new_key, "the status change is not allowed",
     "The status of an order changes from new to confirmed to shipped to delivered. A new or confirmed order can also be cancelled. No "
     "other change of status is possible."},
    {order_closed, "order-closed", 409, 3045, retry::never, "the order can no longer be changed",
     "The content of an order can be changed only while the order is new or confirmed. This order has been shipped, delivered or "
     "cancelled."},
    {malformed_json, "malformed-json", 400, 400, retry::corrected, "the body is not JSON",
     "The body must be one JSON value in UTF-8 (RFC 8259), nested at most 64 levels deep, with integers that fit into 64 bits. The "
     "detail describes what the parser found."},
    {not_ndjson, "not-ndjson", 400, 400, retry::corrected, "the batch is a JSON array, not NDJSON",
     "A batch is NDJSON (application/x-ndjson): one JSON object per line, without commas between the lines and without brackets around "
     "them. This body begins with a bracket. Nothing was executed. Send each element of the array as a line of its own."},
    {invalid_order, "invalid-order", 422, 422, retry::corrected, "the body is not a valid order",
     "The body is JSON, but not valid for this call. The member errors lists everything that is wrong with it: pointer is the place (a "
     "JSON Pointer, RFC 6901), detail is the rule that is violated there. Unknown members are errors too, so that a misspelt member is "
     "not ignored. At most 1000 errors are listed. If a pointer would have more than 1024 bytes, it points to a value around the error "
     "instead."},
    {malformed_query, "malformed-query", 400, 400, retry::corrected, "a query parameter is missing or malformed",
     "The detail names the parameter. Each parameter may be given once. Lists have the parameters limit, a number from 1 to 1000, and "
     "cursor, the next_cursor of an earlier response; the list of orders also requires customer_id. Batches have the parameter keys, whose "
     "only value is generated. All other calls have no parameters. Nothing was executed."},
    {unsupported_media_type, "unsupported-media-type", 415, 415, retry::corrected,
     "the body's media type is not supported",
     "Send one header Content-Type: application/json, with no charset other than UTF-8. PATCH also accepts "
     "application/merge-patch+json. A batch has the type application/x-ndjson. Bodies with a Content-Encoding, such as gzip, "
     "are not accepted: send the body without one."},
    {body_too_large, "body-too-large", 413, 413, retry::corrected, "the body is too large",
     "The body is larger than the setting --max-body of the server (1 MiB by default). The connection is closed. In a batch, one line "
     "is too large: that line is skipped, and the other lines are executed."},
    {order_not_found, "order-not-found", 404, 404, retry::corrected, "there is no such order",
     "There is no order with this id. The id of an order is the order_id in the response to its create."},
    {version_not_found, "version-not-found", 404, 404, retry::corrected, "the order has no such version",
     "The versions of an order are numbered 1, 2, 3 and so on, up to its current version."},
    {message_not_found, "message-not-found", 404, 404, retry::for_outcome, "there is no such message",
     "There is no message with this GUID: it was never sent, its response was an error that is not recorded, it is still being "
     "executed, or it has expired."},
    {position_trimmed, "position-trimmed", 410, 410, retry::corrected, "the log no longer holds that position",
     "The change feed was asked for the events behind a position, and the log has been trimmed beyond it: it keeps as many entries as the "
     "setting --log-entries of the server says, at least. Events are missing in between. The member oldest_position is the oldest "
     "position that can be given in after. Read the orders that you need anew, then continue the feed from a position that it has."},
    {not_found, "not-found", 404, 404, retry::never, "there is nothing at this path",
     "The server has nothing at this path. GET /openapi.yaml describes all paths."},
    {method_not_allowed, "method-not-allowed", 405, 405, retry::never, "the method is not allowed here",
     "The path exists, but does not support this method. The header Allow lists the methods that it supports."},
    {malformed_request, "malformed-request", 400, 400, retry::corrected, "the request is not valid HTTP",
     "The request violates HTTP/1.1 (RFC 9112), so the server cannot tell what it means. The connection is closed, unless the error is "
     "only in the path or the query, such as an invalid percent-encoding."},
    {expectation_failed, "expectation-failed", 417, 417, retry::corrected,
     "the request expects what the server does not do",
     "The only supported value of the header Expect is 100-continue. The connection is closed."},
    {headers_too_large, "headers-too-large", 431, 431, retry::corrected, "the request's headers are too large",
     "The request line and the headers are together larger than the setting --max-header of the server (16 KiB by default). The "
     "connection is closed."},
    {request_timeout, "request-timeout", 408, 408, retry::later, "the request did not arrive in time",
     "The complete request did not arrive within the setting --request-timeout of the server. Nothing was executed. The connection is "
     "closed."},
    {unauthenticated, "unauthenticated", 401, 401, retry::corrected, "the request has no valid identity",
     "The server asks every client who it is. Send an API key or a token in the header Authorization: Bearer KEY, or connect with a "
     "client certificate that the server knows. If the request had a key or a token, it is unknown, revoked, expired or was issued for "
     "another server; the server's log has the reason. Nothing was executed, and the request was not looked at any further."},
    {forbidden, "forbidden", 403, 403, retry::corrected, "the identity may not make this call",
     "The identity is valid, but does not have the scope that the call needs, which the member scope names: orders:read, orders:write, "
     "messages:read, captures or operations. Use a key or a token with this scope. Nothing was executed."},
    {forbidden_origin, "forbidden-origin", 403, 403, retry::never, "a web page of another origin may not write",
     "The header Origin or Sec-Fetch-Site says that a browser sent this write for a web page of another origin than this server's. "
     "Nothing was executed. A page must send its writes to its own server. Behind a proxy, the header Host must have the name and the "
     "port that the browser knows."},
    {misdirected, "misdirected-request", 421, 421, retry::corrected, "the server does not have this name",
     "The header Host has a name that the server does not know. It accepts IP addresses, localhost, and the names in its setting "
     "--allowed-hosts; if that is not set, a server that listens only on a loopback address accepts no other name. This keeps web pages "
     "from reaching the server by a name of their own. Nothing was executed."},
    {rate_limited, "rate-limited", 429, 429, retry::later, "the tenant sends too many requests",
     "The tenant of this request has sent more requests in a second than the setting --tenant-rate of the server allows, or has as many "
     "being executed as --tenant-in-flight allows; the detail says which. Other tenants are not affected. Nothing was executed or "
     "recorded. Repeat the request after the time in Retry-After, with the same GUID."},
    {backup_running, "backup-running", 409, 409, retry::later, "a back-up is being made",
     "The server makes one back-up at a time, and one is running. GET /-/backup tells how far it is. Begin yours when it has ended."},
    {backup_refused, "backup-refused", 422, 422, retry::corrected, "the back-up cannot be begun",
     "The detail says why: the server was started without --backup-root, below which alone it makes back-ups; the folder is not "
     "directly below that one, has a name that is not allowed, or exists; or the body has another form than {\"to\":\"NAME\"}. Nothing "
     "was written."},
    {recovering, "recovering", 503, 503, retry::later, "the server is starting",
     "The server is reading its data, or, with --durability=postgres, is waiting until Postgres has all of it. It does not accept "
     "requests yet. Repeat the request after the time in Retry-After, with the same GUID."},
    {overloaded, "overloaded", 503, 503, retry::later, "the server is overloaded",
     "The server is executing as many requests as its setting --max-in-flight allows, or incoming requests or unread responses use as "
     "much memory as --body-memory or --response-memory allows, or the change feed has as many readers as --feed-readers allows; the detail "
     "says which. Repeat this request after the time in "
     "Retry-After, with the same GUID. A write was not executed, unless the memory was needed for its response: then the repeat gets "
     "that response."},
    {too_many_connections, "too-many-connections", 503, 503, retry::later, "the server has too many connections",
     "The server has as many open connections as its setting --max-connections allows, or as many from your address as "
     "--connections-per-address allows; the detail says which. This connection is closed."},
    {read_only, "read-only", 503, 503, retry::for_outcome, "the server takes no writes",
     "The server does not accept writes at present; reads still work. Either a write to its disk failed, which it tries again until it "
     "works, or Postgres can no longer accept its log, which takes a restart; the log output of the server says which. Whether this "
     "request was executed is not known at present. Repeat it later with the same GUID: it will be executed then, or get its original "
     "response."},
    {storage_failed, "storage-failed", 503, 503, retry::later, "the data could not be read",
     "The server could not read data from its disk; its log output says why. Nothing was executed."},
    {persistence_behind, "persistence-behind", 503, 503, retry::later, "Postgres is too far behind",
     "The part of the log that Postgres does not have yet has reached the setting --persist-backlog-max of the server. Reads still "
     "work; writes are accepted again once Postgres has caught up. This write was not executed. Repeat it after the time in "
     "Retry-After, with the same GUID."},
    {no_owner, "no-owner", 503, 503, retry::for_outcome, "no node owns the log",
     "In a cluster, one node owns the log: it executes all writes and says how far reads must have come. This node has waited for it in "
     "vain. Another node takes over within seconds. Whether this request was executed is not known at present. Repeat it after the time in "
     "Retry-After, with the same GUID: it will be executed then, or get its original response. A read may also be sent with Ordem-Read: "
     "stale, which returns what this node has."},
    {draining, "draining", 503, 503, retry::for_outcome, "the server is shutting down",
     "The server is shutting down and accepts no new requests. Repeat this request after the time in Retry-After, with the same "
     "GUID."},
};

// Rows are in the order of the enumerators, so that row_of() is an array access.
constexpr bool is_in_order() {
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    if (static_cast<std::size_t>(rows[i].which) != i) return false;
  }
  return std::size(rows) == problem_count;
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

retry_advice advice_of(retry what) noexcept {
  constexpr std::string_view same_key = "same-key";
  constexpr std::string_view new_key = "new-key";
  switch (what) {
    case retry::later:
      return {same_key, "temporary",
              "Send the same request again later, with the same key. Nothing is recorded under it."};
    case retry::for_outcome:
      return {same_key, "outcome-unknown",
              "Send the same request again, with the same key. If it was executed, this returns its response."};
    case retry::corrected:
      return {
          same_key, "correct-request",
          "Correct the request before you send it again; as it is, it gets the same error. Nothing is recorded under its key, "
          "so the key can stay."};
    case retry::with_valid_key:
      return {new_key, "correct-request",
              "Give the request a valid key before you send it again. Nothing is recorded."};
    case retry::with_new_key:
      return {
          new_key, "key-used",
          "The key is used up: another request with it gets an error or this response again. Send a changed request with a new "
          "key."};
    case retry::never: break;
  }
  return {"never", "final", "Do not send the request again: it gets the same error with every key."};
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
  const retry_advice advice = advice_of(row.retry);
  body += ",\"retry\":\"";
  body += advice.key;
  body += "\",\"retry_reason\":\"";
  body += advice.reason;
  body += '"';
  body += more;
  body += "}";
  return body;
}

}  // namespace ordem::codec
