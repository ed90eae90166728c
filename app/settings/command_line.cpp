#include "app/settings/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <list>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "app/settings/config_file.hpp"
#include "app/settings/option_values.hpp"
#include "app/settings/postgres_url.hpp"

namespace ordem::app {
namespace {

constexpr std::string_view environment_prefix = "ORDEM_";
constexpr std::string_view data_folder_variable = "ORDEM_DATA_DIR=";
constexpr std::string_view postgres_url_variable = "ORDEM_POSTGRES_URL=";

std::string environment_name(std::string option) {
  for (char& c : option) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return std::string(environment_prefix) + option;
}

template <class Value>
std::string name_of(const Value& value, const std::map<std::string, Value>& choices) {
  for (const auto& [name, meaning] : choices) {
    if (meaning == value) return name;
  }
  return {};
}

// Something the user wrote that can't be used; the sentence says what and where.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Of NAME= and --name=.
bool has_empty_value(const std::string& text) {
  return !text.empty() && text.find('=') == text.size() - 1;
}

// A variable that is empty is one that is not set: compose files and units write it so to mean that.
std::vector<std::string> without_empty(std::vector<std::string> environment) {
  environment.erase(std::remove_if(environment.begin(), environment.end(), has_empty_value), environment.end());
  return environment;
}

// CLI11 takes the next argument for the value of an option that is given an empty one.
void refuse_empty_values(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& word = arguments[i];
    const bool next_is_empty = i + 1 < arguments.size() && arguments[i + 1].empty();
    if (!word.starts_with("--") || !(has_empty_value(word) || next_is_empty)) continue;
    const std::string name = word.substr(0, word.find('='));
    throw usage_error("the value of '" + without_password(name, name) + "' is empty");
  }
}

// `help serve` is `serve --help`, which CLI11 answers.
std::vector<std::string> without_help_command(const std::vector<std::string>& arguments) {
  const bool asks_for_help =
      !arguments.empty() && arguments.front() == "help" &&
      std::none_of(arguments.begin(), arguments.end(), [](const std::string& word) { return word.starts_with('-'); });
  if (!asks_for_help) return arguments;
  std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  words.emplace_back("--help");
  return words;
}

CLI::Validator ip_address() {
  return {[](const std::string& text) {
            return is_ip_address(text) ? std::string() : "'" + text + "' is not an IP address";
          },
          ""};
}

// One CLI11 program with the variables that it fills.
class program {
 public:
  program();

  // Throws CLI::ParseError or usage_error.
  command run(const std::vector<std::string>& words, const std::vector<std::string>& variables);
  // What CLI11 says, without the passwords that it may quote from what it was given.
  command_line_end describe(const CLI::ParseError& error);

 private:
  void add_serve();
  void add_ready();
  void add_inspect();
  void add_import();
  void add_postgres_url(CLI::App* to);
  void add_migrate();
  void add_restore_and_verify();

  template <class Value>
  CLI::Option* add_setting(const std::string& name, Value& value, const std::string& description);
  CLI::Option* add_text(const std::string& name, std::string& value, const std::string& description);
  template <class Value>
  void add_number(const std::string& name, Value& value, std::uint64_t least, std::uint64_t most,
                  const std::string& description);
  void add_size(const std::string& name, std::size_t& bytes, const std::string& least, std::size_t least_bytes,
                const std::string& description);
  static CLI::Option* as_size(CLI::Option* option, std::size_t bytes, const std::string& least,
                              std::size_t least_bytes);
  // `zero` is what 0 stands for, if it may be given.
  static CLI::Option* as_duration(CLI::Option* option, std::uint64_t number, std::string_view zero);
  // Where the option for this value is parsed to.
  std::uint64_t& milliseconds_for(std::chrono::milliseconds& value);
  void add_duration(const std::string& name, std::chrono::milliseconds& value, const std::string& description,
                    std::string_view zero = {});
  template <class Value>
  void add_choice(const std::string& name, Value& value, const std::map<std::string, Value>& choices,
                  const std::string& description);

  std::vector<std::string> settings_of_environment(const std::vector<std::string>& environment) const;
  std::vector<std::string> settings_of_file(const std::string& path) const;
  bool is_setting(const std::string& name) const;
  // The command that is asked for, if the environment and a file set options of it too.
  const CLI::App* configured_command(const std::vector<std::string>& arguments) const;
  // Behind the name of the command, before all other words: of the settings --name=value those that it has.
  void put_first(const std::vector<std::string>& settings, const CLI::App& command);
  void check_command_names(const std::vector<std::string>& arguments) const;
  settings checked_settings();
  static void check_postgres_url(const std::string& url);
  std::string checked_postgres_url() const;

  CLI::App app_{
      "Ordem executes every create and update of an order exactly once.\n"
      "Each request carries a GUID; a repeated GUID gets the earlier answer."};
  CLI::App* serve_ = nullptr;
  CLI::App* ready_ = nullptr;
  CLI::App* inspect_order_ = nullptr;
  CLI::App* inspect_message_ = nullptr;
  CLI::App* inspect_capture_ = nullptr;
  CLI::App* import_captures_ = nullptr;
  CLI::App* migrate_ = nullptr;
  CLI::App* migrate_status_ = nullptr;
  CLI::App* restore_ = nullptr;
  CLI::App* verify_ = nullptr;
  CLI::App* version_ = nullptr;

  settings settings_;
  // All that was given, from wherever it came.
  std::vector<std::string> words_;
  std::string config_;
  std::string data_folder_ = "data";
  std::string order_;
  std::string guid_;
  std::string capture_key_;
  import_captures_command import_;
  std::string postgres_url_;
  bool ready_reads_ = false;
  bool dry_run_ = false;
  std::vector<std::string> help_;
  std::uint64_t lock_timeout_ms_ = 30'000;
  // Durations are parsed as numbers of milliseconds first.
  std::list<std::pair<std::uint64_t, std::chrono::milliseconds*>> durations_;
  // How each setting is told to a reader, from its value.
  std::vector<std::pair<std::string, std::function<std::string()>>> shown_;
};

program::program() {
  app_.require_subcommand(1);
  app_.name("ordem");
  add_serve();
  add_ready();
  add_inspect();
  add_import();
  add_migrate();
  add_restore_and_verify();
  version_ = app_.add_subcommand("version", "Print the version of this program and of its data format");
  app_.set_version_flag("-v,-V,--version", std::string(), "The same as the command version");
  app_.add_subcommand("help", "Explain a command, as in ordem help inspect order")
      ->add_option("COMMAND", help_, "The words of the command; without any, what commands there are");
  app_.footer("Each command explains itself: ordem serve --help");
}

// Later ones win, which is how arguments beat the environment and the environment beats the file.
template <class Value>
CLI::Option* program::add_setting(const std::string& name, Value& value, const std::string& description) {
  return serve_->add_option("--" + name, value, description + " [" + environment_name(name) + "]")
      ->capture_default_str()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CLI::Option* program::add_text(const std::string& name, std::string& value, const std::string& description) {
  shown_.emplace_back(name, [&value] { return value; });
  return add_setting(name, value, description);
}

template <class Value>
void program::add_number(const std::string& name, Value& value, std::uint64_t least, std::uint64_t most,
                         const std::string& description) {
  add_setting(name, value, description)->check(CLI::Range(least, most).description(""))->type_name("NUMBER");
  shown_.emplace_back(name, [&value] { return std::to_string(value); });
}

CLI::Option* program::as_size(CLI::Option* option, std::size_t bytes, const std::string& least,
                              std::size_t least_bytes) {
  constexpr std::size_t most_bytes = std::size_t{1} << 40;
  return option->default_str(with_unit(bytes, size_units))
      ->transform(number_with_unit(size_units, least_bytes, most_bytes,
                                   "must be from " + least + " to 1024GiB; its unit may be B, KiB, MiB or GiB"))
      ->type_name("SIZE");
}

void program::add_size(const std::string& name, std::size_t& bytes, const std::string& least, std::size_t least_bytes,
                       const std::string& description) {
  as_size(add_setting(name, bytes, description), bytes, least, least_bytes);
  shown_.emplace_back(name, [&bytes] { return with_unit(bytes, size_units); });
}

std::uint64_t& program::milliseconds_for(std::chrono::milliseconds& value) {
  return durations_.emplace_back(static_cast<std::uint64_t>(value.count()), &value).first;
}

CLI::Option* program::as_duration(CLI::Option* option, std::uint64_t number, std::string_view zero) {
  constexpr std::uint64_t longest = std::uint64_t{366} * 86'400'000;
  const std::string least = zero.empty() ? "from 1ms" : "0 (" + std::string(zero) + "), or from 1ms";
  return option->default_str(with_unit(number, duration_units))
      ->transform(number_with_unit(duration_units, zero.empty() ? 1 : 0, longest,
                                   "must be " + least + " to 366d, with a unit: ms, s, m, h or d"))
      ->type_name("DURATION");
}

void program::add_duration(const std::string& name, std::chrono::milliseconds& value, const std::string& description,
                           std::string_view zero) {
  auto& number = milliseconds_for(value);
  as_duration(add_setting(name, number, description), number, zero);
  shown_.emplace_back(name, [&number] { return with_unit(number, duration_units); });
}

template <class Value>
void program::add_choice(const std::string& name, Value& value, const std::map<std::string, Value>& choices,
                         const std::string& description) {
  std::string names;
  for (const auto& choice : choices) names += (names.empty() ? "" : "|") + choice.first;
  add_setting(name, value, description)
      ->default_str(name_of(value, choices))
      ->transform(CLI::CheckedTransformer(choices).description(""))
      ->type_name(names);
  shown_.emplace_back(name, [&value, choices] { return name_of(value, choices); });
}

void program::add_serve() {
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  serve_ = app_.add_subcommand("serve", "Serve orders over HTTP until SIGTERM or SIGINT");
  serve_->footer(
      "Durations are numbers with a unit: 500ms, 30s, 5m, 24h, 7d. Sizes too: 64KiB, 1MiB, 2GiB.\n"
      "Every option can also be set in the environment, as shown in brackets, and in the file that --config names,\n"
      "one 'name = value' a line, the name without its dashes. An argument beats the environment, which beats the file.\n"
      "An empty variable is one that is not set.");

  auto& server = settings_.server;
  auto& store = settings_.store;
  auto& engine = settings_.engine;
  server.io_threads = cores;
  engine.shards = std::max(1U, cores / 2);
  engine.worker_threads = engine.shards;

  add_text("config", config_, "A file with settings")->type_name("FILE");
  add_text("address", server.address, "The IP address to listen on; 0.0.0.0 is all of IPv4, :: all of both")
      ->check(ip_address())
      ->type_name("ADDRESS");
  add_number("port", server.port, 0, 65535, "The port to listen on; 0 takes any free one");
  add_text("data-dir", data_folder_, "The folder for all data; made if it is not there")->type_name("FOLDER");
  add_choice<storage::durability>(
      "durability", store.durability,
      {{"fsync", storage::durability::fsync},
       {"os", storage::durability::os},
       {"postgres", storage::durability::postgres}},
      "What an answer waits for: fsync survives a power loss, os only a crash of the process, postgres the loss of "
      "the machine");
  add_choice<actors::in_flight_policy>(
      "in-flight", engine.in_flight,
      {{"join", actors::in_flight_policy::join}, {"conflict", actors::in_flight_policy::conflict}},
      "What a repeat gets while the first is executing: its answer (join), or 409 (conflict)");
  add_duration("message-ttl", engine.message_ttl, "How long a GUID and its answer are kept");
  add_duration("capture-lease", engine.captures.lease, "How long an allocated capture keeps others away; 0: for ever",
               "for ever");
  add_duration("capture-ttl", engine.captures.ttl, "How long a capture is kept");
  add_size("capture-max", server.captured_bytes_max, "1KiB", 1024, "The largest response that is captured");
  add_size("max-body", server.body_bytes_max, "1KiB", 1024, "The largest request body; of a batch, the largest line");
  add_size("body-memory", server.body_memory_bytes_max, "64KiB", std::size_t{64} << 10,
           "Memory for requests that are arriving, all together; beyond it they get 503");
  add_size("response-memory", server.response_memory_bytes_max, "64KiB", std::size_t{64} << 10,
           "Memory for answers that clients have not read, all together; beyond it requests get 503");
  add_size("max-header", server.header_bytes_max, "1KiB", 1024, "The largest request line and headers");
  add_number("max-connections", server.connections_max, 1, 1'000'000,
             "The most connections at once; fewer where the limit of open files is low");
  add_number("max-in-flight", engine.in_flight_max, 1, 1'000'000, "The most writes executing at once; more get 503");
  add_number("live-orders", engine.live_orders_max, 1, 100'000'000,
             "The most orders kept in memory between their changes");
  add_duration("idle-timeout", server.idle_timeout, "How long a connection may be without a request");
  add_duration("request-timeout", server.request_timeout,
               "How long a request may take to arrive, or an answer to leave; of a batch, how long nothing may move");
  add_duration("drain-timeout", settings_.drain_timeout, "How long a stop waits for requests under way");
  add_number("io-threads", server.io_threads, 1, 1024, "Threads for connections");
  add_number("worker-threads", engine.worker_threads, 1, 1024,
             "Threads for what the I/O threads leave to the actors, besides two that write the log");
  add_number("shards", engine.shards, 1, 1024, "Dedupe shards");
  add_size("block-cache", store.block_cache_bytes, "1MiB", std::size_t{1} << 20, "Memory for data read from disk");
  add_size("write-buffer", store.write_buffer_bytes, "4MiB", std::size_t{4} << 20,
           "Memory for data not yet in sorted files");
  add_number("log-entries", store.log_entries_kept, 1, std::uint64_t{1} << 40,
             "How many log entries are kept, at least");
  add_setting("postgres-url", settings_.postgres_url,
              "The database that everything is written to, behind the replies; none if it is not given")
      ->type_name("URL");
  shown_.emplace_back("postgres-url", [this] { return masked(settings_.postgres_url); });
  add_size("persist-backlog-max", engine.consumer.backlog_bytes_max, "1KiB", 1024,
           "How far the log may be ahead of Postgres; beyond it writes get 503");
  add_choice<log_format>("log-format", settings_.log_format,
                         {{"auto", log_format::automatic}, {"json", log_format::json}, {"text", log_format::text}},
                         "The program's own log, on standard error; auto is text on a terminal, else JSON lines");
  add_text("log-level", settings_.log_level, "What the log holds at least")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}).description(""))
      ->type_name("debug|info|warning|error");
}

void program::add_ready() {
  ready_ = app_.add_subcommand("ready", "Ask the server on this machine whether it takes writes");
  const auto add = [this](const char* name, auto& value, const char* description) {
    return ready_->add_option(name, value, description)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  add("--config", config_, "The file with the server's settings [ORDEM_CONFIG]")->type_name("FILE");
  add("--address", settings_.server.address, "The address that it listens on [ORDEM_ADDRESS]")
      ->capture_default_str()
      ->check(ip_address())
      ->type_name("ADDRESS");
  add("--port", settings_.server.port, "The port that it listens on [ORDEM_PORT]")
      ->capture_default_str()
      ->check(CLI::Range(1, 65535).description(""))
      ->type_name("NUMBER");
  ready_->add_flag("--reads", ready_reads_, "Ask whether it serves reads, as it does when it is read-only");
  ready_->footer(
      "Finds the server by the settings that it was given itself: arguments, environment, file. Exit code 0 if it takes\n"
      "writes, 1 if it does not, or does not answer within 2 s; the reason is on standard error.");
}

void program::add_inspect() {
  auto* inspect = app_.add_subcommand("inspect", "Look into a data folder, even while it is being served");
  inspect->require_subcommand(1);
  const auto add = [&](const char* name, const char* description, const char* argument, std::string& value,
                       const char* argument_description) {
    auto* what = inspect->add_subcommand(name, description);
    what->add_option(argument, value, argument_description)->required();
    what->add_option("--data-dir", data_folder_, "The folder with the data [ORDEM_DATA_DIR]")->capture_default_str();
    what->footer(std::string("If ") + argument + " begins with -, it comes last, after --.");
    return what;
  };
  inspect_order_ = add("order", "Print an order with all its versions, as JSON", "ID", order_, "The order's id");
  inspect_capture_ = add("capture", "Print a capture with its response, as JSON", "KEY", capture_key_,
                         "The capture's idempotency key, in base64url");
  inspect_message_ = add("message", "Print a message with its answer, as JSON", "GUID", guid_, "The message's GUID");
}

void program::add_import() {
  auto* import = app_.add_subcommand("import", "Bring in what another server kept");
  import->require_subcommand(1);
  import_captures_ = import->add_subcommand("captures", "Bring in captures of a checkr/idempotent-requests server");
  import_captures_
      ->add_option("FILE", import_.file,
                   "What mongoexport has written of its collection, a document a line; - is standard input")
      ->required();
  import_captures_
      ->add_option("--data-dir", data_folder_,
                   "The folder to bring them into; made if it is not there [ORDEM_DATA_DIR]")
      ->capture_default_str();
  import_.terms = settings_.engine.captures;
  import_.captured_bytes_max = settings_.server.captured_bytes_max;
  const auto add_duration = [this](const char* name, std::chrono::milliseconds& value, const char* description,
                                   std::string_view zero) {
    auto& number = milliseconds_for(value);
    as_duration(import_captures_->add_option(name, number, description), number, zero);
  };
  add_duration("--capture-lease", import_.terms.lease,
               "How long what is still allocated keeps others away, from now on; 0: for ever", "for ever");
  add_duration("--capture-ttl", import_.terms.ttl, "How long they are kept, from now on", {});
  as_size(
      import_captures_->add_option("--capture-max", import_.captured_bytes_max, "The largest response that is taken"),
      import_.captured_bytes_max, "1KiB", 1024);
  import_captures_->footer(
      "No server may serve the folder meanwhile. Keys that the folder has already stay as they are. Lines that can't be\n"
      "taken are listed with the reason; the exit code is then 1.");
}

void program::add_postgres_url(CLI::App* to) {
  to->add_option("--postgres-url", postgres_url_,
                 "The database: postgresql://user:password@host:5432/database [ORDEM_POSTGRES_URL]")
      ->type_name("URL")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void program::add_restore_and_verify() {
  const auto add = [this](const char* name, const char* description, const char* folder_description) {
    auto* what = app_.add_subcommand(name, description);
    add_postgres_url(what);
    what->add_option("--data-dir", data_folder_, std::string(folder_description) + " [ORDEM_DATA_DIR]")
        ->capture_default_str();
    return what;
  };
  restore_ = add("restore", "Make a data folder anew from a Postgres database",
                 "The folder to make; it must be empty or not there");
  restore_->footer(
      "The folder gets all orders with their history, the GUIDs that have not expired, and goes on at the position\n"
      "of the database. What was acknowledged but not yet written to Postgres is not there: see ordem_postgres_lag_*.\n"
      "Once an engine serves the new folder, an engine that still serves the old one takes no more writes.");
  verify_ = add("verify", "Compare a data folder with a Postgres database, order by order",
                "The folder to compare, which may be served meanwhile");
  verify_->footer("Prints a line for every difference; the exit code is 1 if there is any.");
}

void program::add_migrate() {
  migrate_ = app_.add_subcommand("migrate", "Make or renew the tables of a Postgres database");
  migrate_status_ = migrate_->add_subcommand("status", "Tell which migrations the database has had, and when");
  add_postgres_url(migrate_);
  add_postgres_url(migrate_status_);
  migrate_->add_flag("--dry-run", dry_run_, "Tell what would be applied, and change nothing");
  migrate_
      ->add_option("--lock-timeout", lock_timeout_ms_,
                   "How long to wait for another migrate to end, and for each table that others have locked")
      ->default_str(with_unit(lock_timeout_ms_, duration_units))
      ->transform(
          number_with_unit(duration_units, 1, 86'400'000, "must be from 1ms to 24h, with a unit: ms, s, m or h"))
      ->type_name("DURATION");
  migrate_->footer(
      "Applies what is pending, each migration in a transaction of its own; when all are applied it does nothing.\n"
      "It may run while another one does: they take turns. There is no way back: make a back-up first.\n"
      "Others see the arguments of a process: a password is better in ORDEM_POSTGRES_URL, PGPASSWORD or ~/.pgpass.");
}

bool program::is_setting(const std::string& name) const {
  return std::any_of(shown_.begin(), shown_.end(), [&](const auto& setting) { return setting.first == name; });
}

std::vector<std::string> program::settings_of_environment(const std::vector<std::string>& environment) const {
  std::vector<std::string> arguments;
  for (const std::string& variable : environment) {
    if (!variable.starts_with(environment_prefix)) continue;
    const auto equals = variable.find('=');
    const std::string name = variable.substr(0, equals);
    const auto found = std::find_if(shown_.begin(), shown_.end(),
                                    [&](const auto& setting) { return environment_name(setting.first) == name; });
    if (found == shown_.end()) throw usage_error("the environment variable " + name + " is not a setting of ordem");
    if (equals != std::string::npos) arguments.push_back("--" + found->first + "=" + variable.substr(equals + 1));
  }
  return arguments;
}

std::vector<std::string> program::settings_of_file(const std::string& path) const {
  std::vector<std::string> arguments;
  const auto text = read_config_file(path);
  if (!text) throw usage_error(text.error());
  std::vector<CLI::ConfigItem> items;
  try {
    std::istringstream lines(*text);
    items = CLI::ConfigTOML().from_config(lines);
  } catch (const CLI::Error&) {
    throw usage_error("the configuration file '" + path + "' cannot be read");
  }
  for (const CLI::ConfigItem& item : items) {
    if (!item.parents.empty()) {
      throw usage_error("the configuration file '" + path + "' has a section '" + item.parents.front() +
                        "'; settings stand in it without one");
    }
    if (!is_setting(item.name) || item.name == "config") {
      throw usage_error("'" + item.fullname() + "' in the configuration file '" + path + "' is not a setting of ordem");
    }
    if (item.inputs.size() != 1) {
      throw usage_error("'" + item.name + "' in the configuration file '" + path + "' needs one value");
    }
    if (item.inputs.front().empty()) {
      throw usage_error("the value of '" + item.name + "' in the configuration file '" + path + "' is empty");
    }
    arguments.push_back("--" + item.name + "=" + item.inputs.front());
  }
  return arguments;
}

// CLI11 would only say that a command is missing.
void program::check_command_names(const std::vector<std::string>& arguments) const {
  const CLI::App* at = &app_;
  for (const std::string& word : arguments) {
    const auto known = at->get_subcommands({});
    if (word.starts_with('-') || known.empty()) return;
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const CLI::App* each) { return each->get_name() == word; });
    if (found == known.end())
      throw usage_error("'" + without_password(word, value_of(word)) +
                        "' is not a command; ordem --help tells what is");
    at = *found;
  }
}

settings program::checked_settings() {
  const bool has_postgres = !settings_.postgres_url.empty();
  settings_.postgres_url = trimmed_postgres_url(settings_.postgres_url);
  for (const auto& [name, show] : shown_) settings_.effective.emplace_back(name, show());
  settings_.store.folder = data_folder_;
  if (has_postgres) check_postgres_url(settings_.postgres_url);
  if (const auto conflict = check_settings(settings_)) throw usage_error(*conflict);
  return settings_;
}

void program::check_postgres_url(const std::string& url) {
  if (const auto validation_error = postgres_url_error(url)) throw usage_error("--postgres-url " + *validation_error);
}

std::string program::checked_postgres_url() const {
  if (postgres_url_.empty()) throw usage_error("which database? --postgres-url or ORDEM_POSTGRES_URL says so");
  auto url = trimmed_postgres_url(postgres_url_);
  check_postgres_url(url);
  return url;
}

const CLI::App* program::configured_command(const std::vector<std::string>& arguments) const {
  for (const CLI::App* command : {serve_, ready_}) {
    if (!arguments.empty() && arguments.front() == command->get_name()) return command;
  }
  return nullptr;
}

void program::put_first(const std::vector<std::string>& settings, const CLI::App& command) {
  auto to = words_.begin() + 1;
  for (const std::string& setting : settings) {
    if (command.get_option_no_throw(setting.substr(0, setting.find('='))) == nullptr) continue;
    to = words_.insert(to, setting) + 1;
  }
}

command program::run(const std::vector<std::string>& words, const std::vector<std::string>& variables) {
  const std::vector<std::string> arguments = without_help_command(words);
  const std::vector<std::string> environment = without_empty(variables);
  refuse_empty_values(arguments);
  words_ = arguments;
  if (const CLI::App* command = configured_command(arguments)) {
    put_first(settings_of_environment(environment), *command);
    // --config is needed before the rest can be read.
    CLI::App first;
    first.allow_extras();
    first.set_help_flag();
    std::string path;
    first.add_option("--config", path)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    std::vector<std::string> given = words_;
    std::reverse(given.begin(), given.end());
    first.parse(given);
    if (!path.empty()) {
      put_first(settings_of_file(path), *command);
    }
  }
  for (const std::string& variable : environment) {
    if (variable.starts_with(data_folder_variable)) data_folder_ = variable.substr(data_folder_variable.size());
    if (variable.starts_with(postgres_url_variable)) postgres_url_ = variable.substr(postgres_url_variable.size());
  }
  check_command_names(arguments);
  std::vector<std::string> all(words_.rbegin(), words_.rend());  // CLI11 takes them from the back
  app_.parse(all);
  for (const auto& [number, duration] : durations_) *duration = std::chrono::milliseconds(number);

  if (serve_->parsed()) return serve_command{checked_settings()};
  if (ready_->parsed()) return ready_command{settings_.server.address, settings_.server.port, ready_reads_};
  if (inspect_order_->parsed()) {
    const auto id = order_id::parse(order_);
    if (!id) throw usage_error("'" + order_ + "' is not an order id, which is a UUID");
    return inspect_order_command{data_folder_, *id};
  }
  if (inspect_message_->parsed()) {
    const auto id = guid::parse(guid_);
    if (!id) throw usage_error("'" + guid_ + "' is not a GUID, which is 1 to 255 visible ASCII characters");
    return inspect_message_command{data_folder_, *id};
  }
  if (inspect_capture_->parsed()) {
    const auto key = capture_key::parse(capture_key_);
    if (!key) throw usage_error("'" + capture_key_ + "' is not a key, which is base64url without padding");
    return inspect_capture_command{data_folder_, *key};
  }
  if (import_captures_->parsed()) {
    if (const auto conflict = check_settings(import_.terms)) throw usage_error(*conflict);
    import_.data_folder = data_folder_;
    return import_;
  }
  if (migrate_status_->parsed()) {
    if (dry_run_ || migrate_->count("--lock-timeout") > 0) {
      throw usage_error("migrate status only looks: it takes neither --dry-run nor --lock-timeout");
    }
    return migrate_status_command{checked_postgres_url()};
  }
  if (migrate_->parsed()) {
    return migrate_command{checked_postgres_url(), dry_run_, std::chrono::milliseconds(lock_timeout_ms_)};
  }
  if (restore_->parsed()) return restore_command{checked_postgres_url(), data_folder_};
  if (verify_->parsed()) return verify_command{checked_postgres_url(), data_folder_};
  return version_command{};
}

command_line_end program::describe(const CLI::ParseError& error) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = app_.exit(error, out, err);
  if (code == 0) return {0, out.str()};
  std::string complaint = error.what();
  const std::vector<std::string> unknown = app_.remaining(true);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !unknown.empty()) {
    const std::string name = "'" + unknown.front() + "' is ";
    if (app_.get_subcommands().empty()) {
      complaint = name + "not an option of ordem itself";
    } else {
      complaint += "; " + name + "no option of it: an argument that begins with - comes last, after --";
    }
  }
  for (const std::string& word : words_) complaint = without_password(complaint, value_of(word));
  return {2, "ordem: " + complaint + "\nordem --help tells what can be asked for.\n"};
}

}  // namespace

tl::expected<command, command_line_end> parse_command_line(const std::vector<std::string>& arguments,
                                                           const std::vector<std::string>& environment) {
  program ordem;
  try {
    return ordem.run(arguments, environment);
  } catch (const CLI::CallForVersion&) {
    return version_command{};
  } catch (const CLI::ParseError& error) {
    return tl::make_unexpected(ordem.describe(error));
  } catch (const usage_error& error) {
    return tl::make_unexpected(command_line_end{2, "ordem: " + std::string(error.what()) + "\n"});
  }
}

}  // namespace ordem::app
