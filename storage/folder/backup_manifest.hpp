// The manifest of a back-up: what it holds, and the size and hash of each of its files. JSON, one file a line:
//
//   {"manifest":1,"data_format":5,"log_id":"...","made_at":"2026-11-26T10:15:30.123Z","first":1,"position":17,
//   "files":[
//   {"name":"FORMAT","bytes":39,"xxh128":"..."},
//   ...
//   ],
//   "check":"..."}
//
// Hashes are XXH3 of 128 bits (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md) in hexadecimal digits, as
// xxh128sum prints them; `check` is that of the text before its line. They detect damage, not a forger. Pure functions;
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/log/backup.hpp"

namespace ordem::storage {

// Of a manifest that is read: that of a terabyte of table files has some 4 MiB.
inline constexpr std::size_t backup_manifest_bytes_max = std::size_t{64} << 20;

struct backup_file {
  std::string name;  // with its folder: log/00000000000000000001.seg
  std::uint64_t bytes = 0;
  std::string hash;
};

struct backup_manifest {
  int data_format = 0;
  backup_summary summary;  // without bytes_linked
  std::vector<backup_file> files;
};

std::string encode(const backup_manifest& what);
// Returns nullopt if the text is damaged, or of another version.
std::optional<backup_manifest> decode_backup_manifest(std::string_view text);

// Computes the hash of bytes that come in parts.
class content_hash {
 public:
  content_hash();
  ~content_hash();
  void add(std::string_view bytes) noexcept;
  // Returns its 32 hexadecimal digits.
  std::string digits() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace ordem::storage
