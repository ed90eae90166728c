// Fills a new data folder with what was kept elsewhere.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"
#include "storage/log/store.hpp"

namespace ordem::storage {

// Until finish() has succeeded the folder can't be opened as a store, so that half of the data is never served. One
// thread at a time. The first failure makes every later call fail with the same sentence.
class store_loader {
 public:
  virtual ~store_loader() = default;

  // An order as it is. All orders come before all versions.
  virtual void put_order(const order& current) = 0;
  // A version of an order. The present one is kept with the order and is passed over.
  virtual void put_version(const order& what) = 0;
  virtual void put_message(const guid& id, const message_record& record) = 0;
  virtual void put_capture(const capture_key& key, const capture& what) = 0;
  // Everything is there: makes it durable and the folder a store whose log goes on after `last`.
  virtual result<void> finish(position last) = 0;
};

// Makes the folder, which must not be there yet or be empty. `clock` must outlive the loader.
result<std::unique_ptr<store_loader>> load_new_store(store_settings settings, std::string log_id, time_source& clock);

}  // namespace ordem::storage
