// Lists of orders that are read one by one: those of a customer or with an external id, all, and the versions of one.
// Only for storage/rocksdb/*.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "engine/model/ids.hpp"
#include "engine/ports/readers.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/record_reader.hpp"
#include "storage/rocksdb/snapshot.hpp"

namespace ordem::storage {

// As the functions of order_reader, as of a snapshot, which the list keeps. `db` and `records` must outlive the list. A
// list reads only the orders that next() returns. One thread at a time.
std::unique_ptr<order_list> list_orders_of(const database& db, const record_reader& records, snapshot as_of,
                                           std::string_view tenant, std::string_view customer_id,
                                           std::optional<order_id> after);
std::unique_ptr<order_list> list_external_of(const database& db, const record_reader& records, snapshot as_of,
                                             std::string_view tenant, std::string_view external_id,
                                             std::optional<order_id> after);
std::unique_ptr<order_list> list_all_of(const database& db, const record_reader& records, snapshot as_of,
                                        std::optional<order_id> after);
std::unique_ptr<order_list> list_versions_of(const database& db, const record_reader& records, snapshot as_of,
                                             order_id id, std::optional<version> before);

}  // namespace ordem::storage
