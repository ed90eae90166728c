#include "app/settings/postgres_url.hpp"

#include <catch2/catch.hpp>

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("a URL is shown without its password and otherwise as it was written") {
  const auto [url, shown] = GENERATE(table<std::string, std::string>({
      {"postgresql://ordem:secret@host/db", "postgresql://ordem:***@host/db"},
      {"postgres://ordem:secret@host:5433/db", "postgres://ordem:***@host:5433/db"},
      {"postgres://ordem:@host/db", "postgres://ordem:***@host/db"},
      {"postgres://:secret@host/db", "postgres://:***@host/db"},
      {"postgres://o:se%40cr%2Fet@host", "postgres://o:***@host"},
      {"postgres://o:se:cret@host", "postgres://o:***@host"},
      {"postgres://ordem@host/db", "postgres://ordem@host/db"},
      {"postgres://host:5432/db", "postgres://host:5432/db"},
      {"postgres://a:1,b:2,[::1]:3,[::2]/db", "postgres://a:1,b:2,[::1]:3,[::2]/db"},
      {"postgres://o:secret@[::1]:5432/db", "postgres://o:***@[::1]:5432/db"},
      {"postgres:///db?host=/tmp", "postgres:///db?host=/tmp"},
      {"postgres://", "postgres://"},
      {"postgres://h/d?password=secret", "postgres://h/d?password=***"},
      {"postgres://h/d?a=1&password=secret&b=2", "postgres://h/d?a=1&password=***&b=2"},
      {"postgres://h/d?sslpassword=secret&sslmode=require", "postgres://h/d?sslpassword=***&sslmode=require"},
      {"postgres://h/d?pass%77ord=secret", "postgres://h/d?pass%77ord=***"},
      {"postgres://h/d?PASSWORD=secret", "postgres://h/d?PASSWORD=***"},
      {"postgres://o:secret@h/d?user=x&password=secret", "postgres://o:***@h/d?user=x&password=***"},
      {"postgres://h/d?&a=1&", "postgres://h/d?&a=1&"},
  }));
  CHECK(masked(url) == shown);
}

TEST_CASE("a list of words is shown without its password and otherwise as it was written") {
  const auto [words, shown] = GENERATE(table<std::string, std::string>({
      {"host=h password=secret dbname=d", "host=h password=*** dbname=d"},
      {"password='se cret' host=h", "password=*** host=h"},
      {R"(password='se\' cret' host=h)", "password=*** host=h"},
      {R"(password=se\ cret host=h)", "password=*** host=h"},
      {"password = secret  host = h", "password = ***  host = h"},
      {"password=secret", "password=***"},
      {"host=h sslpassword=secret", "host=h sslpassword=***"},
      {"host='a b' user=u", "host='a b' user=u"},
      {"passfile=/home/ordem/.pgpass", "passfile=/home/ordem/.pgpass"},
      {" host=h\n", " host=h\n"},
      {"", ""},
  }));
  CHECK(masked(words) == shown);
}

TEST_CASE("where it is not clear what is the password, too much is hidden") {
  const auto text = GENERATE(as<std::string>{},
                             "postgres://u:secret",              // taken for a port
                             "postgres://u:secret/d",            //
                             "postgres://u:12secret/d",          //
                             "postgres://u:1/secret@h/d",        // port 1, database "secret@h/d"
                             "postgres://u:a@secret@h/d",        // password a, host "secret@h"
                             "postgres://u:a?secret@h/d",        //
                             "postgres://u:a@b?secret@h/d",      //
                             "postgres://u:a@b/secret@h?x=y@z",  //
                             "postgres://[::1:secret@h/d",       //
                             "password=a secret",                //
                             "password='a secret",               //
                             "password='a' secret host=h",       //
                             "host=h secret",                    //
                             "secret", "mysql://u:secret@h/d");
  INFO(text);
  CHECK_THAT(masked(text), !Contains("secret"));
  CHECK_THAT(masked(text), Contains("***"));
}

TEST_CASE("what libpq understands, and in one way only, is taken") {
  const auto url =
      GENERATE(as<std::string>{}, "postgres://h/d", "postgresql://u:p@h:5432/d", "postgresql://",
               "postgres://u:p:q@h/d", "postgres://u:%40%2F%3F@h/d", "postgres://u@/d?host=%2Ftmp",
               "postgres:///d?host=/tmp&connect_timeout=3", "postgres://u:p@[::1]:5432,b:2/d",
               "postgres://u:p@h/d?password=q", "host=h", "host='a b' password='x@y/z' port=1", "host=h\npassword=x\n");
  INFO(url);
  CHECK_FALSE(postgres_url_error(url));
}

TEST_CASE("what libpq does not understand, or not as it was meant, is refused without being quoted") {
  const auto url = GENERATE(as<std::string>{}, "", "secret", "mysql://u:secret@h/d", "postgres:/u:secret@h/d",
                            "postgres://u:secret", "postgres://u:secret/d", "postgres://u:1/secret@h/d",
                            "postgres://u:a@secret@h/d", "postgres://u:a?secret@h/d", "postgres://u:a#secret@h/d",
                            "postgres://u:%zzsecret@h/d", "postgres://h/d?secret", "postgres://h/d?sec%72et=secret",
                            "postgres://h/d?se\"cret=1", "password=a secret", "password='secret", "colour=secret",
                            "dbname=postgres://u:secret@h/d", "postgres://h/postgres://u:secret@h/d");
  INFO(url);
  const auto validation_error = postgres_url_error(url);
  REQUIRE(validation_error);
  CHECK_THAT(*validation_error, Contains("postgresql://") && !Contains("secret"));
}

TEST_CASE("a parameter that libpq does not know is named, and its value is not") {
  const auto [url, names] = GENERATE(table<std::string, std::string>({
      {"postgres://u:secret@h/d?schema=secret", "'schema'"},
      {"postgres://u:secret@h:5432/d?sslmode=require&schema=public&pgbouncer=true", "'schema', 'pgbouncer'"},
      {"postgresql:///d?host=/tmp&connection_limit=5", "'connection_limit'"},
      {"postgres://h/d?ssl=no", "'ssl'"},
      {"postgres://h/d?SSLMODE=require", "'SSLMODE'"},
  }));
  INFO(url);
  const auto validation_error = postgres_url_error(url);
  REQUIRE(validation_error);
  CHECK_THAT(*validation_error, Contains("parameter") && Contains(names) && Contains("libpq"));
  CHECK_THAT(*validation_error, !Contains("secret") && !Contains("password") && !Contains("sslmode"));
}

TEST_CASE("the parameters that libpq knows are taken") {
  const auto url = GENERATE(as<std::string>{}, "postgres://h/d?ssl=true", "postgres://h/d?sslmode=require&ssl=true",
                            "postgres://h/d?application_name=a%20b&target_session_attrs=read-write",
                            "postgres://h/d?options=-csearch_path%3Dshop");
  INFO(url);
  CHECK_FALSE(postgres_url_error(url));
}

TEST_CASE("white space around a URL is no part of it") {
  const auto [text, url] = GENERATE(table<std::string, std::string>({
      {"postgres://h/d\n", "postgres://h/d"},
      {" \t\r\npostgres://h/d \t\r\n", "postgres://h/d"},
      {"host=h dbname=d\n", "host=h dbname=d"},
      {"host=h password='a '\n", "host=h password='a '"},
      {"host=h password=a\\ ", "host=h password=a\\ "},
      {"host=h password=a\\ \n", "host=h password=a\\ "},
      {"postgres://h/d", "postgres://h/d"},
      {" \n", ""},
      {"", ""},
  }));
  CHECK(trimmed_postgres_url(text) == url);
}

TEST_CASE("a line break within a URL is named") {
  const auto url = GENERATE(as<std::string>{}, "postgres://u:secret@h/d\npostgres", "postgres://u:secret\n@h/d",
                            "postgres://u:secret@h/d\r\n?sslmode=require", "postgres://u:secret@h/d\t");
  INFO(url);
  const auto validation_error = postgres_url_error(url);
  REQUIRE(validation_error);
  CHECK_THAT(*validation_error, Contains("line break") && !Contains("secret"));
}

}  // namespace
}  // namespace ordem::app
