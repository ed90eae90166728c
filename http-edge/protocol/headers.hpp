// Parses the request headers that are used by the calls of orders. Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/model/ids.hpp"

namespace ordem::http_edge {

// Parses the value of Idempotency-Key: an RFC 8941 String ("..."), whose parameters are ignored, or the GUID without
// quotes. Returns nullopt for anything else.
//
// Without quotes the complete value is the GUID, including a ';' and what looks like a parameter: RFC 8941 has no such
// item, and two GUIDs of a client may differ only there. A comma is not allowed, because proxies join header lines with
// it, and two joined keys must not become a third one. A GUID with a comma is sent in quotes, or in the body.
std::optional<guid> parse_idempotency_key(std::string_view value);

// Parses the value of If-Match: one strong entity tag with a version from 1 up. Returns nullopt for anything else.
std::optional<version> parse_if_match(std::string_view value);

// Returns whether If-None-Match (RFC 9110, section 13.1.2: a list of tags, weak or strong, or *) includes the tag of
// this version.
bool if_none_match_holds(std::string_view value, version current);

// Returns the entity tag of a version, with its quotes.
std::string entity_tag(version which);

// Returns whether the value of Prefer (RFC 7240) has this preference, without a value. `name`: in lower case.
bool has_preference(std::string_view value, std::string_view name);

// Returns the media type without its parameters, in lower case: "application/json" for "Application/JSON;
// charset=utf-8".
std::string media_type(std::string_view content_type);

// Returns whether the type is text/plain, application/x-www-form-urlencoded or multipart/form-data, which a browser
// sends for any web page without asking the server first.
bool is_form_type(std::string_view content_type) noexcept;

// Returns the text without spaces and tabs at its ends: optional white space (RFC 9110, section 5.6.3).
std::string_view trimmed(std::string_view text) noexcept;

// Returns whether the texts are equal, ignoring the case of ASCII letters. (Beast's iequals reads one byte past the end
// of both.)
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

// Returns whether a parameter names a charset other than UTF-8 or its subset ASCII.
bool has_other_charset(std::string_view content_type);

// Parses a number from 1 to 2^53 - 1 in decimal digits without leading zeros. Returns nullopt for anything else.
std::optional<std::uint64_t> parse_positive(std::string_view digits);

}  // namespace ordem::http_edge
