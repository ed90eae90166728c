#include "app/commands/restore.hpp"

#include <fmt/format.h>

#include <iostream>

#include "app/commands/failure.hpp"
#include "app/commands/progress_bar.hpp"
#include "app/process/system_clock.hpp"
#include "storage/log/store_loader.hpp"
#include "storage/postgres/postgres_reader.hpp"

namespace ordem::app {
namespace {

// Passes the rows of all pages to `put`. Returns the error if a page cannot be read.
template <class Next, class Put>
std::optional<std::string> copy(Next next, progress_bar& progress, Put put) {
  while (true) {
    const auto page = next();
    if (!page) return page.error().message;
    if (page->empty()) return std::nullopt;
    for (const auto& each : *page) put(each);
    progress.advance(page->size());
  }
}

}  // namespace

int restore(const restore_command& what) {
  engine_clock clock(machine_clocks());
  const auto from = storage::read_postgres(what.postgres_url);
  if (!from) return fail(from.error().message);
  storage::postgres_reader& database = **from;
  if (const auto begun = database.keep_by(clock.now()); !begun) return fail(begun.error().message);
  const auto counts = database.count();
  if (!counts) return fail(counts.error().message);

  storage::store_settings settings;
  settings.folder = what.data_folder;
  settings.on_error = [](std::string_view error) { fail(error); };
  const auto to = storage::load_new_store(std::move(settings), database.log_id(), clock);
  if (!to) return fail(to.error().message);
  storage::store_loader& folder = **to;

  std::optional<std::string> failure;
  {
    progress_bar progress("restoring", counts->orders + counts->versions + counts->messages + counts->captures);
    failure =
        copy([&] { return database.next_orders(); }, progress, [&](const order& each) { folder.put_order(each); });
    if (!failure) {
      failure = copy([&] { return database.next_versions(); }, progress,
                     [&](const order& each) { folder.put_version(each); });
    }
    if (!failure) {
      failure = copy([&] { return database.next_messages(); }, progress,
                     [&](const auto& each) { folder.put_message(each.guid, each.record); });
    }
    if (!failure) {
      failure = copy([&] { return database.next_captures(); }, progress,
                     [&](const auto& each) { folder.put_capture(each.key, each.capture); });
    }
  }
  if (failure) return fail(fmt::format("{}; the folder '{}' is incomplete: remove it", *failure, what.data_folder));
  if (const auto finished = folder.finish(database.last()); !finished) return fail(finished.error().message);
  std::cout << fmt::format("restored {} orders, {} versions, {} messages and {} captures up to position {} into '{}'\n",
                           counts->orders, counts->versions, counts->messages, counts->captures, database.last().number,
                           what.data_folder);
  return 0;
}

}  // namespace ordem::app
