// Limits on the content of orders, messages and captures. Source: the HTTP contract, sections "Idempotency" and
// "Orders"; the limits on capture keys, tenants and actors are Ordem's own. Limits that an operator can change (body,
// connections, queues) are settings: see app/settings/settings.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ordem::limits {

inline constexpr std::size_t guid_bytes_max = 255;
inline constexpr std::size_t capture_key_characters_max = 1024;
inline constexpr std::size_t tenant_bytes_max = 255;
inline constexpr std::size_t actor_bytes_max = 255;
inline constexpr std::uint16_t captured_status_min = 100;
inline constexpr std::uint16_t captured_status_max = 999;

inline constexpr std::size_t customer_id_characters_max = 128;
inline constexpr std::size_t external_id_characters_max = 128;
inline constexpr std::size_t sku_characters_max = 64;
inline constexpr std::size_t items_max = 500;
inline constexpr std::int64_t quantity_max = 1'000'000;
inline constexpr std::int64_t unit_price_minor_units_max = 1'000'000'000'000;
inline constexpr std::size_t attributes_bytes_max = 16 * 1024;  // as compact JSON text
inline constexpr std::size_t json_depth_max = 64;               // of a whole request body

// 2^53 - 1, the largest integer that every JSON reader keeps exact (RFC 7493, section 2.2).
inline constexpr std::int64_t exact_integer_max = (std::int64_t{1} << 53) - 1;
inline constexpr std::int64_t total_minor_units_max = exact_integer_max;

// --capture-max limits a captured response; JSON can escape one byte as six ("\\u0001").
inline constexpr std::size_t json_bytes_per_byte_max = 6;

// The members of a 3043 response that help to go on, as JSON text: the changes since the expected version, and the
// fields that clash.
inline constexpr std::size_t changes_bytes_max = 16 * 1024;
inline constexpr std::size_t clashes_max = 100;
inline constexpr std::size_t clash_pointer_bytes_max = 1024;

// Bytes of input quoted in a message; see in_quotes() in engine/base/text.hpp.
inline constexpr std::size_t quoted_bytes_max = 100;

inline constexpr std::size_t page_size_default = 100;
inline constexpr std::size_t page_size_max = 1000;
// Size of the orders on a page, as JSON. A page of large orders has fewer of them, but at least one.
inline constexpr std::size_t page_bytes_max = std::size_t{1} << 20;
// Orders that a search looks at for one page, whether they match or not.
inline constexpr std::size_t page_orders_looked_at_max = 10'000;

static_assert(unit_price_minor_units_max <= total_minor_units_max, "one item at the highest price must be orderable");
static_assert(page_size_default <= page_size_max);
static_assert(page_size_max <= page_orders_looked_at_max, "a page of which every order matches must be full");
static_assert(guid_bytes_max <= 255, "records store the length of a GUID in one byte");
static_assert(tenant_bytes_max <= 255, "keys store the length of a tenant in one byte");

}  // namespace ordem::limits
