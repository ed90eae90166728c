// A thread for calls that may block: it runs jobs one after the other, each when it is due.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace ordem::cluster {

// Thread-safe, but for stop().
class job_thread {
 public:
  job_thread() : thread_([this] { run(); }) {}
  ~job_thread() { stop(); }
  job_thread(const job_thread&) = delete;
  job_thread& operator=(const job_thread&) = delete;

  // Jobs that are due at once run in the order of the calls. The callers bound their number.
  void run_after(std::chrono::milliseconds pause, std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    jobs_.emplace(clock::now() + pause, std::move(job));
    changed_.notify_one();
  }

  // Waits for the job that runs, and drops the others.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stops_ = true;
      changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  using clock = std::chrono::steady_clock;

  void run() {
    std::unique_lock lock(mutex_);
    while (!stops_) {
      if (jobs_.empty()) {
        changed_.wait(lock);
      } else if (const clock::time_point due = jobs_.begin()->first; due > clock::now()) {
        changed_.wait_until(lock, due);
      } else {
        const std::function<void()> job = std::move(jobs_.extract(jobs_.begin()).mapped());
        lock.unlock();
        job();
        lock.lock();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stops_ = false;
  std::multimap<clock::time_point, std::function<void()>> jobs_;
  std::thread thread_;
};

}  // namespace ordem::cluster
