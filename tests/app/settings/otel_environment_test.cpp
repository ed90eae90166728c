#include "app/settings/otel_environment.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace ordem::app {
namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

const std::string endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318";

// The settings that an endpoint and these variables give.
otel_environment read_with(std::vector<std::string> more) {
  more.push_back(endpoint);
  return read_otel_environment(more);
}

TEST_CASE("tracing is off without an endpoint") {
  for (const std::vector<std::string>& each : {std::vector<std::string>{},
                                               {"OTEL_TRACES_SAMPLER=always_on"},
                                               {"OTEL_EXPORTER_OTLP_ENDPOINT="},
                                               {"OTEL_SDK_DISABLED=false"}}) {
    const auto read = read_otel_environment(each);
    CHECK_FALSE(read.tracing);
    CHECK(read.warnings.empty());
  }
}

TEST_CASE("an endpoint turns tracing on, with the defaults of the specification") {
  const auto read = read_with({});
  REQUIRE(read.tracing);
  CHECK(read.warnings.empty());
  CHECK(read.tracing->to.url == "http://collector:4318/v1/traces");
  CHECK(read.tracing->to.headers.empty());
  CHECK(read.tracing->to.timeout == std::chrono::seconds(10));
  CHECK(read.tracing->to.resource == pairs{{"service.name", "ordem"}});
  CHECK(read.tracing->sampler.ratio == 1);
  CHECK(read.tracing->sampler.follows_parent);
  CHECK(read.tracing->queue.spans_max == 2048);
  CHECK(read.tracing->queue.batch_max == 512);
  CHECK(read.tracing->queue.delay == std::chrono::seconds(5));
}

TEST_CASE("OTEL_SDK_DISABLED and OTEL_TRACES_EXPORTER turn tracing off") {
  CHECK_FALSE(read_with({"OTEL_SDK_DISABLED=true"}).tracing);
  CHECK_FALSE(read_with({"OTEL_SDK_DISABLED=True"}).tracing);
  CHECK(read_with({"OTEL_SDK_DISABLED=false"}).tracing);
  CHECK_FALSE(read_with({"OTEL_TRACES_EXPORTER=none"}).tracing);
  CHECK(read_with({"OTEL_TRACES_EXPORTER=otlp"}).tracing);
  const auto other = read_with({"OTEL_TRACES_EXPORTER=zipkin"});
  CHECK_FALSE(other.tracing);
  CHECK(other.warnings.size() == 1);
  const auto odd = read_with({"OTEL_SDK_DISABLED=1"});
  CHECK(odd.tracing);
  CHECK(odd.warnings.size() == 1);
}

TEST_CASE("the endpoint of traces is taken as it is, and before the general one") {
  CHECK(read_with({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://u:p@[::1]:1/in"}).tracing->to.url ==
        "https://u:p@[::1]:1/in");
  CHECK(read_otel_environment({"OTEL_EXPORTER_OTLP_ENDPOINT=https://host/base/"}).tracing->to.url ==
        "https://host/base/v1/traces");
}

TEST_CASE("an endpoint that is no URL turns tracing off, with a warning that does not quote it") {
  for (const std::string value : {"host:4318", "grpc://secret", "http://", "http://:1", "http://secret:0",
                                  "http://secret:65536", "http://secret:x", "http://a secret", "http:///secret"}) {
    const auto read = read_otel_environment({"OTEL_EXPORTER_OTLP_ENDPOINT=" + value});
    CAPTURE(value);
    CHECK_FALSE(read.tracing);
    REQUIRE(read.warnings.size() == 1);
    CHECK(read.warnings.front().starts_with("OTEL_EXPORTER_OTLP_ENDPOINT: "));
    CHECK(read.warnings.front().find("secret") == std::string::npos);
  }
}

TEST_CASE("headers and resource attributes are lists with percent-encoded values") {
  const auto read =
      read_with({"OTEL_EXPORTER_OTLP_HEADERS= Authorization = Basic%20YQ%3D%3D , x-a=1,",
                 "OTEL_RESOURCE_ATTRIBUTES=service.name=a,service.namespace=b%2Cc", "OTEL_SERVICE_NAME=d"});
  CHECK(read.tracing->to.headers == pairs{{"Authorization", "Basic YQ=="}, {"x-a", "1"}});
  CHECK(read.tracing->to.resource == pairs{{"service.namespace", "b,c"}, {"service.name", "d"}});
  CHECK(read.warnings.empty());
  CHECK(read_with({"OTEL_RESOURCE_ATTRIBUTES=service.name=a"}).tracing->to.resource == pairs{{"service.name", "a"}});
}

TEST_CASE("headers of traces replace the general ones") {
  const auto read = read_with({"OTEL_EXPORTER_OTLP_HEADERS=a=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS=b=2"});
  CHECK(read.tracing->to.headers == pairs{{"b", "2"}});
}

TEST_CASE("a header that would break the request is not sent") {
  for (const std::string value :
       {"secret", "=secret", "a=secret%0d%0ab", "a b=secret", "a=secret%", "a=secret%zz", "a=secret%4"}) {
    CAPTURE(value);
    const auto read = read_with({"OTEL_EXPORTER_OTLP_HEADERS=" + value});
    CHECK(read.tracing->to.headers.empty());
    REQUIRE(read.warnings.size() == 1);
    CHECK(read.warnings.front().find("secret") == std::string::npos);
  }
}

TEST_CASE("samplers") {
  struct row {
    std::string sampler;
    std::string argument;
    double ratio;
    bool follows_parent;
    std::size_t warnings;
  };
  const auto [sampler, argument, ratio, follows_parent, warnings] =
      GENERATE(values<row>({{"always_on", "", 1, false, 0},
                            {"always_off", "0.5", 0, false, 0},
                            {"traceidratio", "0.25", 0.25, false, 0},
                            {"traceidratio", "", 1, false, 0},
                            {"traceidratio", "1e-2", 0.01, false, 0},
                            {"traceidratio", "-0.1", 1, false, 1},
                            {"traceidratio", "nan", 1, false, 1},
                            {"traceidratio", "0.5x", 1, false, 1},
                            {"parentbased_always_on", "", 1, true, 0},
                            {"parentbased_always_off", "", 0, true, 0},
                            {"parentbased_traceidratio", "0.01", 0.01, true, 0},
                            {"jaeger_remote", "x", 1, true, 1},
                            {"parentbased_", "", 1, true, 1}}));
  CAPTURE(sampler, argument);
  const auto read = read_with({"OTEL_TRACES_SAMPLER=" + sampler, "OTEL_TRACES_SAMPLER_ARG=" + argument});
  CHECK(read.tracing->sampler.ratio == ratio);
  CHECK(read.tracing->sampler.follows_parent == follows_parent);
  CHECK(read.warnings.size() == warnings);
}

TEST_CASE("the bounds of the queue") {
  const auto read =
      read_with({"OTEL_BSP_MAX_QUEUE_SIZE=100", "OTEL_BSP_SCHEDULE_DELAY=250", "OTEL_BSP_EXPORT_TIMEOUT=3000"});
  CHECK(read.tracing->queue.spans_max == 100);
  CHECK(read.tracing->queue.batch_max == 100);  // the default would not fit
  CHECK(read.tracing->queue.delay == std::chrono::milliseconds(250));
  CHECK(read.tracing->to.timeout == std::chrono::seconds(3));
  CHECK(read.warnings.empty());
  const auto bad =
      read_with({"OTEL_BSP_MAX_QUEUE_SIZE=0", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=4096", "OTEL_BSP_SCHEDULE_DELAY=-1",
                 "OTEL_EXPORTER_OTLP_TIMEOUT=10s", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip"});
  CHECK(bad.tracing->queue.spans_max == 2048);
  CHECK(bad.tracing->queue.batch_max == 512);
  CHECK(bad.tracing->queue.delay == std::chrono::seconds(5));
  CHECK(bad.tracing->to.timeout == std::chrono::seconds(10));
  CHECK(bad.warnings.size() == 5);
}

}  // namespace
}  // namespace ordem::app
