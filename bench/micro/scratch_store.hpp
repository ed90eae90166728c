// A store on a new folder, which is removed with it.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "bench/micro/samples.hpp"
#include "storage/log/store.hpp"

namespace ordem::bench {

// Below the folder for temporary files (TMPDIR).
class scratch_folder {
 public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

// With the settings that the server has by default. Throws if it can't be opened.
class scratch_store {
 public:
  explicit scratch_store(storage::durability level);

  storage::store& operator*() const noexcept { return *store_; }
  storage::store* operator->() const noexcept { return store_.get(); }

 private:
  struct still_clock final : time_source {
    timestamp now() const noexcept override { return sample_time; }
  };

  scratch_folder folder_;
  still_clock clock_;
  std::unique_ptr<storage::store> store_;
};

}  // namespace ordem::bench
