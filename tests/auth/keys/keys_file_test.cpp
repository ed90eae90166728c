#include "auth/keys/keys_file.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "auth/keys/certificate_subject.hpp"

namespace ordem::auth {
namespace {

using Catch::Contains;

const std::string hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string other_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const std::string key_line = "name=till-7 tenant=shop scopes=orders:read,orders:write key=sha256:" + hash;
const std::string subject_line = R"(name=till-8 scopes=captures subject="CN=till-8,O=Shop\, \"Ltd\"")";

std::vector<keys_file_entry> entries_of(std::string_view text) {
  auto parsed = parse_keys_file(text);
  if (!parsed) throw std::runtime_error(parsed.error());
  return std::move(*parsed);
}

std::string error_of(std::string_view text) {
  const auto parsed = parse_keys_file(text);
  if (parsed) throw std::runtime_error("the file has no error");
  return parsed.error();
}

TEST_CASE("a line of the keys file names an identity and its key") {
  const auto entries = entries_of(
      "# till 7\n\n  name=till-7\ttenant=shop   scopes=orders:read,orders:write "
      "created=2026-11-26T10:00:00+01:00 expires=2027-01-01T00:00:00Z key=sha256:" +
      hash + " \r\n");
  REQUIRE(entries.size() == 1);
  const keys_file_entry& entry = entries.front();
  CHECK(entry.line == 3);
  CHECK(entry.name == "till-7");
  CHECK(entry.tenant == "shop");
  CHECK(entry.scopes == scope_set{scope::orders_read, scope::orders_write});
  CHECK(to_rfc3339(*entry.created) == "2026-11-26T09:00:00.000Z");
  CHECK(to_rfc3339(*entry.expires) == "2027-01-01T00:00:00.000Z");
  CHECK(std::get<sha256_hash>(entry.credential) == parse_sha256(hash));
}

TEST_CASE("a line of the keys file names an identity and the subject of its certificate") {
  const auto entries = entries_of("\xEF\xBB\xBF" + subject_line);
  REQUIRE(entries.size() == 1);
  CHECK(entries.front().line == 1);
  CHECK(entries.front().tenant.empty());
  CHECK_FALSE(entries.front().created.has_value());
  CHECK_FALSE(entries.front().expires.has_value());
  CHECK(std::get<certificate_subject>(entries.front().credential).text == R"(CN=till-8,O=Shop\, \"Ltd\")");
}

TEST_CASE("an entry is read again from its line") {
  for (const std::string& line : {key_line + " expires=never", key_line + " created=2026-11-26T09:00:00.123Z",
                                  subject_line, subject_line + " expires=2027-01-01T00:00:00Z"}) {
    CAPTURE(line);
    const auto entry = entries_of(line).front();
    const auto again = entries_of(to_line(entry)).front();
    CHECK(to_line(again) == to_line(entry));
    CHECK(again.name == entry.name);
    CHECK(again.tenant == entry.tenant);
    CHECK(again.scopes == entry.scopes);
    CHECK(again.created == entry.created);
    CHECK(again.expires == entry.expires);
    CHECK(again.credential == entry.credential);
  }
}

TEST_CASE("an empty keys file has no entries") {
  const auto* const text = GENERATE("", "\n", "# nothing\n\n \t\n#");
  CHECK(entries_of(text).empty());
}

TEST_CASE("what is wrong in a keys file is named with its line") {
  struct row {
    std::string line;
    std::string_view error;
  };
  const std::string key = " key=sha256:" + hash;
  const std::vector<row> rows = {
      {"till-7", "each part must be NAME=VALUE"},
      {"name=a scopes=captures colour=red" + key, "there is no field 'colour'"},
      {"name=a name=b scopes=captures" + key, "the field 'name' is there twice"},
      {"scopes=captures" + key, "name must be 1 to 64"},
      {"name= scopes=captures" + key, "name must be 1 to 64"},
      {"name=a/b scopes=captures" + key, "name must be 1 to 64"},
      {"name=a tenant=Shop scopes=captures" + key, "tenant must be at most 64"},
      {"name=a tenant= scopes=captures" + key, "leave it out for the empty tenant"},
      {"name=a" + key, "it has no scopes"},
      {"name=a scopes=" + key, "unknown scope ''"},
      {"name=a scopes=orders" + key, "unknown scope 'orders'"},
      {"name=a scopes=captures created=today" + key, "created must be a time"},
      {"name=a scopes=captures created=never" + key, "created must be a time"},
      {"name=a scopes=captures expires=2027-01-01" + key, "expires must be a time"},
      {"name=a scopes=captures", "it needs either"},
      {"name=a scopes=captures subject=\"CN=a\"" + key, "it needs either"},
      {"name=a scopes=captures key=" + hash, "key must be sha256: and 64 hex digits"},
      {"name=a scopes=captures key=sha256:" + hash.substr(1), "key must be sha256: and 64 hex digits"},
      {"name=a scopes=captures key=md5:" + hash, "key must be sha256: and 64 hex digits"},
      {"name=a scopes=captures subject=CN=a", "the value of subject must be in quotes"},
      {"name=a scopes=captures subject=\"CN=a", "the value of subject must be in quotes"},
      {R"(name=a scopes=captures subject="CN=a\")", "the value of subject must be in quotes"},
      {"name=a scopes=captures subject=\"CN=a\"b", "a space is missing"},
      {"name=a scopes=captures subject=\"\"", "the subject is empty"},
      {"name=a scopes=captures subject=\"/CN=a\"", "RFC 4514"},
      {"name=a scopes=captures subject=\"CN=a, O=b\"", "RFC 4514"},
  };
  for (const auto& [line, error] : rows) {
    CAPTURE(line);
    CHECK_THAT(error_of("# a comment\n" + line + "\n"), Catch::StartsWith("line 2: ") && Contains(std::string(error)));
  }
}

TEST_CASE("a secret that was put into the keys file is not repeated in the error") {
  const std::string secret = "ordem_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf7aa473b8";
  for (const std::string& line : {secret, "name=a scopes=captures key=" + secret, "name=a scopes=captures " + secret}) {
    CHECK_THAT(error_of(line), !Contains("003aUlTJ"));
  }
}

TEST_CASE("a credential is in the keys file once, and a name has one tenant") {
  const std::string same_name = "name=till-7 tenant=shop scopes=captures key=sha256:" + other_hash;
  CHECK(entries_of(key_line + "\n" + same_name).size() == 2);
  CHECK(error_of(key_line + "\n\nname=b scopes=captures key=sha256:" + hash) == "line 3: it has the key of line 1");
  CHECK(error_of(subject_line + "\n" + subject_line) == "line 2: it has the subject of line 1");
  CHECK(error_of(key_line + "\nname=till-7 scopes=captures key=sha256:" + other_hash) ==
        "line 2: 'till-7' has another tenant in line 1");
}

TEST_CASE("a keys file beyond its bounds is refused") {
  CHECK(error_of(std::string(keys_file_bytes_max + 1, '#')) == "it is larger than 16 MiB");
  CHECK(entries_of(std::string(keys_file_lines_max, '\n')).empty());
  CHECK(error_of(std::string(keys_file_lines_max, '\n') + "#") == "it has more than 100000 lines");
  CHECK(error_of("# \xFF") == "it is not a text in UTF-8");
}

TEST_CASE("a line is added at the end, also where the last one has none") {
  CHECK(with_line("", "a") == "a\n");
  CHECK(with_line("x", "a") == "x\na\n");
  CHECK(with_line("x\r\n", "a") == "x\r\na\n");
}

TEST_CASE("a line is removed and all others stay") {
  const std::string text = "# one\r\n\ntwo\nthree";
  CHECK(without_line(text, 1) == "\ntwo\nthree");
  CHECK(without_line(text, 2) == "# one\r\ntwo\nthree");
  CHECK(without_line(text, 4) == "# one\r\n\ntwo\n");
  CHECK(without_line(text, 5) == text);
}

TEST_CASE("the short id of an entry is the beginning of a SHA-256") {
  CHECK(short_id(entries_of(key_line).front()) == "ba7816bf");
  CHECK(short_id(entries_of("name=a scopes=captures subject=\"CN=a\"").front()) ==
        to_hex(sha256().of("CN=a")).substr(0, 8));
}

TEST_CASE("subjects are those that OpenSSL prints in the form of RFC 2253") {
  for (const auto* const good : {"CN=till-7", "CN=till-7,O=shop", "CN=a+OU=b,O=c", "2.5.4.5=#130141", R"(O=Shop\, Ltd)",
                                 R"(CN=a\+b)", "CN=a b", R"(CN=a\ )", R"(CN=\C3\A4)", "CN=\xC3\xA4", "CN=a=b"}) {
    CAPTURE(good);
    CHECK_FALSE(subject_error(good).has_value());
  }
  for (const auto* const bad : {"", "till-7", "/CN=till-7", "CN=", "CN=a,", ",CN=a", "CN=a,,O=b", "CN=a, O=b", "CN = a",
                                "CN= a", "CN=a ", "CN=a\"", "CN=a;O=b", "CN=a\\", "CN=a\n", "CN=\xFF"}) {
    CAPTURE(bad);
    CHECK(subject_error(bad).has_value());
  }
  CHECK(subject_error("CN=" + std::string(subject_bytes_max, 'a')).has_value());
}

}  // namespace
}  // namespace ordem::auth
