// A log in files: records one after another in files ("segments") of about one size. It is the log of one machine, or
// the copy of a replicated log, whose records are framed elsewhere.
//
//   log/00000000000000000001.seg     the number is the position of the first entry
//   log/00000000000000081920.seg     the last one is written to
//
// The last segment is filled with zeros some way ahead of the records, by a thread of its own. So a write changes no
// metadata of the file, and its sync takes about half the time of one that makes the file grow
// (docs/decisions/0032-the-log-is-its-own-files.md). A segment is synced before the next one is made, so only the last
// one can have an end that was cut off.
//
// A copy is synced when a segment is full, when it is filled further and before the view writes its files, not with
// each record: what it loses is in the replicated log. So after a loss of power anything may be wrong in its last
// segment behind what was synced; a start cuts that off from the first record on that is not intact, and the records
// are read again. Damage in an earlier segment, or at a position that the view has in its files, is damage.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/model/time.hpp"
#include "storage/files/files.hpp"
#include "storage/files/live_file.hpp"
#include "storage/log/log.hpp"
#include "storage/records/segment_header.hpp"
#include "storage/segments/segment_scan.hpp"

namespace ordem::storage {

struct segment_log_settings {
  std::filesystem::path folder;  // of the segments
  std::string log_id;
  // See store_settings.
  std::uint64_t segment_bytes = 0;
  std::uint64_t entries_kept = 0;
  // Whether sync() waits for the disk, not only for the kernel.
  bool syncs_to_disk = true;
  // Whether each log_consumer must release entries before they are trimmed.
  std::array<bool, log_consumers> consumed{};
  std::function<void(std::string_view)> on_error;
};

// Owned by the store.
class segment_log final : public log {
 public:
  // Whether the folder exists and has a segment.
  static bool exists(const std::filesystem::path& folder);

  // Makes an empty log whose first entry will have position `first`, durably. The folder must not exist, or have no
  // segment.
  static result<void> make(const segment_log_settings& settings, position first);

  // Opens an existing log for reading and writing. Cuts off a record at its end that was never acknowledged. `clock`:
  // its state goes into the log with the entries that may be dated after a change; it must outlive the log.
  static result<std::unique_ptr<segment_log>> open(segment_log_settings settings, const time_source& clock);
  // Opens the copy of a replicated log, for append_record(). What is not intact at its end is cut off, unless it is at
  // or before `synced`, a position that was synced. sync() and recover() are as for a log of one machine, append() is
  // not allowed; settings.syncs_to_disk has no effect.
  static result<std::unique_ptr<segment_log>> open_copy(segment_log_settings settings, position synced);
  // Opens it for reading, even if another process writes it. The log holds what is there at that moment.
  // Without a log id in the settings, that of the log is not checked.
  static result<std::unique_ptr<segment_log>> open_for_reading(const segment_log_settings& settings);

  ~segment_log() override;

  // The time of the last record, and the newest state of the clock in the segments, as of the start; absent if there is
  // no record.
  std::optional<timestamp> newest() const noexcept { return recovered_time_; }
  const std::optional<clock_state>& clock() const noexcept { return recovered_clock_; }

  // Appends a record of the copy, which survives a crash of the process when this returns. Fails with
  // error_code::damaged if the bytes are not one whole record that follows the last one: the log is as before. Fails
  // with error_code::io_error if the write failed; then recover() must succeed before the record is appended again. One
  // thread at a time, and none in recover(). REQUIRES: opened by open_copy().
  result<void> append_record(std::string_view record);
  // The frame of the last durable record; absent if the log has none, not even in a segment that was deleted since.
  // Thread-safe.
  std::optional<log_record_header> last_record() const;

  tl::expected<position, log_error> append(std::span<const entry> entries) override;
  tl::expected<position, log_error> sync() override;
  result<void> recover() override;
  tl::expected<std::vector<logged_entry>, log_read_error> read(position from, std::size_t limit) const override;
  position first() const override;
  position last() const noexcept override { return {durable_.load(std::memory_order_acquire)}; }
  position appended() const noexcept override { return {appended_.load(std::memory_order_acquire)}; }
  tl::expected<std::uint64_t, log_read_error> bytes_after(position at) const override;
  void release(log_consumer who, position through) override;

  // Between these two calls no segment is deleted. Calls may overlap. Thread-safe.
  void hold_segments();
  void release_segments();
  // The files that hold every durable entry that the log has, the oldest first, and nothing behind `last`. They may be
  // read while segments are held: appends and recover() change only what is behind the last durable record.
  // Thread-safe.
  struct durable_state {
    std::vector<live_file> files;
    position first;  // as first()
    position last;
  };
  durable_state durable_files() const;

  // Makes what is durable survive a power loss, where sync() does not wait for the disk. Returns 0 or the errno of the
  // failure. Thread-safe.
  int sync_to_disk() const;

 private:
  struct segment {
    segment_header header;
    std::optional<open_file> file;         // only while it is written to
    std::atomic<std::uint64_t> filled{0};  // the size of the file
    std::vector<group_place> groups;       // read when they are needed, except those of the last segment
    std::uint64_t end = segment_header_bytes;
  };
  using shared_segment = std::shared_ptr<segment>;
  struct found_group {
    shared_segment in;
    group_place place;
    std::uint64_t end = 0;
  };
  // Where a thread has got to. recover() takes the appending thread back to where the syncing one is.
  struct end_state {
    shared_segment in;
    std::uint64_t end = segment_header_bytes;
    std::optional<log_record_header> record;  // the last one

    std::uint64_t hash() const noexcept { return record ? record->hash : in->header.hash_before; }
    timestamp time() const noexcept { return record ? record->time : timestamp{}; }
  };
  enum class use : std::uint8_t { read, append, copy };

  segment_log(segment_log_settings settings, use what) : settings_(std::move(settings)), use_(what) {}

  static result<std::unique_ptr<segment_log>> start(std::unique_ptr<segment_log> opened);
  result<void> load();
  result<void> find_end();
  result<void> cut_if_allowed(const segment& what, const segment_scan& scanned) const;
  result<void> find_clock();
  result<segment_scan> scan(const segment& what) const;
  result<void> cut_tail(const segment& what, std::uint64_t from, std::uint64_t to) const;

  result<void> write_record(end_state& to, std::string_view record) const;
  void take_record(end_state next, const log_record_header& header);
  void close_segments_before(const shared_segment& last);
  result<shared_segment> begin_segment();
  result<void> make_room();
  position first_in_lock() const;
  result<void> fill(segment& what, std::uint64_t upto) const;
  void fill_ahead();
  bool is_last(const segment& what) const;
  void trim();
  int remove_segment(position first) const;
  result<void> remove_segments_after(position last);

  tl::expected<found_group, log_read_error> find_group(position at) const;
  bool load_groups(const shared_segment& of) const;
  tl::expected<std::vector<entry>, log_read_error> read_group(const open_file& file, const found_group& what) const;

  std::filesystem::path path_of(const segment& which) const;
  std::string place_of(const segment& where, std::uint64_t offset) const;
  error damage(const segment& where, std::uint64_t offset) const;
  tl::unexpected<log_read_error> failed_read(const segment& where, std::string_view why) const;
  tl::unexpected<log_error> failed_write(std::string_view why);

  const segment_log_settings settings_;
  const use use_;
  position synced_;  // see open_copy()
  std::optional<held_folder> folder_;
  const time_source* clock_ = nullptr;  // only for append()
  std::optional<timestamp> recovered_time_;
  std::optional<clock_state> recovered_clock_;

  std::atomic<std::uint64_t> appended_{0};
  std::atomic<std::uint64_t> durable_{0};
  std::atomic<bool> failed_{false};

  mutable std::mutex mutex_;
  std::deque<shared_segment> segments_;  // ascending; the last one is written to
  end_state durable_end_;
  end_state appended_end_;
  std::array<position, log_consumers> released_{};
  int holds_ = 0;  // while there are any, no segment is deleted

  // Only for the appending thread.
  std::optional<std::uint64_t> clock_changes_;  // as of the last written state of the clock; absent if that is unknown
  std::string buffer_;

  // For the thread that fills the last segment.
  mutable std::mutex fill_mutex_;  // held while a file grows; taken before mutex_
  std::condition_variable fill_changed_;
  bool fill_wanted_ = false;
  bool stopping_ = false;
  std::thread fill_thread_;
};

}  // namespace ordem::storage
