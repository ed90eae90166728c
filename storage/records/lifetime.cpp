#include "storage/records/lifetime.hpp"

#include "storage/records/fields.hpp"

namespace ordem::storage {

std::optional<lifetime> decode_lifetime(std::string_view record) {
  byte_reader from{record};
  get_format(from, format_with_external_id);
  lifetime what;
  what.expires_at = get_timestamp(from);
  what.made_at = get_timestamp(from);
  if (!from.ok()) return std::nullopt;
  return what;
}

}  // namespace ordem::storage
