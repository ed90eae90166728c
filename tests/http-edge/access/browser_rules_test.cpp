#include "http-edge/access/browser_rules.hpp"

#include <catch2/catch.hpp>

#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

TEST_CASE("the origin of this server is not foreign, with or without its default port") {
  for (const auto& [origin, host] : {
           std::pair("http://orders.example.com", "orders.example.com"),
           std::pair("http://orders.example.com", "orders.example.com:80"),
           std::pair("http://orders.example.com:80", "orders.example.com"),
           std::pair("https://orders.example.com", "orders.example.com"),
           std::pair("https://orders.example.com", "orders.example.com:443"),
           std::pair("http://Orders.Example.com:8080", "orders.example.COM:8080"),
           std::pair("http://127.0.0.1:8080", "127.0.0.1:8080"),
           std::pair("http://[::1]:8080", "[::1]:8080"),
           std::pair("http://[::1]", "[::1]"),
       }) {
    CAPTURE(origin, host);
    CHECK_FALSE(is_foreign_origin(origin, host));
  }
}

TEST_CASE("every other origin is foreign") {
  for (const auto& [origin, host] : {
           std::pair("null", "orders.example.com"),
           std::pair("", "orders.example.com"),
           std::pair("orders.example.com", "orders.example.com"),
           std::pair("http://evil.example", "orders.example.com"),
           std::pair("http://orders.example.com.evil.example", "orders.example.com"),
           std::pair("http://example.com", "orders.example.com"),
           std::pair("http://orders.example.com:8081", "orders.example.com:8080"),
           std::pair("https://orders.example.com", "orders.example.com:8080"),
           std::pair("http://orders.example.com", "orders.example.com:443"),
           std::pair("http://localhost:8080", "127.0.0.1:8080"),
           std::pair("http://[::2]:8080", "[::1]:8080"),
           std::pair("http://a@orders.example.com", "orders.example.com"),
           std::pair("http://", ""),
           std::pair("http://orders.example.com", ""),
       }) {
    CAPTURE(origin, host);
    CHECK(is_foreign_origin(origin, host));
  }
}

TEST_CASE("fetch metadata name pages of other origins") {
  for (const std::string_view site : {"cross-site", "same-site", "", "anything"}) CHECK(is_from_other_origin(site));
  for (const std::string_view site : {"same-origin", "none", "None"}) CHECK_FALSE(is_from_other_origin(site));
}

TEST_CASE("IP addresses and localhost are allowed whatever the names are") {
  const allowed_hosts none{std::vector<std::string>()};
  const allowed_hosts some(std::vector<std::string>{"orders.example.com", "Ordem"});
  for (const std::string_view host :
       {"127.0.0.1", "127.0.0.1:8080", "10.1.2.3", "[::1]", "[::1]:8080", "localhost", "LocalHost:8080"}) {
    CAPTURE(host);
    CHECK(none.allows(host));
    CHECK(some.allows(host));
  }
  for (const std::string_view host : {"orders.example.com", "Orders.Example.com:8080", "ordem:80"}) {
    CAPTURE(host);
    CHECK_FALSE(none.allows(host));
    CHECK(some.allows(host));
  }
  for (const std::string_view host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "example.com",
                                      "x.ordem", "1a", "", ":8080"}) {
    CAPTURE(host);
    CHECK_FALSE(none.allows(host));
    CHECK_FALSE(some.allows(host));
  }
}

TEST_CASE("any name is allowed by default and by an asterisk") {
  CHECK(allowed_hosts().allows("evil.example"));
  CHECK(allowed_hosts(std::vector<std::string>{"ordem", "*"}).allows("evil.example"));
}

TEST_CASE("form types are those that a page may send to any server") {
  for (const std::string_view type : {"text/plain", " Text/Plain ; charset=utf-8", "application/x-www-form-urlencoded",
                                      "multipart/form-data; boundary=x"}) {
    CAPTURE(type);
    CHECK(is_form_type(type));
  }
  for (const std::string_view type : {"", "application/json", "text/plainer", "text/html", "multipart/mixed"}) {
    CAPTURE(type);
    CHECK_FALSE(is_form_type(type));
  }
}

}  // namespace
}  // namespace ordem::http_edge
