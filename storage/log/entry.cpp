#include "storage/log/entry.hpp"

#include "engine/base/limits.hpp"

namespace ordem::storage {
namespace {

constexpr std::size_t frame_bytes = 2048;  // ids, times, a GUID, origins
constexpr std::size_t item_bytes = 96;     // a SKU of usual length

std::size_t bytes_of(const std::vector<order_item>& items, bool has_attributes) noexcept {
  return items.size() * item_bytes + (has_attributes ? limits::attributes_bytes_max : 0);
}

struct command_bytes {
  std::size_t operator()(const create_order& what) const noexcept { return of(what.content); }
  std::size_t operator()(const replace_content& what) const noexcept { return of(what.content); }
  std::size_t operator()(const merge_content& what) const noexcept {
    const bool has_attributes = std::holds_alternative<json_object>(what.attributes);
    return bytes_of(what.items ? *what.items : std::vector<order_item>(), has_attributes);
  }
  std::size_t operator()(const change_status&) const noexcept { return 0; }
  static std::size_t of(const order_content& content) noexcept {
    return bytes_of(content.items, content.attributes.has_value());
  }
};

}  // namespace

std::size_t logged_bytes_max(const entry& what) noexcept {
  const auto* message = std::get_if<message_entry>(&what);
  if (message == nullptr) return frame_bytes + captured_bytes_of(what);
  std::size_t bytes = frame_bytes;
  if (message->after != nullptr) bytes += command_bytes::of(message->after->content);
  if (message->record.command) bytes += std::visit(command_bytes{}, *message->record.command);
  return bytes;
}

}  // namespace ordem::storage
