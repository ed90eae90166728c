#include "bench/micro/scratch_store.hpp"

#include <stdlib.h>

#include <cerrno>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace ordem::bench {

scratch_folder::scratch_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "ordem-micro.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
  path_ = std::move(name);
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

scratch_store::scratch_store(storage::durability level) {
  storage::store_settings settings;
  settings.folder = folder_.path();
  settings.durability = level;
  settings.on_error = [](std::string_view what) { std::cerr << what << '\n'; };
  auto opened = storage::open_store(std::move(settings), clock_);
  if (!opened) throw std::runtime_error(opened.error().message);
  store_ = std::move(*opened);
}

}  // namespace ordem::bench
