#include "app/commands/verify.hpp"

#include <fmt/format.h>

#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "app/commands/failure.hpp"
#include "app/process/system_clock.hpp"
#include "engine/model/tenant_key.hpp"
#include "storage/log/store.hpp"
#include "storage/postgres/postgres_reader.hpp"

namespace ordem::app {
namespace {

// Ends the comparison: a record cannot be read, or the two cannot be compared.
struct unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class Value, class Error>
Value read(tl::expected<Value, Error> result) {
  if (result) return std::move(*result);
  if constexpr (std::is_same_v<Error, storage::error>) {
    throw unreadable(result.error().message);
  } else {
    throw unreadable("the data folder could not be read");
  }
}

// Reads the rows of one table page by page and returns them one by one.
template <class Row>
class row_source {
 public:
  using next_page = std::function<storage::result<std::vector<Row>>()>;
  explicit row_source(next_page next) : next_(std::move(next)) { advance(); }

  // Returns the current row, or null after the last one.
  const Row* peek() const { return at_ < page_.size() ? &page_[at_] : nullptr; }
  void advance() {
    if (++at_ < page_.size()) return;
    page_ = read(next_());
    at_ = 0;
  }

 private:
  next_page next_;
  std::vector<Row> page_;
  std::size_t at_ = 0;
};

message_key key_of(const storage::persisted_message& what) {
  return {what.record.origin.tenant, what.guid};
}
tenant_capture_key key_of(const storage::persisted_capture& what) {
  return {what.capture.origin.tenant, what.key};
}

// Whether it comes before in the scans of the view and in the pages of Postgres.
template <class Name>
bool comes_before(const tenant_key<Name>& a, const tenant_key<Name>& b) {
  const auto rank = [](const auto& key) {
    return std::tuple(key.tenant.size(), std::string_view(key.tenant), key.name.view());
  };
  return rank(a) < rank(b);
}

template <class Name>
std::string name_of(const tenant_key<Name>& key) {
  if (key.tenant.empty()) return std::string(key.name.view());
  return fmt::format("{} of tenant '{}'", key.name.view(), key.tenant);
}

class comparison {
 public:
  comparison(storage::store& folder, storage::postgres_reader& database, const clock_reading& now)
      : log_(folder.log()), folder_(folder.view()), database_(database), now_(now) {}

  // Prints all differences. Returns their number.
  std::uint64_t run() {
    read_end_of_log();
    compare_orders();
    compare_versions();
    compare_messages();
    compare_captures();
    return differences_;
  }

  std::uint64_t orders() const noexcept { return orders_; }
  std::uint64_t versions() const noexcept { return versions_; }
  std::uint64_t messages() const noexcept { return messages_; }
  std::uint64_t captures() const noexcept { return captures_; }

 private:
  // Reads the entries that Postgres does not have yet: they are no difference.
  void read_end_of_log() {
    constexpr std::size_t page = 4096;
    for (position from{database_.last().number + 1}; from <= log_.last();) {
      const auto entries = log_.read(from, page);
      if (!entries && entries.error() == storage::log_read_error::trimmed) {
        throw unreadable(fmt::format(
            "Postgres holds the log up to position {}, but the log of the data folder begins at position {}: "
            "the changes in between are unknown, so the two can't be compared",
            database_.last().number, log_.first().number));
      }
      if (!entries || entries->empty()) throw unreadable("the log after Postgres's position could not be read");
      for (const auto& each : *entries) {
        if (const auto* changed = each.capture()) {
          later_captures_.insert({changed->tenant(), changed->key});
          continue;
        }
        const auto& executed = *each.message();
        later_messages_.insert({executed.tenant(), executed.guid});
        if (executed.after) later_changes_.try_emplace(executed.after->id, executed.after->version);
      }
      from = {entries->back().position.number + 1};
    }
  }

  // Returns the order as of Postgres's position, or null if it did not exist then.
  shared_order as_persisted(const shared_order& now) const {
    const auto changed = later_changes_.find(now->id);
    if (changed == later_changes_.end()) return now;
    const version before{changed->second.number - 1};
    return before.number == 0 ? shared_order{} : read(folder_.find_version(now->id, before));
  }

  template <class... Arguments>
  void report(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    ++differences_;
    std::cout << fmt::format(text, std::forward<Arguments>(arguments)...) << "\n";
  }

  void compare_orders() {
    row_source<order> rows([this] { return database_.next_orders(); });
    const auto only_in_postgres = [&] {
      report("order {} is in Postgres only", rows.peek()->id.to_string());
      rows.advance();
    };
    const auto compare = [&](const shared_order& now) {
      const shared_order here = as_persisted(now);
      if (!here) return true;
      ++orders_;
      while (rows.peek() && rows.peek()->id < here->id) only_in_postgres();
      if (!rows.peek() || rows.peek()->id != here->id) {
        report("order {} is in the data folder only", here->id.to_string());
        return true;
      }
      if (*rows.peek() != *here) {
        report("order {} differs: version {} in the data folder, version {} in Postgres", here->id.to_string(),
               here->version.number, rows.peek()->version.number);
      }
      rows.advance();
      return true;
    };
    read_all(folder_.scan_orders(compare));
    while (rows.peek()) only_in_postgres();
  }

  // Compares each row of the history with the folder. Each version in the folder must have a row.
  void compare_versions() {
    row_source<order> rows([this] { return database_.next_versions(); });
    std::vector<order> of_order;
    const auto next_order = [&] {
      of_order.clear();
      while (rows.peek() && (of_order.empty() || rows.peek()->id == of_order.front().id)) {
        of_order.push_back(*rows.peek());
        rows.advance();
      }
    };
    next_order();
    const auto only_in_postgres = [&] {
      report("the history of order {} is in Postgres only", of_order.front().id.to_string());
      next_order();
    };
    const auto compare = [&](const shared_order& now) {
      const shared_order here = as_persisted(now);
      if (!here) return true;
      while (!of_order.empty() && of_order.front().id < here->id) only_in_postgres();
      const bool has_history = !of_order.empty() && of_order.front().id == here->id;
      compare_history(*here, has_history ? of_order : std::vector<order>{});
      if (has_history) next_order();
      return true;
    };
    read_all(folder_.scan_orders(compare));
    while (!of_order.empty()) only_in_postgres();
  }

  void compare_history(const order& present, const std::vector<order>& rows) {
    std::map<version, const order*> by_version;
    for (const order& row : rows) {
      if (by_version.emplace(row.version, &row).second) continue;
      report("version {} of order {} is in Postgres twice", row.version.number, present.id.to_string());
    }
    for (version at{1}; at <= present.version; at = at.next()) {
      const std::string name = fmt::format("version {} of order {}", at.number, present.id.to_string());
      const shared_order here = read(folder_.find_version(present.id, at));
      const auto row = by_version.find(at);
      ++versions_;
      if (row == by_version.end()) {
        if (here && database_.has_versions_of(here->updated_at)) report("{} is in the data folder only", name);
        continue;
      }
      if (!here) {
        report("{} is in Postgres only", name);
      } else if (*here != *row->second) {
        report("{} differs", name);
      }
      by_version.erase(row);
    }
    for (const auto& [at, row] : by_version) {
      report("version {} of order {} is in Postgres only", at.number, present.id.to_string());
    }
  }

  void compare_messages() {
    row_source<storage::persisted_message> rows([this] { return database_.next_messages(); });
    const auto only_in_postgres = [&] {
      // A GUID that was used again after Postgres's position is another message in the folder.
      const message_key there = key_of(*rows.peek());
      if (!later_messages_.contains(there)) report("message {} is in Postgres only", name_of(there));
      rows.advance();
    };
    const auto compare = [&](const guid& id, const message_record& here) {
      const message_key key{here.origin.tenant, id};
      if (later_messages_.contains(key)) return true;
      ++messages_;
      while (rows.peek() && comes_before(key_of(*rows.peek()), key)) only_in_postgres();
      if (!rows.peek() || key_of(*rows.peek()) != key) {
        if (database_.has_messages_of(here.created_at)) report("message {} is in the data folder only", name_of(key));
        return true;
      }
      if (rows.peek()->record != here) report("message {} differs", name_of(key));
      rows.advance();
      return true;
    };
    read_all(folder_.scan_messages(now_, compare));
    while (rows.peek()) only_in_postgres();
  }

  void compare_captures() {
    row_source<storage::persisted_capture> rows([this] { return database_.next_captures(); });
    const auto only_in_postgres = [&] {
      const tenant_capture_key there = key_of(*rows.peek());
      if (!later_captures_.contains(there)) report("capture {} is in Postgres only", name_of(there));
      rows.advance();
    };
    const auto compare = [&](const capture_key& name, const shared_capture& here) {
      const tenant_capture_key key{here->origin.tenant, name};
      if (later_captures_.contains(key)) return true;
      ++captures_;
      while (rows.peek() && comes_before(key_of(*rows.peek()), key)) only_in_postgres();
      if (!rows.peek() || key_of(*rows.peek()) != key) {
        report("capture {} is in the data folder only", name_of(key));
        return true;
      }
      if (rows.peek()->capture != *here) report("capture {} differs", name_of(key));
      rows.advance();
      return true;
    };
    read_all(folder_.scan_captures(now_, compare));
    while (rows.peek()) only_in_postgres();
  }

  static void read_all(const read_result<void>& result) {
    if (!result) throw unreadable("the data folder could not be read");
  }

  const storage::log& log_;
  const storage::view& folder_;
  storage::postgres_reader& database_;
  const clock_reading now_;
  std::unordered_set<message_key, tenant_key_hash, tenant_key_equal> later_messages_;
  std::unordered_set<tenant_capture_key, tenant_key_hash, tenant_key_equal> later_captures_;
  std::unordered_map<order_id, version> later_changes_;  // the first version that Postgres does not have yet
  std::uint64_t orders_ = 0;
  std::uint64_t versions_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t captures_ = 0;
  std::uint64_t differences_ = 0;
};

}  // namespace

int verify(const verify_command& what) {
  engine_clock clock(machine_clocks());
  // Postgres is read first, so that a folder that a server writes is never behind it.
  const auto database = storage::read_postgres(what.postgres_url);
  if (!database) return fail(database.error().message);
  storage::store_settings settings;
  settings.folder = what.data_folder;
  settings.on_error = [](std::string_view error) { fail(error); };
  const auto folder = storage::open_store_for_reading(std::move(settings), clock);
  if (!folder) return fail(folder.error().message);
  if ((*folder)->log_id() != (*database)->log_id()) {
    return fail(fmt::format("Postgres holds the log of engine {}, the data folder that of engine {}",
                            (*database)->log_id(), (*folder)->log_id()));
  }
  if ((*folder)->log().last() < (*database)->last()) {
    return fail(fmt::format("Postgres is at position {}, the data folder only at {}", (*database)->last().number,
                            (*folder)->log().last().number));
  }
  const clock_reading now = clock.read();  // the folder's, as opened above
  if (const auto begun = (*database)->keep_by(now); !begun) return fail(begun.error().message);
  try {
    comparison both(**folder, **database, now);
    const std::uint64_t differences = both.run();
    std::cout << fmt::format("compared {} orders, {} versions, {} messages and {} captures at position {}: {}\n",
                             both.orders(), both.versions(), both.messages(), both.captures(),
                             (*database)->last().number,
                             differences == 0 ? "no difference" : fmt::format("{} differences", differences));
    return differences == 0 ? 0 : 1;
  } catch (const unreadable& why) {
    return fail(why.what());
  }
}

}  // namespace ordem::app
