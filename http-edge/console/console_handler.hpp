// Serves the files of the console at /console/. They hold no data and need no identity: what the page shows it reads by
// the calls that every client uses. Pure functions; thread-safe.
#pragma once

#include <string_view>

#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

// Returns the media type of a file by the end of its name.
std::string_view console_media_type(std::string_view name) noexcept;

// Returns the response to a GET or HEAD: 200, 304 if If-None-Match has the file's tag, 308 to the path with a slash at
// its end, which relative links need, or 404. REQUIRES: `to` is resource::console or resource::console_file.
response console_response(const http_request& request, const route& to);

}  // namespace ordem::http_edge
