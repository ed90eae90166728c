#include "bench/load/fsync_probe.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace ordem::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// A file without a name, gone when closed.
class scratch_file {
 public:
  explicit scratch_file(const std::filesystem::path& folder) {
    std::string name = (folder / "fsync-probe.XXXXXX").string();
    descriptor_ = ::mkstemp(name.data());
    if (descriptor_ < 0) fail("mkstemp");
    ::unlink(name.c_str());
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  ~scratch_file() { ::close(descriptor_); }

  void append_durably(const std::array<char, fsync_probe_append_bytes>& block) const {
    if (::write(descriptor_, block.data(), block.size()) != static_cast<ssize_t>(block.size())) fail("write");
    if (::fdatasync(descriptor_) != 0) fail("fdatasync");
  }

 private:
  int descriptor_ = -1;
};

}  // namespace

latency_histogram probe_fsync(const std::filesystem::path& folder, std::chrono::nanoseconds duration) {
  using clock = std::chrono::steady_clock;
  const scratch_file file(folder);
  std::array<char, fsync_probe_append_bytes> block;
  block.fill('x');
  latency_histogram latency;
  const auto end = clock::now() + duration;
  for (auto before = clock::now(); before < end;) {
    file.append_durably(block);
    const auto after = clock::now();
    latency.record(after - before);
    before = after;
  }
  return latency;
}

}  // namespace ordem::bench
