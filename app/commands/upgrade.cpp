#include "app/commands/upgrade.hpp"

#include <fmt/format.h>

#include <iostream>
#include <string_view>

#include "app/commands/failure.hpp"
#include "storage/log/store.hpp"

namespace ordem::app {
namespace {

constexpr std::uint64_t bytes_per_mib = std::uint64_t{1} << 20;

int show_plan(const std::string& folder) {
  const auto plan = storage::plan_upgrade(folder);
  if (!plan) return fail(plan.error().message);
  if (plan->format == plan->format_after) {
    std::cout << fmt::format("'{}' has data format {}: there is nothing to do\n", folder, plan->format);
    return 0;
  }
  if (!plan->writes_log) {
    std::cout << fmt::format(
        "'{}' has data format {}, and would be brought up to format {}: only the number of the format is written.\n"
        "Earlier versions of ordem can't read the folder afterwards. Nothing was changed.\n",
        folder, plan->format, plan->format_after);
    return 0;
  }
  std::cout << fmt::format(
      "'{}' has data format {}, and would be brought up to format {}: the log is written anew, which takes at most the\n"
      "{} MiB of the database; {} MiB are free. Until that is done the folder keeps format {}, and an upgrade that is\n"
      "cut off begins again. Earlier versions of ordem can't read the folder afterwards. Nothing was changed.\n",
      folder, plan->format, plan->format_after, plan->bytes / bytes_per_mib + 1, plan->bytes_free / bytes_per_mib,
      plan->format);
  return 0;
}

}  // namespace

int upgrade(const upgrade_command& what) {
  if (what.dry_run) return show_plan(what.data_folder);
  storage::store_settings settings;
  settings.folder = what.data_folder;
  settings.on_error = [](std::string_view error) { fail(error); };
  settings.on_progress = [](std::string_view step) { std::cout << step << "\n" << std::flush; };
  if (auto upgraded = storage::upgrade_folder(settings); !upgraded) return fail(upgraded.error().message);
  return show_plan(what.data_folder);
}

}  // namespace ordem::app
