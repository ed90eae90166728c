#include "app/commands/inspect.hpp"

#include <fmt/format.h>

#include <iostream>

#include "app/commands/failure.hpp"
#include "app/process/system_clock.hpp"
#include "engine/codec/capture_json.hpp"
#include "engine/codec/message_json.hpp"
#include "engine/codec/order_json.hpp"
#include "engine/ports/conflict_reader.hpp"
#include "storage/log/store.hpp"

namespace ordem::app {
namespace {

// Calls `print` with the data of the folder and the time.
template <class Print>
int with_store(const std::string& folder, Print print) {
  engine_clock clock(machine_clocks());
  storage::store_settings settings;
  settings.folder = folder;
  settings.on_error = [](std::string_view what) { fail(what); };
  const auto store = storage::open_store_for_reading(std::move(settings), clock);
  if (!store) return fail(store.error().message);
  return print((*store)->view(), clock.read());
}

constexpr std::string_view unreadable = "the data could not be read";

std::string of_tenant(const std::string& tenant) {
  return tenant.empty() ? "" : fmt::format(" of the tenant '{}'", tenant);
}

}  // namespace

int inspect(const inspect_order_command& what) {
  return with_store(what.data_folder, [&](const storage::view& data, const clock_reading&) {
    const auto versions = data.list_versions(what.id, std::nullopt);
    codec::order_list_json body("versions");
    for (;;) {
      const auto next = versions->next();
      if (!next) return fail(unreadable);
      if (*next == nullptr) break;
      body.add(**next);
    }
    if (body.orders() == 0) return fail(fmt::format("there is no order {}", what.id.to_string()));
    std::cout << body.finish(std::nullopt) << "\n";
    return 0;
  });
}

int inspect(const inspect_message_command& what) {
  return with_store(what.data_folder, [&](const storage::view& data, const clock_reading& now) {
    const auto record = data.find_message(what.tenant, what.guid, now);
    if (!record) return fail(unreadable);
    if (!*record) {
      return fail(fmt::format("there is no message with the GUID '{}'{}", what.guid.view(), of_tenant(what.tenant)));
    }
    const outcome& result = (*record)->outcome;
    const auto order = is_accepted(result.verdict) ? data.find_version(result.order, result.version) : shared_order{};
    if (!order || (is_accepted(result.verdict) && *order == nullptr)) return fail(unreadable);
    const auto of = read_conflict(data, **record);
    if (!of) return fail(unreadable);
    std::cout << codec::message_body(what.guid, **record, *order, *of) << "\n";
    return 0;
  });
}

int inspect(const inspect_capture_command& what) {
  return with_store(what.data_folder, [&](const storage::view& data, const clock_reading& now) {
    const auto found = data.find_capture(what.tenant, what.key, now);
    if (!found) return fail(unreadable);
    if (*found == nullptr) {
      return fail(fmt::format("there is no capture with the key '{}'{}", what.key.view(), of_tenant(what.tenant)));
    }
    std::cout << codec::capture_text(what.key, **found) << "\n";
    return 0;
  });
}

}  // namespace ordem::app
