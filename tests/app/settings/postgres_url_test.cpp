#include "app/settings/postgres_url.hpp"

#include <catch2/catch.hpp>

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("a URL is shown in its parts, without its password") {
  const auto [url, shown] = GENERATE(table<std::string, std::string>({
      {"postgresql://ordem:secret@host/db", "user=ordem password=*** dbname=db host=host"},
      {"postgres://ordem:secret@host:5433/db", "user=ordem password=*** dbname=db host=host port=5433"},
      {"postgres://ordem:@host/db", "user=ordem dbname=db host=host"},
      {"postgres://:secret@host/db", "password=*** dbname=db host=host"},
      {"postgres://o:se%40cr%2Fet@host", "user=o password=*** host=host"},
      {"postgres://o:se:cret@host", "user=o password=*** host=host"},
      {"postgres://ordem@host/db", "user=ordem dbname=db host=host"},
      {"postgres://host:5432/db", "dbname=db host=host port=5432"},
      {"postgres://a:1,b:2,[::1]:3,[::2]/db", "dbname=db host=a,b,::1,::2 port=1,2,3,"},
      {"postgres://o:secret@[::1]:5432/db", "user=o password=*** dbname=db host=::1 port=5432"},
      {"postgres:///db?host=/tmp", "dbname=db host=/tmp"},
      {"postgres://", "postgres://"},
      {"postgres://h/d?password=secret", "password=*** dbname=d host=h"},
      {"postgres://h/d?application_name=a%20b&password=secret&sslmode=require",
       "password=*** dbname=d host=h application_name='a b' sslmode=require"},
      {"postgres://h/d?sslpassword=secret&sslmode=require", "dbname=d host=h sslmode=require sslpassword=***"},
      {"postgres://h/d?pass%77ord=secret", "password=*** dbname=d host=h"},
      {"postgres://o:secret@h/d?user=x&password=secret", "user=x password=*** dbname=d host=h"},
  }));
  CHECK(masked(url) == shown);
}

TEST_CASE("a list of words is shown in its parts, without its password") {
  const auto [words, shown] = GENERATE(table<std::string, std::string>({
      {"host=h password=secret dbname=d", "password=*** dbname=d host=h"},
      {"password='se cret' host=h", "password=*** host=h"},
      {R"(password='se\' cret' host=h)", "password=*** host=h"},
      {R"(password=se\ cret host=h)", "password=*** host=h"},
      {"password = secret  host = h", "password=*** host=h"},
      {"password=secret", "password=***"},
      {"host=h sslpassword=secret", "host=h sslpassword=***"},
      {"host='a b' user=u", "user=u host='a b'"},
      {"passfile=/home/ordem/.pgpass", "passfile=/home/ordem/.pgpass"},
      {" host=h\n", "host=h"},
      {"", ""},
  }));
  CHECK(masked(words) == shown);
}

TEST_CASE("a URL that is refused is hidden as a whole") {
  const auto text = GENERATE(as<std::string>{},
                             "postgres://u:secret",              // libpq reads a port
                             "postgres://u:secret/d",            //
                             "postgres://u:12secret/d",          //
                             "postgres://u:1/secret@h/d",        // port 1, database "secret@h/d"
                             "postgres://u:a@secret@h/d",        // password a, host "secret@h"
                             "postgres://u:a?secret@h/d",        //
                             "postgres://u:a@b?secret@h/d",      //
                             "postgres://u:a@b/secret@h?x=y@z",  //
                             "password=a secret",                //
                             "password='a secret",               //
                             "password='a' secret host=h",       //
                             "host=h secret",                    //
                             "postgres://h/d?PASSWORD=secret",   // a name that libpq does not know
                             "postgres://h/d?&a=1&",             //
                             "postgres://h/d?a=1&password=secret&b=2", "secret", "mysql://u:secret@h/d");
  CHECK(masked(text) == "***");
}

TEST_CASE("an unbalanced bracket before the @ is shown as libpq reads it, without the password") {
  CHECK(masked("postgres://[::1:secret@h/d") == "user=[ password=*** dbname=d host=h");
}

TEST_CASE("an unambiguous URL that libpq parses is accepted") {
  const auto url =
      GENERATE(as<std::string>{}, "postgres://h/d", "postgresql://u:p@h:5432/d", "postgresql://",
               "postgres://u:p:q@h/d", "postgres://u:%40%2F%3F@h/d", "postgres://u@/d?host=%2Ftmp",
               "postgres:///d?host=/tmp&connect_timeout=3", "postgres://u:p@[::1]:5432,b:2/d",
               "postgres://u:p@h/d?password=q", "host=h", "host='a b' password='x@y/z' port=1", "host=h\npassword=x\n");
  INFO(url);
  CHECK_FALSE(postgres_url_error(url));
}

TEST_CASE("an invalid or ambiguous URL is refused without being quoted") {
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

TEST_CASE("an unknown parameter is named without its value") {
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

TEST_CASE("the parameters of libpq are accepted") {
  const auto url = GENERATE(as<std::string>{}, "postgres://h/d?ssl=true", "postgres://h/d?sslmode=require&ssl=true",
                            "postgres://h/d?application_name=a%20b&target_session_attrs=read-write",
                            "postgres://h/d?options=-csearch_path%3Dshop");
  INFO(url);
  CHECK_FALSE(postgres_url_error(url));
}

TEST_CASE("white space around a URL is removed") {
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

TEST_CASE("a line break within a URL is reported") {
  const auto url = GENERATE(as<std::string>{}, "postgres://u:secret@h/d\npostgres", "postgres://u:secret\n@h/d",
                            "postgres://u:secret@h/d\r\n?sslmode=require", "postgres://u:secret@h/d\t");
  INFO(url);
  const auto validation_error = postgres_url_error(url);
  REQUIRE(validation_error);
  CHECK_THAT(*validation_error, Contains("line break") && !Contains("secret"));
}

}  // namespace
}  // namespace ordem::app
