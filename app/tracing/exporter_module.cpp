#include "app/tracing/exporter_module.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <utility>

#include "app/process/version.hpp"

namespace ordem::app {
namespace {

constexpr const char* module_file = "ordem_otlp.so";

class module_exporter final : public span_exporter {
 public:
  module_exporter(const exporter_functions& module, void* opened) noexcept : module_(module), exporter_(opened) {}
  ~module_exporter() override { module_.close(exporter_); }
  module_exporter(const module_exporter&) = delete;
  module_exporter& operator=(const module_exporter&) = delete;

  tl::expected<void, std::string> send(const std::vector<finished_span>& spans) noexcept override {
    std::string error;
    if (!module_.send(exporter_, spans, error)) return tl::make_unexpected(std::move(error));
    return {};
  }

 private:
  const exporter_functions& module_;
  void* const exporter_;
};

std::string last_load_error() {
  const char* const error = dlerror();
  return error != nullptr ? error : "unknown";
}

tl::expected<std::filesystem::path, std::string> find_module() {
  std::error_code ec;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ec);
  if (ec) return tl::make_unexpected("the program's own path cannot be read: " + ec.message());
  const auto folder = program.parent_path();
  for (const auto& each : {folder / module_file, folder.parent_path() / "lib" / "ordem" / module_file}) {
    if (std::filesystem::exists(each, ec)) return each;
  }
  return tl::make_unexpected(std::string(module_file) + " is neither in " + folder.string() + " nor in " +
                             (folder.parent_path() / "lib" / "ordem").string());
}

tl::expected<const exporter_functions*, std::string> load_module() {
  const auto file = find_module();
  if (!file) return tl::make_unexpected(file.error());
  // All symbols are bound now, so that a library of another version is found here.
  void* const loaded = dlopen(file->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) return tl::make_unexpected(last_load_error());
  void* const symbol = dlsym(loaded, exporter_symbol);
  if (symbol == nullptr) return tl::make_unexpected(last_load_error());
  const exporter_functions* const module = reinterpret_cast<exporter_entry>(symbol)();
  if (module->version != version_text)
    return tl::make_unexpected(file->string() + " is of version " + std::string(module->version));
  return module;
}

}  // namespace

bool is_built_with_tracing() noexcept {
#ifdef ORDEM_OTEL
  return true;
#else
  return false;
#endif
}

tl::expected<std::unique_ptr<span_exporter>, std::string> load_exporter(const span_export_settings& settings) {
  const auto module = load_module();
  if (!module) return tl::make_unexpected(module.error());
  std::string error;
  void* const opened = (*module)->open(settings, error);
  if (opened == nullptr) return tl::make_unexpected(std::move(error));
  return std::make_unique<module_exporter>(**module, opened);
}

}  // namespace ordem::app
