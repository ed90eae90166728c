#include "tests/storage/segments/power_loss.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace ordem::testing {
namespace {

namespace fs = std::filesystem;

std::uint64_t inode_of(const fs::path& file) {
  struct stat found{};
  return ::stat(file.c_str(), &found) == 0 ? found.st_ino : 0;
}

// Returns what is left of a file that has grown and changed since its last sync.
std::string remains_of(const std::string& synced, const std::string& written, std::mt19937_64& random) {
  std::string left = synced;
  if (random() % 2 == 0) left.resize(std::max(synced.size(), written.size()), '\0');
  const std::size_t common = std::min(left.size(), written.size());
  for (std::size_t at = 0; at < common; at += sector_bytes) {
    const std::size_t size = std::min(sector_bytes, common - at);
    if (random() % 2 == 0) left.replace(at, size, written, at, size);
  }
  return left;
}

}  // namespace

power_loss::power_loss(fs::path folder) : folder_(std::move(folder)) {
  take_as_durable();
  // The content is that before the sync: what another thread writes meanwhile may not be in it.
  syncs_.watch([this](const fs::path& path) -> std::function<void()> {
    if (path == folder_) {
      return [this, found = names()] {
        const std::lock_guard lock(mutex_);
        synced_names_ = found;
        std::erase_if(synced_, [&](const auto& each) {
          return std::none_of(found.begin(), found.end(), [&](const auto& name) { return name.second == each.first; });
        });
      };
    }
    if (path.parent_path() != folder_) return [] {};
    return [this, which = inode_of(path), content = read(path)] {
      const std::lock_guard lock(mutex_);
      synced_[which] = content;
    };
  });
}

void power_loss::refuse_syncs(bool refused) {
  syncs_.refuse(
      [refused, this](const std::string& path) { return refused && fs::path(path).parent_path() == folder_; });
}

void power_loss::strike(std::mt19937_64& random) {
  const auto there = names();
  const auto left = random() % 2 == 0 ? there : synced_names_;
  std::map<std::string, std::string> contents;
  for (const auto& [name, which] : left) {
    const auto found = std::find_if(there.begin(), there.end(), [&](const auto& each) { return each.second == which; });
    const std::string& synced = synced_[which];
    contents[name] = found == there.end() ? synced : remains_of(synced, read(folder_ / found->first), random);
  }
  for (const auto& each : there) fs::remove(folder_ / each.first);
  for (const auto& [name, content] : contents) std::ofstream(folder_ / name, std::ios::binary) << content;
  take_as_durable();
}

std::string power_loss::read(const fs::path& file) {
  std::ostringstream content;
  content << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(content).str();
}

std::map<std::string, power_loss::inode> power_loss::names() const {
  std::map<std::string, inode> found;
  for (const auto& each : fs::directory_iterator(folder_)) {
    found[each.path().filename().string()] = inode_of(each.path());
  }
  return found;
}

void power_loss::take_as_durable() {
  const std::lock_guard lock(mutex_);
  synced_names_ = names();
  synced_.clear();
  for (const auto& [name, which] : synced_names_) synced_[which] = read(folder_ / name);
}

}  // namespace ordem::testing
