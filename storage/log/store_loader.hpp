// Fills a new data folder with orders, messages and captures that were kept elsewhere.
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

// Until finish() has succeeded the folder can't be opened as a store, so that partial data is never served. After a
// failed write the other functions do nothing, and finish() returns the error of that write. One thread at a time.
class store_loader {
 public:
  virtual ~store_loader() = default;

  // Adds the current version of an order. REQUIRES: put_version() was not called.
  virtual void put_order(const order& current) = 0;
  // Adds a version of an order. The current version is ignored, because put_order() has added it.
  virtual void put_version(const order& what) = 0;
  // Messages and captures are those of the tenant of their origin.
  virtual void put_message(const guid& id, const message_record& record) = 0;
  virtual void put_capture(const capture_key& key, const capture& what) = 0;
  // Makes the data durable, and the folder a store whose log continues after `last`. REQUIRES: all data was added.
  virtual result<void> finish(position last) = 0;
};

// Creates the folder, which must not exist or be empty, with this log id. `clock` must outlive the loader.
result<std::unique_ptr<store_loader>> load_new_store(store_settings settings, std::string log_id, time_source& clock);

}  // namespace ordem::storage
