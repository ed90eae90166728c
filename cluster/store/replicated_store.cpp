#include "cluster/store/replicated_store.hpp"

#include "engine/base/check.hpp"

namespace ordem::cluster {

std::unique_ptr<replicated_log> replicated_store::begin_ownership(group_appender& appender,
                                                                  replicated_log_settings settings) {
  ORDEM_CHECK(store_->view().visible() == copy().last());
  clock_.stop_following();
  return std::make_unique<replicated_log>(copy(), appender, clock_, std::move(settings));
}

storage::result<std::unique_ptr<replicated_store>> open_replicated_store(storage::store_settings settings,
                                                                         const std::string& cluster_id,
                                                                         time_source& clock) {
  auto opened = storage::open_copied_store(std::move(settings), cluster_id, clock);
  if (!opened) return tl::make_unexpected(opened.error());
  return std::make_unique<replicated_store>(std::move(*opened), clock);
}

}  // namespace ordem::cluster
